"""Functions, operators and their precedence, constants, indices and extents as numbers, and the number types."""
# fmt: off
# ruff: noqa: C408  (a row a line; names of inputs read better unquoted)

import math

import numpy as np

from .case import Case, bools, f32, ints, pos, sigmoid, span, these, u8

A = dict(a=(23,))
AB = dict(a=(6,), b=(6,))
ERF = np.vectorize(math.erf)
INTS = dict(a=ints((12,), -20, 20), b=ints((12,), 1, 7))


def of(function, value, inputs=None):
    """The row of a function of one number."""
    return Case(function, f"y[i] = {function}(a[i])", A if inputs is None else inputs, value)


def says(text, value, inputs=None):
    """The row of an expression over a[i] and b[i]: its own name."""
    return Case(text, f"y[i] = {text}", AB if inputs is None else inputs, value)


def whole(text, value, inputs=None):
    """The same over two int vectors, b positive."""
    return Case(f"{text} of ints", f"input a[N] : int\ninput b[N] : int\ny[i] = {text}", inputs or INTS, value)


ROWS = (
    of("relu", lambda a: np.maximum(a, 0)),
    of("ReLU", lambda a: np.maximum(a, 0)),
    of("sigmoid", sigmoid),
    of("σ", sigmoid),
    of("tanh", np.tanh),
    of("exp", np.exp),
    of("log", np.log, dict(a=pos((23,)))),
    of("log1p", np.log1p, dict(a=pos((23,)))),
    of("expm1", np.expm1),
    of("sqrt", np.sqrt, dict(a=pos((23,)))),
    of("√", np.sqrt, dict(a=pos((23,)))),
    of("rsqrt", lambda a: 1 / np.sqrt(a), dict(a=pos((23,)))),
    of("abs", np.abs),
    of("sign", np.sign, dict(a=these(-2.0, -0.0, 0.0, 0.5, 3.0))),
    of("sin", np.sin, dict(a=span(-7, 7, (23,)))),
    of("cos", np.cos, dict(a=span(-7, 7, (23,)))),
    of("erf", ERF),
    of("gelu", lambda a: a * (1 + ERF(a / math.sqrt(2))) / 2),
    of("silu", lambda a: a * sigmoid(a)),
    of("softplus", lambda a: np.logaddexp(a, 0), dict(a=span(-30, 30, (23,)))),
    of("floor", np.floor, dict(a=span(-9, 9, (23,)))),
    of("ceil", np.ceil, dict(a=span(-9, 9, (23,)))),
    of("round", np.round, dict(a=span(-9, 9, (23,)))),
    Case("exp at the ends", "y[i] = exp(a[i])", dict(a=these(-1000.0, -80.0, 0.0, 80.0, np.inf, -np.inf)), np.exp),
    Case("sigmoid at the ends", "y[i] = sigmoid(a[i])", dict(a=these(-80.0, 0.0, 80.0)), sigmoid),
    Case("tanh at the ends", "y[i] = tanh(a[i])", dict(a=these(-1000.0, -1e-6, 1e-6, 1000.0)), np.tanh),
    Case("log at zero", "y[i] = log(a[i])", dict(a=these(0.0, 1.0, np.inf)), lambda a: np.array([-np.inf, 0, np.inf])),
    Case("softplus at the ends", "y[i] = softplus(a[i])", dict(a=these(-1000.0, 1000.0)), lambda a: np.array([0, 1000.0])),
    Case("one over zero", "y[i] = 1/a[i]", dict(a=these(0.0, -0.0, 2.0)), lambda a: np.array([np.inf, -np.inf, 0.5])),
    says("clip(a[i], -1, 0.5)", lambda a: np.clip(a, -1, 0.5), A),
    says("where(a[i] > b[i], a[i], -b[i])", lambda a, b: np.where(a > b, a, -b)),
    says("max(a[i], b[i])", np.maximum),
    says("min(a[i], b[i])", np.minimum),
    says("max(a[i], 0)", lambda a: np.maximum(a, 0), A),
    says("max(a[i], b[i], 0.25)", lambda a, b: np.maximum(np.maximum(a, b), 0.25)),
    says("min(a[i], b[i], -a[i], 0)", lambda a, b: np.minimum.reduce([a, b, -a, 0 * a])),
    # operators and their precedence
    says("a[i] + b[i]", np.add),
    says("a[i] - b[i] - 1", lambda a, b: a - b - 1),
    says("a[i] / b[i] / 2", lambda a, b: a / b / 2),
    says("a[i] / b[i] * 2", lambda a, b: a / b * 2),
    says("a[i] - b[i] * 2", lambda a, b: a - b * 2),
    says("(a[i] - b[i]) * 2", lambda a, b: (a - b) * 2),
    says("a[i] · b[i] × 2", lambda a, b: a * b * 2),
    says("-a[i]", lambda a: -a, A),
    says("-a[i]^2", lambda a: -(a**2), A),
    says("(-a[i])^2", lambda a: a**2, A),
    says("--a[i]", lambda a: a, A),
    says("-a[i] * -b[i]", lambda a, b: a * b),
    says("2 - -a[i]", lambda a: 2 + a, A),
    says("2*a[i]^2", lambda a: 2 * a**2, A),
    says("a[i]^3", lambda a: a**3, A),
    says("a[i]*I^2", lambda a: a * len(a) ** 2, A),
    says("a[i]^(-2)", lambda a: a**-2.0, A),
    says("a[i]^0.5", np.sqrt, dict(a=pos((9,)))),
    says("a[i]^b[i]", np.power, dict(a=pos((9,)), b=(9,))),
    says("a[i]^2^3", lambda a: a**8, A),
    says("2^a[i]", np.exp2, A),
    says("a[i] b[i]", np.multiply),
    says("2 * a[i]", lambda a: 2 * a, A),
    says("a[i] // 0.5", lambda a: np.floor(a / 0.5), A),
    says("a[i] % 0.75", lambda a: a - 0.75 * np.floor(a / 0.75), A),
    says("1 if a[i] > 0 else 2", lambda a: np.where(a > 0, 1, 2), A),
    says("a[i] + 1 if a[i] > 0 else b[i]", lambda a, b: np.where(a > 0, a + 1, b)),
    says("a[i] > b[i]", np.greater),
    says("-1 < a[i] <= 1", lambda a: (a > -1) & (a <= 1), A),
    says("not a[i] > 0", lambda a: a <= 0, A),
    says("a[i] > 0 or a[i] > b[i] and b[i] > 0", lambda a, b: (a > 0) | ((a > b) & (b > 0))),
    says("sigmoid(100*a[i] + 100*b[i] - 150)", lambda a, b: sigmoid(100 * a + 100 * b - 150), dict(a=span(0, 1, (6,)), b=span(0, 1, (6,)))),
    Case("a sum ends at minus", "y[j] = sum W[i,j]*L[i] - B[j]", dict(W=(4, 3), L=(4,), B=(3,)), lambda W, L, B: L @ W - B),
    Case("a sum ends at plus", "y[j] = sum W[i,j]*L[i] + B[j]", dict(W=(4, 3), L=(4,), B=(3,)), lambda W, L, B: L @ W + B),
    Case("a factor before a sum", "y = 2 * sum a[i]*b[i]", AB, lambda a, b: 2 * a @ b),
    Case("a quotient before a sum", "y = 1 / sum a[i]^2", A, lambda a: 1 / (a @ a)),
    Case("a minus before a sum", "y = - sum a[i] + 1", A, lambda a: 1 - a.sum()),
    Case("a bracket after sum is only the first factor", "y = sum (a[i] - b[i])^2", AB, lambda a, b: ((a - b) ** 2).sum()),
    Case("a bracketed difference under a sum", "y = sum (a[i] - b[i]) * a[i]", AB, lambda a, b: ((a - b) * a).sum()),
    Case("a sum takes the divisor in", "y[j] = sum[i] A[i,j] / s[i]", dict(A=(4, 3), s=pos((4,))), lambda A, s: (A / s[:, None]).sum(0)),
    Case("a sum plus a sum", "y = sum a[i] + sum b[i]", AB, lambda a, b: a.sum() + b.sum()),
    Case("a sum times a sum", "y = (sum a[i]) * (sum b[i])", AB, lambda a, b: a.sum() * b.sum()),
    Case("a power of a sum", "y = (sum a[i])^2", A, lambda a: a.sum() ** 2),
    # constants, indices and extents as numbers
    Case("a step of descent", "η = 0.01\nW1[i] = W[i] - η*g[i]", dict(W=(5,), g=(5,)), lambda W, g: W - 0.01 * g),
    Case("constants of constants", "n = 3\nm = 2*n + 1\ny[i] = m*a[i]", A, lambda a: 7 * a),
    Case("a fraction of constants", "third = 1/3\ny[i] = third*a[i]", A, lambda a: a / 3),
    Case("one third is no integer", "y[i] = 1/3*a[i]", A, lambda a: a / 3),
    Case("a table of constants", "c = [64, 128, 256]\ny[i] = a[i] / c[1]", A, lambda a: a / 128),
    Case("constant // and % of negatives", "q = -7 // 2\nr = -7 % 3\ny[i] = a[i] + 10*q + r", A, lambda a: a - 38),
    Case("a constant gives an extent", "N = 5\ny[n] = n*n", {}, lambda: np.arange(5) ** 2),
    Case("index as a number", "y[i:3,j:4] = i*4 + j", {}, lambda: np.arange(12).reshape(3, 4)),
    Case("index and extent as numbers", "y[i:3,j:4] = i*J + j", {}, lambda: np.arange(12).reshape(3, 4)),
    Case("index meets float", "y[i] = a[i]*i", A, lambda a: a * np.arange(23)),
    Case("a ramp", "y[i:5] = i/4", {}, lambda: np.arange(5) / 4),
    Case("positions encoded", "P[t:6,k:4] = sin(t / 10^(k/2))", {}, lambda: np.sin(np.arange(6)[:, None] / 10 ** (np.arange(4) / 2))),
    Case("named extents in arithmetic", "input A[N, M]\ny[i,j] = A[i,j] / (N*M)", dict(A=(3, 4)), lambda A: A / 12),
    Case("letter extents in arithmetic", "y[i,j] = A[i,j] / (I + J)", dict(A=(3, 4)), lambda A: A / 7),
    Case("parity of the index", "y[i] = a[i] * (1 - 2*(i % 2))", A, lambda a: a * (-1.0) ** np.arange(23)),
    Case("index // constant", "y[i:9] = i // 4", {}, lambda: np.arange(9) // 4),
    Case("negative index // constant", "y[i:9] = (i-5) // 4", {}, lambda: (np.arange(9) - 5) // 4),
    Case("negative index % constant", "y[i:9] = (i-5) % 4", {}, lambda: (np.arange(9) - 5) % 4),
    Case("distance from the middle", "y[i:9] = abs(i - 4)", {}, lambda: np.abs(np.arange(9) - 4)),
    Case("numbers as written", "y = a + 1e-3 + 2.5 + 0.5 + 10", dict(a=()), lambda a: a + 13.001),
    Case("a parameter that starts fixed", "input X[N]\nparam B[3] = 0.5\ny[n,j] = X[n]*B[j]", dict(X=(4,)), lambda X: np.repeat(X[:, None], 3, 1) / 2),
    # number types
    whole("a[i] + b[i]", np.add),
    whole("a[i] * b[i] - 3", lambda a, b: a * b - 3),
    whole("a[i] / b[i]", np.true_divide),
    whole("a[i] // b[i]", np.floor_divide),
    whole("a[i] % b[i]", np.mod),
    whole("a[i] // -b[i]", lambda a, b: a // -b),
    whole("a[i] % -b[i]", lambda a, b: a % -b),
    whole("b[i] - a[i]", lambda a, b: b - a),
    whole("a[i]^2 + b[i]", lambda a, b: a**2 + b),
    whole("abs(a[i]) + sign(b[i])", lambda a, b: np.abs(a) + np.sign(b)),
    whole("max(a[i], b[i])", np.maximum),
    whole("clip(a[i], 0, b[i])", lambda a, b: np.clip(a, 0, b)),
    whole("sqrt(b[i]) * a[i]", lambda a, b: np.sqrt(b) * a),
    whole("a[i] + 0.5*b[i]", lambda a, b: a + 0.5 * b),
    whole("a[i] == b[i]", np.equal),
    whole("a[i] if a[i] > b[i] else b[i]", np.maximum),
    whole("2000000000 * a[i] * b[i]", lambda a, b: 2000000000 * a * b),
    Case("int meets float", "input n[N] : int\ninput a[N]\ny[i] = n[i]*a[i]", dict(n=ints((6,), -9, 9), a=(6,)), np.multiply),
    Case("bool meets float", "input m[N] : bool\ninput a[N]\ny[i] = m[i]*a[i]", dict(m=bools((9,)), a=(9,)), np.multiply),
    Case("not of a bool", "input m[N] : bool\ny[i] = not m[i]", dict(m=bools((9,))), np.logical_not),
    Case("and of bools", "input m[N] : bool\ninput n[N] : bool\ny[i] = m[i] and n[i]", dict(m=bools((9,)), n=bools((9,))), np.logical_and),
    Case("bool passes through", "input m[N] : bool\ny[i] = m[N-1-i]", dict(m=bools((9,))), lambda m: m[::-1]),
    Case("u8 to grey", "input p[H,W,3] : u8\ng[x,y] = mean[c] p[x,y,c]", dict(p=u8((4, 5, 3))), lambda p: p.mean(2)),
    Case("u8 scaled", "input p[N] : u8\ny[i] = p[i]/255 - 0.5", dict(p=u8((20,))), lambda p: p / 255 - 0.5),
    Case("u8 does not wrap", "input p[N] : u8\ny[i] = p[i] + p[i] - 300", dict(p=u8((20,))), lambda p: p + p - 300),
    Case("u8 summed", "input p[N] : u8\ns = sum p[i]", dict(p=u8((200,))), lambda p: p.sum()),
    Case("u8 as subscript", "input p[N] : u8\ninput T[256]\ny[i] = T[p[i]]", dict(p=u8((20,)), T=(256,)), lambda p, T: T[p]),
    Case("f32 in a program of any float type", "input a[N] : f32\ny[i] = 2*a[i] + 1", dict(a=f32((9,))), lambda a: 2 * a + 1),
    Case("a declared int result", "input a[N] : int\ntensor y[N] : int\ny[i] = a[i]*a[i]", dict(a=ints((5,), -9, 9)), np.square),
)
