# pyright: reportArgumentType=false
"""`net.grad` and what goes with it: a gradient is a program that shares its parameters, and prints as what it is."""

from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.differences import GradientCheck

NET = """
input X[B, 4]
input T[B, 2]
param W[4, 2]
param b[2] = 0
Y[n,j] = relu(sum W[i,j]*X[n,i] + b[j])
loss = 1/N * sum[n,j] (Y[n,j] - T[n,j])^2
output loss, Y
"""


def data(n: int = 5) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return {"X": rng.standard_normal((n, 4)), "T": rng.standard_normal((n, 2))}


def test_a_gradient_is_a_program():
    net = il.compile(NET, dtype="f64")
    g = net.grad("loss", wrt=["W", "X"])
    assert list(g.inputs) == ["X", "T"]
    assert list(g.outputs) == ["loss", "dW", "dX"]
    assert g.gradients == {"W": "dW", "X": "dX"}
    assert (g.outputs["dW"].extents, g.outputs["dX"].extents) == ((4, 2), ("B", 4))
    found = g(**data())
    r = net(**data())
    signal = 2 / 5 * (r.Y - data()["T"]) * (r.Y > 0)
    np.testing.assert_allclose(found.dW, data()["X"].T @ signal)
    np.testing.assert_allclose(found.dX, signal @ net.params["W"].T)
    assert found.loss == r.loss


def test_with_respect_to_nothing_said():
    net = il.compile(NET)
    assert list(net.grad("loss").outputs) == ["loss", "dW", "db"]
    assert list(net.grad("loss", "b").outputs) == ["loss", "db"]
    assert list(il.compile("loss = sum x[i]^2*y[i]").grad().outputs) == ["loss", "dx", "dy"]


def test_parameters_states_and_random_numbers_are_shared():
    text = NET.replace("output", "Noise[4] ~ normal(0, 1)\nstate m[2] = 0\nm[j] <- m[j] + 1\noutput")
    net = il.compile(text.replace("loss = ", "loss = sum Noise[i]*W[i,j] + "), dtype="f64", training=True)
    g = net.grad("loss")
    assert g.params is net.params
    assert g.state is net.state
    first = g(**data())
    np.testing.assert_array_equal(net.state["m"], 1)
    net.params["W"] = np.zeros((4, 2))
    np.testing.assert_array_equal(g.params["W"], 0)
    second = g(**data())
    np.testing.assert_array_equal(net.state["m"], 2)
    assert net.runs == 2
    assert not np.array_equal(first.dW, second.dW)
    net.init(0)
    np.testing.assert_array_equal(g(**data()).dW, first.dW)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", [None, ["loss"]])
def test_what_is_printed_is_what_runs(dtype: str, name: Any):
    net = il.compile(NET, dtype=dtype)
    g = net.grad("loss") if name is None else net.grad(name, ["X", "W"], seeds=True)
    again = il.compile(str(g), dtype=dtype)
    assert str(again) == str(g)
    again.params.update(g.params)
    inputs = {n: a.astype(dtype.replace("f", "float")) for n, a in data().items()}
    inputs |= {n: np.float32(2) for n in g.inputs if n not in inputs}
    one, two = g(**inputs), again(**inputs)
    assert [a.tobytes() for a in one.values()] == [a.tobytes() for a in two.values()]


def test_a_gradient_follows_its_inputs_as_its_program_does():
    g = il.compile("loss = sum x[i]^3").grad()
    x = np.array([1, 2, 3])
    assert g(x.astype("f4")).dx.dtype == np.float32
    found = g(x / 3)
    assert found.dx.dtype == np.float64
    np.testing.assert_allclose(found.dx, x**2 / 3, rtol=1e-15)


def test_gradients_can_be_differentiated_again():
    g = il.compile("loss = sum x[i]^4").grad()
    h = il.compile(str(g) + "n = sum dx[i]^2\noutput n", dtype="f64").grad("n", "x")
    x = np.array([1.0, 2, -1])
    np.testing.assert_allclose(h(x)[h.gradients["x"]], 96 * x**5)


def test_seeds_are_the_adjoints_of_results():
    net = il.compile(NET, dtype="f64")
    g = net.grad("Y", ["W", "X"], seeds=True)
    assert list(g.inputs) == ["X", "T", "dY"]
    signal = np.random.default_rng(1).standard_normal((5, 2))
    found = g(**data(), dY=signal)
    np.testing.assert_allclose(found.dW, data()["X"].T @ (signal * (found.Y > 0)))
    both = net.grad(["Y", "loss"], "W", seeds=True)
    wanted = found.dW + net.grad("loss")(**data()).dW
    np.testing.assert_allclose(both(**data(), dY=signal, dloss=1.0).dW, wanted)


def test_value_and_grad():
    net = il.compile(NET, dtype="f64")
    f = net.value_and_grad("loss", ["W", "X"])
    value, gradients = f(**data())
    assert value == net(**data()).loss
    found = net.grad("loss", ["W", "X"])(**data())
    assert list(gradients) == ["W", "X"]
    np.testing.assert_array_equal(gradients["W"], found.dW)
    assert "loss" in repr(f)


