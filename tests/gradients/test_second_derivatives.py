# pyright: reportArgumentType=false
"""Gradients of gradients: the adjoint of an adjoint program = central differences of it, by the oracle; Hessians."""

import numpy as np
import pytest
from gradients.numeric import Arrays, derivatives, floats, typed

import indexlang as il
from indexlang.passes.grad import pullback

I3, I5 = np.array([2, 0, 2]), np.array([1, 1, 0, 3, 1])
FAR = np.array([-2.0, -0.7, 0.4, 1.3, 2.5])  # from the kinks at 0


def normal(*extents: int) -> np.ndarray:
    return np.random.default_rng(extents).standard_normal(extents)


def positive(*extents: int) -> np.ndarray:
    return np.abs(normal(*extents)) + 0.5


# what it is about, the equations, their inputs
EQUATIONS: tuple[tuple[str, str, Arrays], ...] = (
    ("a convolution", "Y[x] = (sum[dx] W[dx]*X[x+dx])^3", {"X": normal(7), "W": normal(3)}),
    ("of stride 2", "Y[x,y] = tanh(sum W[dx,dy]*X[2*x+dx,2*y+dy])", {"X": normal(5, 7), "W": normal(3, 2)}),
    ("dilated by 2", "Y[x] = tanh(sum[dx] W[dx]*X[x+2*dx])", {"X": normal(9), "W": normal(3)}),
    ("padded", "Y[x:6] = tanh(sum[dx:3] W[dx]*X[x+dx-1 else 0])", {"X": normal(6), "W": normal(3)}),
    ("padded, of stride 2", "Y[x:4] = sin(sum[dx:3] W[dx]*X[2*x+dx-1 else 0.5])", {"X": normal(7), "W": normal(3)}),
    ("a layer", "Y[b,x,j] = gelu(sum W[dx,i,j]*X[b,2*x+dx,i] - B[j])",
     {"X": normal(2, 6, 2), "W": normal(3, 2, 2), "B": normal(2)}),
    ("max pooling", "Y[x] = (max[dx:3] X[2*x+dx])^3", {"X": normal(9)}),
    ("max pooling of a function", "Y[x] = max[dx:2] sin(X[2*x+dx])*V[dx]", {"X": normal(8), "V": normal(2)}),
    ("a minimum over all", "Y[b] = exp(min[i] X[b,i]*X[b,i])", {"X": normal(3, 4)}),
    ("softmax", "Y[b,k] = exp(X[b,k])/sum[m] exp(X[b,m])", {"X": normal(3, 4)}),
    ("logsumexp", "Y[b] = logsumexp[k] X[b,k]", {"X": normal(3, 4)}),
    ("logsumexp of a product", "Y[b] = logsumexp[k] (X[b,k]*W[k])", {"X": normal(3, 4), "W": normal(4)}),
    ("cross entropy", "l = mean[b] (logsumexp[k] X[b,k] - X[b,n[b]])", {"X": normal(3, 4), "n": I3}),
    ("sigmoid, tanh", "Y[i] = sigmoid(tanh(X[i])*X[i])", {"X": normal(5)}),
    ("gelu, softplus, silu", "Y[i] = gelu(softplus(silu(X[i])))", {"X": normal(5)}),
    ("exp, log, sqrt", "Y[i] = exp(-sqrt(X[i]))*log(X[i])", {"X": positive(5)}),
    ("log1p, expm1, rsqrt", "Y[i] = log1p(X[i])*expm1(0.3*X[i])*rsqrt(X[i])", {"X": positive(5)}),
    ("sin, cos, erf", "Y[i] = sin(X[i])*cos(erf(X[i]))", {"X": normal(5)}),
    ("batch norm", "m[j] = mean[b] X[b,j]\nv[j] = mean[b] (X[b,j] - m[j])^2\n"
     "Y[b,j] = γ[j]*(X[b,j] - m[j])/sqrt(v[j] + 0.001) + β[j]\noutput Y",
     {"X": normal(4, 2), "γ": normal(2), "β": normal(2)}),
    ("a product", "Y[b] = prod[i] X[b,i]", {"X": normal(2, 4)}),
    ("a product with a zero", "Y[b] = prod[i] X[b,i]", {"X": normal(2, 4)*[[1, 0, 1, 1], [1, 1, 1, 1]]}),
    ("a product with two zeros", "Y = prod[i] (X[i]*V[i])", {"X": normal(4)*[1, 0, 1, 0], "V": normal(4)}),
    ("groups", "F[(x,y)] = X[x,y]^2\nY[y,x:2] = sin(F[(x,y)])", {"X": normal(2, 3)}),
    ("a gather", "Y[b,j] = X[k[b],j]^2*X[b,j]", {"X": normal(5, 2), "k": I5}),
    ("a gather from a gather", "Y[b] = tanh(X[k[k[b]]])*X[k[b]]", {"X": normal(5), "k": I5}),
    ("a scatter", "tensor H[4]\nH[k[b]] += X[b]^2\nY[i] = H[i]^2\noutput Y", {"X": normal(5), "k": I5}),
    ("edge", "Y[x:9] = X[x-2 else edge]^2*X[x-1 else edge]", {"X": normal(6)}),
    ("wrap", "Y[x:9] = X[x-2 else wrap]^2*X[x+1 else wrap]", {"X": normal(6)}),
    ("mirror", "Y[x:9] = X[x-2 else mirror]^2*X[x-1 else mirror]", {"X": normal(6)}),
    ("reflect", "Y[x:9] = X[x-2 else reflect]^2*X[x-1 else reflect]", {"X": normal(6)}),
    ("a border of its own", "Y[x:8] = tanh(X[x-2 else Z[x]^2]*X[x-1 else 1])", {"X": normal(6), "Z": normal(8)}),
    ("floor subscripts", "Y[x:8] = X[x//2]^2*V[x%3]", {"X": normal(4), "V": normal(3)}),
    ("concatenation", "L[b,J1+J2] = P[b,J1]^2 ; Q[b,J2]*P[b,0]\nY[b] = prod[j] L[b,j]",
     {"P": normal(2, 2), "Q": normal(2, 3)}),
    ("a power", "Y[i] = X[i]^V[i] + X[i]^2.5", {"X": positive(5), "V": normal(5)}),
    ("whole powers", "Y[i] = X[i]^3 - X[i]^-2", {"X": FAR}),
    ("a division", "Y[i] = X[i]/(1 + V[i]^2)/(2 + sum[j] X[j]*V[j])", {"X": FAR[:2], "V": normal(2)}),
    ("a remainder", "Y[i] = (X[i]^2 % V[i])^2", {"X": normal(5), "V": positive(5)}),
    ("abs", "Y[i] = abs(X[i])^3", {"X": FAR}),
    ("relu", "Y[i] = relu(X[i])^2*V[i]", {"X": FAR, "V": normal(5)}),
    ("max, min of two", "Y[i] = max(X[i]^2, V[i])*min(X[i], V[i]^2)", {"X": FAR, "V": normal(5)}),
    ("a condition", "Y[i] = X[i]^3 if V[i] > 0 else sin(X[i])*V[i]", {"X": FAR, "V": normal(5)}),
    ("a diagonal", "Y[i] = X[i,i]^2*X[0,i]", {"X": normal(3, 3)}),
    ("reversed", "Y[i:5] = X[4-i]^2*X[i]", {"X": normal(5)}),
    ("two layers that share", "H[b,i] = tanh(sum[j] W[i,j]*X[b,j])\nY[b,i] = tanh(sum[j] W[i,j]*H[b,j])\noutput Y",
     {"X": normal(2, 3), "W": normal(3, 3)}),
    ("functions of functions", "Y[i] = log(sum[j] exp(X[i,j]*tanh(sum[k] X[k,j]^2)))", {"X": normal(3, 2)}),
)  # fmt: skip


