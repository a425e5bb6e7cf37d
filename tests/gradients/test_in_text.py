"""`d(loss)/d(W)` in a text: what it is, where it may stand, what is printed, and what is said of mistakes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import indexlang as il

X = np.array([1.0, -2.0, 3.0])
M = np.arange(6.0).reshape(2, 3)

# what it is about, the text, its inputs, the value of its first output
VALUES: tuple[tuple[str, str, Mapping[str, Any], Any], ...] = (
    ("an element", "loss = sum x[i]^2\nG[i] = d(loss)/d(x[i])", {"x": X}, 2 * X),
    ("the whole tensor", "loss = sum x[i]^2\nG = d(loss)/d(x)", {"x": X}, 2 * X),
    ("with factors", "loss = sum x[i]^2\nG[i] = 0.5*d(loss)/d(x[i])*x[i] - 1", {"x": X}, X**2 - 1),
    ("its power", "loss = sum x[i]^2\nG[i] = d(loss)/d(x[i])^2", {"x": X}, 4 * X**2),
    ("minus it", "loss = sum x[i]^2\nG[i] = -d(loss)/d(x[i])", {"x": X}, -2 * X),
    ("one element", "loss = sum x[i]^3\ng = d(loss)/d(x[1])", {"x": X}, 12.0),
    ("another order of axes", "loss = sum x[i,j]^2\nG[j,i] = d(loss)/d(x[i,j])", {"x": M}, 2 * M.T),
    ("a vector of it", "loss = sum x[i,j]^2\nG[i,J] = 3*d(loss)/d(x[i,J])", {"x": M}, 6 * M),
    ("inside a function", "loss = sum x[i]^2\nG = relu(d(loss)/d(x))", {"x": X}, np.maximum(2 * X, 0)),
    ("inside a sum", "loss = sum x[i]^2\ng = sum (d(loss)/d(x[i]))^2", {"x": X}, 4 * np.sum(X**2)),
    ("of an intermediate", "Y[i] = x[i]^2\nloss = sum Y[i]^2\nG = d(loss)/d(Y)", {"x": X}, 2 * X**2),
    ("of an expression", "G[i] = d(2*sum x[j]^2 + x[0])/d(x[i])", {"x": X}, 4 * X + [1, 0, 0]),
    ("two losses", "a = sum x[i]^2\nc = sum x[i]^3\nG[i] = d(a)/d(x[i]) + d(c)/d(x[i])", {"x": X}, 2 * X + 3 * X**2),
    ("a Jacobian", "J[i,j] = d(x[i]^2*x[0])/d(x[j])", {"x": X}, np.diag(2 * X) + np.outer(X**2, [1, 0, 0])),
    ("a Jacobian of a matrix", "Y[i] = sum[j] x[i,j]^2\nJ[i,k,j] = d(Y[i])/d(x[k,j])", {"x": M},
     2 * np.einsum("ik,kj->ikj", np.eye(2), M)),
    ("a Jacobian that is zero", "Y[i] = x[i]^2 + 0*y[i]\nZ[i] = y[i]\nJ[i,j] = d(Y[i])/d(Z[j])", {"x": X, "y": X}, np.zeros((3, 3))),
    ("a Hessian", "loss = sum x[i]^2*x[j]\nH[i,j] = d(d(loss)/d(x[i]))/d(x[j])", {"x": X},
     2 * np.eye(3) * X.sum() + 2 * (X[:, None] + X[None, :])),
    ("a trace of a Hessian", "loss = sum x[i]^4\ng = sum d(d(loss)/d(x[i]))/d(x[i])", {"x": X}, 12 * np.sum(X**2)),
    ("a third derivative", "loss = x^4\ng = d(d(d(loss)/d(x))/d(x))/d(x)", {"x": np.float64(2)}, 48.0),
    ("a penalty on a gradient", "l = sum x[i]^3\np = sum (d(l)/d(x[i]))^2\nG[i] = d(p)/d(x[i])", {"x": X}, 36 * X**3),
    ("nothing that it depends on", "loss = sum x[i]^2\nG[i] = d(loss)/d(y[i]) + 0*y[i]", {"x": X, "y": X}, 0 * X),
    ("stop", "loss = sum stop(x[i])*x[i]\nG = d(loss)/d(x)", {"x": X}, X),
    ("in a loop", "loss = sum x_1[i]*x_2[i]\nfor l in 1..2:\n    G_{l} = d(loss)/d(x_{l})\noutput G_2", {"x_1": X, "x_2": 2 * X}, X),
    ("a function that differentiates", "def Slope(x[I]):\n    E = sum x[i]^3\n    return d(E)/d(x)\ng = Slope(x)",
     {"x": X}, 3 * X**2),
    ("in a function, of a loss given", "def Norm(E, W[I...]) = sum[i] (d(E)/d(W[i]))^2\nloss = sum x[i,j]^2\ng = Norm(loss, x)",
     {"x": M}, 4 * np.sum(M**2)),
    ("names called d", "d = 2\nd1[i] = d*x[i]\nloss = sum d1[i]^2/d\nG[i] = d(loss)/d(x[i])/d", {"x": X}, 2 * X),
    ("a function called d", "def d(a) = 2*a\nG[i] = d(x[i])*d(x[i])/(d(x[i]))", {"x": X}, 2 * X),
)  # fmt: skip


def computed(text: str, inputs: Mapping[str, Any]) -> Any:
    declared = "".join(f"input {n}[{', '.join(map(str, a.shape))}]\n".replace("[]", "") for n, a in inputs.items())
    program = il.compile(declared + text, dtype="f64")
    again = il.compile(str(program), dtype="f64")
    assert str(again) == str(program)
    assert "d(" not in str(program).replace("stop(", "")
    name = list(program.outputs)[-1]
    found = program(**inputs, want=[name])
    assert again(**inputs, want=[name]).tobytes() == found.tobytes()
    return found


@pytest.mark.parametrize(("text", "inputs", "wanted"), [r[1:] for r in VALUES], ids=[r[0] for r in VALUES])
def test_value(text: str, inputs: Mapping[str, Any], wanted: Any):
    np.testing.assert_allclose(computed(text, inputs), wanted, rtol=1e-12, atol=1e-12)


# what is wrong, the text, the code, what carets mark
MISTAKES = (
    ("an int", "input k[3] : int\nloss = sum k[i]*x[i]\nG = d(loss)/d(k)", "E0501", "k"),
    ("of an int", "input k[3] : int\nloss = sum k[i]\nG = d(loss)/d(x)", "E0501", "loss"),
    ("a tensor", "Y[i] = x[i]^2\nG = d(Y)/d(x)", "E0502", "Y"),
    ("a tensor made there", "G = d(relu(x))/d(x)", "E0502", "relu(x)"),
    ("an unknown loss", "loss = sum x[i]\nG = d(lost)/d(x)", "E0503", "lost"),
    ("an unknown tensor", "loss = sum x[i]\nG[i] = d(loss)/d(X[i])", "E0503", "X[i]"),
    ("a constant", "s = 2\nloss = s*sum x[i]\nG = d(loss)/d(s)", "E0503", "s"),
    ("another number of axes", "loss = sum x[i]\nG[i] = d(loss)/d(x[i,i])", "E0301", "x[i,i]"),
    ("not a tensor", "loss = sum x[i]\nG = d(loss)/d(2*x)", "E0101", "2*x"),
    ("no indices", "J[i] = d(x[i]^2)/d(x)", "E0504", "x"),
    ("a function called d", "def d(a) = 2*a\nG[i] = d(x[i])/d(x[i])", "E0504", "d(x[i])/d(x[i])"),
    ("a function over an axis", "def S(x[I]):\n    E = sum x[i]^3\n    return d(E)/d(x)\ninput Z[2, 3]\ng[b,I] = S(Z[b,I])",
     "E0504", "d(E)/d(x)"),
    ("through itself", "loss = sum Y[i]\nY[i] = x[i]*d(loss)/d(x[i])", "E0203", "loss"),
    ("zero", "input y[3]\nloss = sum x[i]^2\nG[i] = d(loss)/d(y[i])", "W0501", "d(loss)/d(y[i])"),
    ("behind stop", "loss = sum stop(x[i])\nG = d(loss)/d(x)", "W0501", "d(loss)/d(x)"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "code", "marked"), [r[1:] for r in MISTAKES], ids=[r[0] for r in MISTAKES])
def test_mistake(text: str, code: str, marked: str):
    found = il.check("input x[3]\n" + text)
    assert [(d.code, d.span.text) for d in found] == [(code, marked)]


def test_a_loss_with_a_mistake_is_told_once():
    found = il.check("input x[3]\nloss = sum y[i]\nG = d(loss)/d(x)\nH[i] = d(loss)/d(x[i])")
    assert [d.code for d in found] == ["E0201"]


REGRESSION = """
input X[B, 4]
input T[B, 2]
param W[4, 2]
param b[2] = 0
η = 0.5
Y[n,j] = sum W[i,j]*X[n,i] + b[j]
loss = 1/N * sum[n,j] (Y[n,j] - T[n,j])^2
{step}
output loss
"""
STEPS = ("W[i,j] <- W[i,j] - η*d(loss)/d(W[i,j])\nb[j] <- b[j] - η*d(loss)/d(b[j])",
         "W <- W - η*d(loss)/d(W)\nb <- b - η*d(loss)/d(b)",
         "def SGD(E, P[I,J], rate η) = P - η*d(E)/d(P)\nW <- SGD(loss, W, rate 0.5)\nb <- b - η*d(loss)/d(b)",
         "if training:\n    W <- W - η*d(loss)/d(W)\n    b <- b - η*d(loss)/d(b)")  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_training_step_is_an_equation(step: str):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((32, 4)), rng.standard_normal((4, 2))
    net = il.compile(REGRESSION.format(step=step), dtype="f64", training=True)
    for _ in range(60):
        loss = net(x, x @ w + 3)
    assert loss < 1e-6
    np.testing.assert_allclose(net.params["W"], w, atol=1e-3)
    np.testing.assert_allclose(net.params["b"], 3, atol=1e-3)


def test_outside_of_training_no_step_is_taken():
    net = il.compile(REGRESSION.format(step=STEPS[0]), dtype="f64")
    before = net.params["W"].copy()
    net(np.ones((3, 4)), np.ones((3, 2)))
    np.testing.assert_array_equal(net.params["W"], before)


def test_a_printed_step_is_the_same_step():
    one = il.compile(REGRESSION.format(step=STEPS[0]), dtype="f64", training=True)
    two = il.compile(str(one), dtype="f64", training=True)
    assert str(two) == str(one)
    x, t = np.ones((3, 4)), np.ones((3, 2))
    for _ in range(3):
        assert one(x, t).tobytes() == two(x, t).tobytes()
    np.testing.assert_array_equal(one.params["W"], two.params["W"])


def test_members_of_packages():
    text = "input X[B, 3]\nH[B,2] = FC(X, Φ1)\nloss = sum H[b,j]^2\nG = d(loss)/d(Φ1.W)\nC[j] = d(loss)/d(Φ1.B[j])\noutput G, C"
    net = il.compile(text, dtype="f64")
    x = np.arange(6.0).reshape(2, 3)
    h = x @ net.params["Φ1.W"].T - net.params["Φ1.B"]
    found = net(x)
    np.testing.assert_allclose(found.G, 2 * h.T @ x)
    np.testing.assert_allclose(found.C, -2 * h.sum(0))


def test_a_mapped_program_differentiates_for_each_example():
    net = il.compile("input x[3]\nloss = sum x[i]^3\nG = d(loss)/d(x)", dtype="f64")
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(net(x), 3 * x**2)


def test_every_size_has_its_gradient():
    net = il.compile("input x[N]\nloss = mean x[i]^2\nG = d(loss)/d(x)", dtype="f64")
    for n in (1, 4, 7):
        np.testing.assert_allclose(net(np.ones(n)), 2 / n)


def test_random_tensors_are_those_of_the_loss():
    net = il.compile(
        "input x[4]\nN[4] ~ normal(0, 1)\nloss = sum x[i]*N[i]\nG = d(loss)/d(x)\noutput G, N", dtype="f64"
    )
    found = net(np.ones(4))
    np.testing.assert_array_equal(found.G, found.N)


def test_in_latex():
    formulas = (
        r"\text{input } x[3]",
        r"\ell = \sum_i x[i]^3",
        r"G[i] = 2 \frac{\partial \ell}{\partial x[i]} - 1",
        r"H[i,j] = \frac{\partial \frac{\partial \ell}{\partial x[i]}}{\partial x[j]}",
        r"\text{output } G, H",
    )
    net = il.compile("\n".join(f"$$ {f} $$" for f in formulas), dtype="f64")
    found = net(X)
    np.testing.assert_allclose(found.G, 6 * X**2 - 1)
    np.testing.assert_allclose(found.H, np.diag(6 * X))
    np.testing.assert_array_equal(il.compile(f"$${net.latex()}$$", dtype="f64")(X).H, found.H)


NETWORK = """
input X[B, 8, 8, 3]
input label[B] : int
L1 = relu(BatchNorm(Conv(X, Φ1, width 3, pad 1, features 6), N1))
L2 = Dropout(MaxPool(L1, width 2), drop 0.2)
s[B,10] = FC(L2, Φ2)
loss = CrossEntropy(s, label)
Φ1.W <- Φ1.W - 0.2*d(loss)/d(Φ1.W)
Φ2.W <- Φ2.W - 0.2*d(loss)/d(Φ2.W)
output loss
"""


def test_a_network_of_layers_trains_by_its_equations():
    net = il.compile(NETWORK, training=True)
    rng = np.random.default_rng(0)
    inputs = {"X": rng.standard_normal((32, 8, 8, 3)), "label": rng.integers(0, 10, 32)}
    assert net.check_gradient("loss", inputs, ["Φ1.W", "N1.gamma", "Φ2.W"]).ok
    losses = [float(net(**inputs)) for _ in range(25)]
    assert losses[0] > 2
    assert losses[-1] < 1
    assert not np.array_equal(net.state["N1.mean"], np.zeros(6))


def test_a_mistake_before_a_package_is_told_once():
    found = il.check(NETWORK.replace("drop 0.2", "rate 0.2"))
    assert [d.code for d in found] == ["E0212"]
