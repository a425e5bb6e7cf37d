# pyright: reportArgumentType=false
"""Gradients at points where one might go wrong: kinks, ties, zeros, branches not taken, nothing at all, one of each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from gradients.numeric import derivatives, typed

import indexlang as il

A = np.array
N = np.nan
X = A([-4.0, 0, 4])

# what it is about, a loss of x (or an `L`), the inputs, the gradient by x
POINTS: tuple[tuple[str, str, Mapping[str, Any], Any], ...] = (
    ("a root not taken", "sum (sqrt(x[i]) if x[i] > 0 else 0)", {"x": X}, [0, 0, 0.25]),
    ("a logarithm not taken", "sum (log(x[i]) if x[i] > 0 else 0)", {"x": X}, [0, 0, 0.25]),
    ("a division not taken", "sum (1/x[i] if x[i] != 0 else 0)", {"x": X}, [-1 / 16, 0, -1 / 16]),
    ("a power not taken", "sum (x[i]^0.5 if x[i] > 0 else x[i])", {"x": X}, [1, 1, 0.25]),
    ("a root by a choice between two", "sum (0 if x[i] <= 0 else sqrt(x[i]))", {"x": X}, [0, 0, 0.25]),
    ("NaN not taken", "sum (x[i]*y[i] if y[i] == y[i] else 0)", {"x": X, "y": A([2, N, N])}, [2, 0, 0]),
    ("a factor of a sum that is empty", "sum[i] sum[j] (y[j]/x[i] if y[j] > i + 2 else 0)",
     {"x": A([1.0, 0]), "y": A([3.0, 1])}, [-3, 0]),
    ("NaN before a sum that is empty", "sum[i] sum[j] (x[j]*y[i] if i + j < 1 else 0)", {"x": A([1.0, 2]), "y": A([3, N])}, [3, 0]),
    ("a subscript not taken", "sum[i:3] (x[k[i]]^2 if k[i] < 3 else 0)", {"x": X, "k": A([2, 9, 2])}, [0, 0, 16]),
    ("a subscript of a subscript not taken", "sum[i:4] (x[k[i-1]]^2 if i > 0 else 0)", {"x": X, "k": A([2, 1, 0])}, [-8, 0, 8]),
    ("floor", "sum floor(x[i])*x[i]", {"x": A([1.5, -0.5])}, [1, -1]),
    ("ceil, round", "sum (ceil(x[i]) + round(x[i]) + x[i])", {"x": A([1.5, -0.5])}, [1, 1]),
    ("sign", "sum sign(x[i])*x[i]", {"x": X}, [-1, 0, 1]),
    ("a comparison", "sum x[i]*(1 if x[i] > 0 else 3)", {"x": X}, [3, 3, 1]),
    ("the largest of equals", "max[i] x[i]", {"x": A([1.0, 3, 3, 3])}, [0, 1, 0, 0]),
    ("the smallest of equals", "min[i] x[i]", {"x": A([1.0, 3, 1, 1])}, [1, 0, 0, 0]),
    ("the first of equals in two axes", "max[i,j] x[i,j]", {"x": A([[0.0, 2], [2, 2]])}, [[0, 1], [0, 0]]),
    ("the first of equals in another order", "max[j,i] x[i,j]", {"x": A([[0.0, 2], [2, 2]])}, [[0, 0], [1, 0]]),
    ("all equal in overlapping windows", "sum[x1:3] max[dx:3] x[x1+dx]", {"x": np.ones(5)}, [1, 1, 1, 0, 0]),
    ("the largest of two equals", "sum max(x[i], y[i])", {"x": X, "y": X}, [1, 1, 1]),
    ("the second of two equals", "sum max(y[i], x[i])", {"x": X, "y": X}, [0, 0, 0]),
    ("relu at 0", "sum relu(x[i])", {"x": X}, [0, 0, 1]),
    ("relu of minus at 0", "sum relu(-x[i])", {"x": X}, [-1, 0, 0]),
    ("abs at 0", "sum abs(x[i])", {"x": X}, [-1, 0, 1]),
    ("a product with one zero", "prod x[i]", {"x": A([2.0, 0, 3])}, [0, 6, 0]),
    ("a product with two zeros", "prod x[i]", {"x": A([0.0, 0, 3])}, [0, 0, 0]),
    ("a square at 0", "sum x[i]^2", {"x": X}, 2 * X),
    ("a cube at 0", "sum x[i]^3", {"x": X}, 3 * X * X),
    ("logsumexp of large numbers", "logsumexp[i] x[i]", {"x": A([1000.0, 1000])}, [0.5, 0.5]),
    ("softplus, sigmoid far away", "sum softplus(x[i])*sigmoid(1000*y[i])", {"x": A([-1e4, 1e4]), "y": A([1.0, 1])}, [0, 1]),
    ("no elements", "sum x[i]^2*y[j]", {"x": np.zeros(0), "y": X}, np.zeros(0)),
    ("a sum over nothing", "sum[i,j] x[i]*y[j]", {"x": X, "y": np.zeros(0)}, [0, 0, 0]),
    ("a product over nothing", "x[0]*prod[j] y[j]", {"x": X, "y": np.zeros(0)}, [1, 0, 0]),
    ("a product over no elements of it", "prod[i:0] x[i]", {"x": X}, [0, 0, 0]),
    ("a largest over no elements of it", "sum[b] max(max[i:0] x[i], y[b])", {"x": X, "y": X}, [0, 0, 0]),
    ("one of each", "sum[x1:1,j:1] y[0,j]*x[0,x1]*max[k] x[k,0]", {"x": A([[3.0]]), "y": A([[2.0]])}, [[12]]),
    ("one window", "sum[x1] max[dx:1] x[x1+dx]^2", {"x": A([3.0])}, [6]),
    ("a border of one element", "sum[i:3] (i + 1)*x[i-1 else reflect]", {"x": A([2.0])}, [6]),
    ("repeated subscripts", "sum x[k[i]]^2*y[i]", {"x": X, "k": A([2, 2, 0, 2]), "y": A([1.0, 2, 3, 4])}, [-24, 0, 56]),
    ("two kinds of quotients", "sum[i:17] (i + 1)*x[i//4, i//2]", {"x": np.ones((5, 9))},
     np.add.reduceat(np.eye(5)[np.arange(17) // 4].T[:, :] * np.arange(1, 18), np.arange(0, 17, 2), axis=1)),
)  # fmt: skip


@pytest.mark.parametrize(("loss", "inputs", "wanted"), [r[1:] for r in POINTS], ids=[r[0] for r in POINTS])
def test_gradient_by_x(loss: str, inputs: Mapping[str, Any], wanted: Any):
    kinds = {"i": " : int", "f": ""}
    declared = "".join(f"input {n}[{', '.join(map(str, a.shape))}]{kinds[a.dtype.kind]}\n" for n, a in inputs.items())
    g = il.compile(f"{declared}L = {loss}\noutput L", dtype="f64").grad("L", "x")
    np.testing.assert_allclose(g(**inputs).dx, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(g.interpret(**inputs)["dx"], wanted, rtol=1e-12, atol=1e-12)


def test_a_number_made_an_int_has_no_gradient():
    text = "input x[3]\ntensor k[3] : int\nk[i] = floor(x[i])\nL = sum k[i]*x[i]\noutput L"
    x = A([1.5, 2.5, -0.5])
    np.testing.assert_array_equal(il.compile(text, dtype="f64").grad("L", "x")(x).dx, np.floor(x))


def test_parameters_that_two_layers_share():
    text = (
        "input X[B, 3]\nparam W[3, 3]\nH[b,j] = sum W[i,j]*X[b,i]\nY[b,j] = sum W[i,j]*H[b,i]\nL = sum Y[b,j]\noutput L"
    )
    net = il.compile(text, dtype="f64")
    x, w, one = np.arange(6.0).reshape(2, 3), net.params["W"], np.ones((2, 3))
    wanted = x.T @ (one @ w.T) + (x @ w).T @ one
    np.testing.assert_allclose(net.grad("L", "W")(x).dW, wanted, rtol=1e-12)


def test_random_numbers_are_the_same_forwards_and_backwards():
    text = "input x[50]\nR[50] ~ normal(0, 1)\nM[50] ~ bernoulli(0.5)\nY[i] = R[i]*M[i]*x[i]\nL = sum Y[i]\noutput L, Y"
    g = il.compile(text, dtype="f64").grad("L", "x")
    found = g(np.ones(50), want=["Y", "dx"])
    np.testing.assert_array_equal(found["dx"], found["Y"])
    assert 0 < np.count_nonzero(found["dx"]) < 50


def test_a_state_is_what_it_was_when_the_run_began():
    text = "input x[3]\nstate m[3] = 2\nm[i] <- m[i]*x[i]\nL = sum m[i]*x[i]^2\noutput L"
    net = il.compile(text, dtype="f64", training=True)
    g = net.grad("L", "x")
    np.testing.assert_allclose(g(X).dx, 4 * X)  # 2*m*x, and nothing through the next value
    np.testing.assert_allclose(g.state["m"], 2 * X)


# what went wrong once, the equation, its inputs
ONCE = (
    ("two quotients of one index", "Y[i:17] = x[i//4,i//2]*y[i]", {"x": (5, 9), "y": (17,)}),
    ("a border beside a bare access", "Y[j:17] = (x[j-1 else -1.5] - w[j//3])*y[j]", {"x": (14,), "w": (6,), "y": (17,)}),
    ("data beside an offset", "Y[i:3] = y[i] + w[k[i],i+1,i+1]", {"y": (3,), "w": (5, 4, 4), "k": (3,)}),
    ("a group named like an axis", "Y[i,dy,k1] = y[dy,k1,i] + x[(i,k1),i,(k1,dy)]", {"y": (3, 2, 2), "x": (4, 2, 6)}),
    ("data beside a remainder", "Y[j,i] = y[i]*w[k[j],j%4]", {"y": (2,), "w": (4, 4), "k": (9,)}),
    ("a group of single elements", "Y[(j:2,i)] = x[i] + 0.5", {"x": (1,)}),
    ("a condition on an index behind one on data", "Y[i:2] = relu(x[i] if i < 0 else y[-i-1 else 0])*w[i]", {"x": (2,), "y": (1,), "w": (2,)}),
    ("an empty product", "Y[b] = y[b]*prod[i:0] x[i]", {"x": (1,), "y": (2,)}),
)  # fmt: skip


@pytest.mark.parametrize(("text", "extents"), [r[1:] for r in ONCE], ids=[r[0] for r in ONCE])
def test_equals_differences(text: str, extents: Mapping[str, tuple[int, ...]]):
    rng = np.random.default_rng(0)
    inputs = {n: rng.integers(0, 4, e) if n == "k" else rng.standard_normal(e) for n, e in extents.items()}
    declared = "".join(f"input {n}[{','.join(map(str, e))}]{' : int' * (n == 'k')}\n" for n, e in extents.items())
    assert not [d for d in derivatives(*typed(declared + text, inputs)) if not d.is_right]
    net = il.compile(declared + text, dtype="f64")
    g = net.grad("Y", [n for n in extents if n != "k"], seeds=True)
    signal = rng.standard_normal(np.shape(net(**inputs)))
    found, wanted = g(**inputs, dY=signal), g.interpret(**inputs, dY=signal)
    for name in g.gradients.values():
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-12, atol=1e-12)