def first(text: str, inputs: Arrays):
    """The adjoint program with its adjoints alone as outputs, and what a run of it is given."""
    program, given = typed(text, inputs)
    of, wrt = floats(program)
    made = pullback(program, of, wrt)
    rng = np.random.default_rng(5)
    seeds = {made.seeds[n]: rng.standard_normal([int(str(e)) for e in program.tensor(n).extents]) for n in of}
    return made.program.replace(outputs=tuple(made.names.values())), {**given, **seeds}


@pytest.mark.parametrize(("text", "inputs"), [r[1:] for r in EQUATIONS], ids=[r[0] for r in EQUATIONS])
def test_equals_differences_of_the_first(text: str, inputs: Arrays):
    program, given = first(declared(inputs) + text, inputs)
    found = derivatives(program, given)
    assert any(abs(d.numeric) > 1e-3 for d in found if d.tensor in inputs)
    assert not [d for d in found if not d.is_right]


def declared(inputs: Arrays) -> str:
    kinds = {"i": " : int", "f": ""}
    lines = (f"input {n}[{', '.join(map(str, a.shape))}]{kinds[a.dtype.kind]}\n" for n, a in inputs.items())
    return "".join(lines)


# `H[i,j] = d(d(loss)/d(x[i]))/d(x[j])` of a loss, and the Hessian by hand, at FAR
HESSIANS = (
    ("of a square", "sum x[i]^2", 2 * np.eye(5)),
    ("through stop", "sum x[i]^3*stop(x[i])", np.diag(6 * FAR * FAR)),
    ("of logsumexp", "logsumexp[i] x[i]", (lambda p: np.diag(p) - np.outer(p, p))(np.exp(FAR) / np.exp(FAR).sum())),
    ("of the largest", "(max[i] x[i])^3", np.diag([0, 0, 0, 0, 15])),
    ("of neighbours", "sum[i:4] x[i]*x[i+1]", np.eye(5, k=1) + np.eye(5, k=-1)),
    ("of relu", "sum relu(x[i])^3", np.diag(6 * np.maximum(FAR, 0))),
    ("of a product", "prod[i] x[i]", np.prod(FAR) / np.outer(FAR, FAR) * (1 - np.eye(5))),
    ("of a norm", "sqrt(sum x[i]^2)", (lambda n: (np.eye(5) - np.outer(FAR, FAR) / n**2) / n)(np.sqrt(FAR @ FAR))),
)  # fmt: skip


