# pyright: reportArgumentType=false
"""Forward mode: tangents = central differences, by the oracle over the equation table; `net.tangent`, `net.jvp`."""

import numpy as np
import pytest
from cases import CASES
from gradients.numeric import EPS, floats, typed
from tables.case import Case

import indexlang as il
from indexlang.ir import interp
from indexlang.passes.tangent import tangent

_NO_SLOPE = (
    "NaN",
    "infinity",
    "at the ends",
    "at zero",
    "sign",
    "max over nothing",
    "min over nothing",
    "over zero",
    "causal mask",
)


def _is_smooth(case: Case) -> bool:
    inputs = case.draw().values()
    small = all(a.size <= 100 for a in inputs) and any(a.dtype.kind == "f" for a in inputs)
    return case.oracle and small and not any(word in case.name for word in _NO_SLOPE)


@pytest.mark.parametrize("case", [c for c in CASES if _is_smooth(c)][::4], ids=lambda c: c.name)
def test_equals_central_differences(case: Case):
    program, given = typed(case.text, case.draw())
    of, wrt = floats(program)
    if not of or not wrt:
        pytest.skip("no float result of a float")
    rng = np.random.default_rng(0)
    given = {n: np.asarray(a, float) if n in wrt else a for n, a in given.items()}
    v = {n: rng.standard_normal(given[n].shape) for n in wrt}
    made = tangent(program, of, wrt)
    found = interp.interpret(made.program, {**given, **{made.inputs[n]: a for n, a in v.items()}})
    up, down = (interp.interpret(program, {**given, **{n: given[n] + s * v[n] for n in wrt}}) for s in (EPS, -EPS))
    for n in of:
        difference = (up[n] - down[n]) / (2 * EPS)
        np.testing.assert_allclose(found[made.outputs[n]], difference, rtol=1e-3, atol=1e-5)


NET = "input X[B, 4]\nparam W[4, 2]\nY[n,j] = tanh(sum W[i,j]*X[n,i])\nloss = sum Y[n,j]^2\noutput Y, loss"


def test_jvp():
    net = il.compile(NET, dtype="f64")
    x, v = np.random.default_rng(0).standard_normal((2, 5, 4))
    results, tangents = net.jvp({"X": x}, {"X": v})
    w = net.params["W"]
    y_dot = (1 - results["Y"] ** 2) * (v @ w)
    np.testing.assert_array_equal(results["Y"], net(x).Y)
    np.testing.assert_allclose(tangents["Y"], y_dot)
    np.testing.assert_allclose(tangents["loss"], np.sum(2 * results["Y"] * y_dot))


def test_jvp_of_chosen_results_along_a_parameter():
    net = il.compile(NET, dtype="f64")
    x = np.random.default_rng(0).standard_normal((5, 4))
    v = np.ones((4, 2))
    results, tangents = net.jvp({"X": x}, {"W": v}, of="loss")
    assert list(results) == list(tangents) == ["loss"]
    dw = net.grad("loss", "W")(x).dW
    np.testing.assert_allclose(tangents["loss"], np.sum(dw * v))


def test_a_tangent_is_a_program():
    t = il.compile(NET).tangent("X")
    assert list(t.inputs) == ["X", "X_dot"]
    assert list(t.outputs) == ["Y", "loss", "Y_dot", "loss_dot"]
    assert (t.gradients, t.directions) == ({"Y": "Y_dot", "loss": "loss_dot"}, {"X": "X_dot"})
    assert str(il.compile(str(t))) == str(t)


def test_what_does_not_change_has_a_note():
    t = il.compile("input x[3]\ninput y[3]\nZ[i] = 2*x[i]\nQ[i] = y[i]").tangent("x")
    assert [d.code for d in t.notes] == ["W0501"]
    np.testing.assert_array_equal(t(np.ones(3), np.ones(3), np.ones(3)).Q_dot, 0)


@pytest.mark.parametrize(
    ("wrt", "of", "code"), [("k", None, "E0501"), ("V", None, "E0503"), ("X", "Q", "E0503"), ([], None, "E0504")]
)
def test_what_has_no_tangent(wrt: str, of: str | None, code: str):
    net = il.compile("input X[3]\ninput k[3] : int\nY[i] = X[i]*k[i]")
    with pytest.raises(il.ProgramError) as caught:
        net.tangent(wrt, of)
    assert [d.code for d in caught.value.diagnostics] == [code]