def test_training_by_hand():
    net = il.compile(NET, dtype="f64").init(1)
    step = net.value_and_grad("loss")
    inputs = data(64)
    inputs["T"] = np.maximum(inputs["X"][:, :2] - inputs["X"][:, 2:], 0)
    losses = []
    for _ in range(200):
        loss, gradients = step(**inputs)
        losses.append(float(loss))
        for name, d in gradients.items():
            net.params[name] = net.params[name] - 0.1 * d
    assert losses[-1] < 0.1 * losses[0]


def test_each_example_has_its_gradient():
    g = il.compile("input x[3]\nparam W[3]\nloss = (sum W[i]*x[i])^2", dtype="f64").grad()
    g.params["W"] = np.ones(3)
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(g(x).dW, 2 * x.sum(1)[:, None] * x)


def test_a_gradient_that_is_zero_has_a_note():
    g = il.compile("input x[3]\nparam W[3]\nparam V[2]\nloss = sum W[i]*x[i]").grad()
    assert [d.code for d in g.notes] == ["W0501"]
    assert "`V`" in g.notes[0].message
    np.testing.assert_array_equal(g(np.ones(3)).dV, 0)


WRONG = (
    (lambda net: net.grad("Y"), "E0502"),
    (lambda net: net.grad("lost"), "E0503"),
    (lambda net: net.grad("loss", ["V"]), "E0503"),
    (lambda net: net.grad("loss", "k"), "E0501"),
    (lambda net: net.grad("c"), "E0501"),
    (lambda net: net.grad(), "E0504"),
    (lambda net: net.check_gradient("loss", {"X": np.ones(3), "k": np.ones(3, int)}, "Y"), "E0504"),
    (lambda net: net.check_gradient("loss", {"X": np.ones(3)}), "E0604"),
    (lambda net: net.value_and_grad("Y"), "E0502"),
)


@pytest.mark.parametrize(("ask", "code"), WRONG)
def test_what_cannot_be_differentiated(ask: Any, code: str):
    net = il.compile(
        "input X[3]\ninput k[3] : int\nY[i] = X[i]*k[i]\nloss = sum Y[i]\nother = sum Y[i]^2\nc = sum k[i]\noutput loss, other, c, Y"
    )
    with pytest.raises(il.IndexlangError) as caught:
        ask(net)
    assert [d.code for d in caught.value.diagnostics] == [code]


# -- the numerical check


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_right_gradients_pass(dtype: str):
    net = il.compile(NET, dtype=dtype)
    before = {n: a.copy() for n, a in net.params.items()}
    report = net.check_gradient("loss", data(), ["W", "b", "X"])
    assert report.ok
    assert [(t.name, len(t.elements), t.ok) for t in report.tensors] == [
        ("W", 8, True),
        ("b", 2, True),
        ("X", 20, True),
    ]
    assert "right" in str(report)
    assert all(np.array_equal(before[n], a) for n, a in net.params.items())


def test_declared_float_types_do_not_spoil_the_check():
    net = il.compile(str(il.compile(NET)))
    assert net.check_gradient("loss", data()).ok


def test_a_large_tensor_is_sampled():
    net = il.compile("input X[200, 10]\nloss = sum sin(X[i,j])")
    (t,) = net.check_gradient(inputs={"X": np.random.default_rng(0).standard_normal((200, 10))}).tensors
    assert t.ok
    assert len({e.index for e in t.elements}) == 64
    assert "64 of 2000" in str(GradientCheck("loss", (t,)))


def test_random_tensors_are_drawn_alike_at_each_evaluation():
    net = il.compile("input X[8]\nM[8] ~ bernoulli(0.5)\nN[8] ~ normal(0, 1)\nloss = sum (M[i]*X[i]^2 + N[i])")
    for _ in range(3):
        assert net.check_gradient(inputs={"X": np.arange(8.0)}).ok
    assert net.runs == 0


def test_kinks_are_told_and_not_counted_as_wrong():
    net = il.compile("loss = sum relu(x[i]) + max[i] y[i] + sum abs(x[i])")
    report = net.check_gradient(inputs={"x": np.array([0.0, 1, -1]), "y": np.array([1.0, 1, 0])})
    assert report.ok
    assert [t.kinks for t in report.tensors] == [1, 2]


def test_a_wrong_gradient_is_found():
    """`stop` makes the adjoint equations leave something out: differences see it."""
    net = il.compile("loss = sum stop(x[i])*x[i]*y[i]")
    report = net.check_gradient(inputs={"x": np.array([1.0, 2, 3]), "y": np.ones(3)})
    assert not report.ok
    assert [t.ok for t in report.tensors] == [False, True]
    worst = report.tensors[0].worst
    assert worst is not None
    assert worst.analytic == pytest.approx(worst.numeric / 2)
    assert "WRONG" in str(report)