@pytest.mark.parametrize(("loss", "wanted"), [r[1:] for r in HESSIANS], ids=[r[0] for r in HESSIANS])
def test_hessian(loss: str, wanted: np.ndarray):
    text = f"input x[5]\nloss = {loss}\nH[i,j] = d(d(loss)/d(x[i]))/d(x[j])\noutput H"
    program = il.compile(text, dtype="f64")
    np.testing.assert_allclose(program(FAR), wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(program.interpret(FAR), wanted, rtol=1e-12, atol=1e-12)


LOGISTIC = """
input X[N, 4]
input t[N]
param w[4]
s[n] = sum w[i]*X[n,i]
loss = 1/N * sum[n] (softplus(s[n]) - t[n]*s[n])
H[i,j] = d(d(loss)/d(w[i]))/d(w[j])
output H
"""
ENTROPY = LOGISTIC.replace("softplus(s[n]) - t[n]*s[n]", "-t[n]*log(sigmoid(s[n])) - (1 - t[n])*log(1 - sigmoid(s[n]))")


@pytest.mark.parametrize("text", [LOGISTIC, ENTROPY], ids=["softplus", "cross entropy"])
def test_the_hessian_of_a_logistic_loss(text: str):
    x, t, w = normal(20, 4), np.arange(20) % 2.0, normal(4)
    net = il.compile(text, dtype="f64")
    net.params["w"] = w
    p = 1 / (1 + np.exp(-x @ w))
    np.testing.assert_allclose(net(x, t), x.T @ np.diag(p * (1 - p)) @ x / 20, rtol=1e-10, atol=1e-10)


def test_a_product_of_a_hessian_and_a_vector():
    """`d(sum dw·v)/d(w)`: no matrix is made."""
    text = LOGISTIC[: LOGISTIC.index("H[i,j]")] + "input v[4]\ng = sum v[i]*d(loss)/d(w[i])\nHv = d(g)/d(w)\noutput Hv"
    x, t, w, v = normal(20, 4), np.arange(20) % 2.0, normal(4), np.arange(4.0)
    net = il.compile(text, dtype="f64")
    net.params["w"] = w
    p = 1 / (1 + np.exp(-x @ w))
    np.testing.assert_allclose(net(x, t, v), x.T @ (p * (1 - p) * (x @ v)) / 20, rtol=1e-10, atol=1e-10)
