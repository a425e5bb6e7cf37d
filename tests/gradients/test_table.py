# pyright: reportArgumentType=false
"""Gradients of the equation table: adjoint equations = central differences, by the oracle; compiled = oracle; as text."""

import numpy as np
import pytest
from cases import CASES
from gradients.numeric import derivatives, floats, typed
from tables.case import Case

import indexlang as il
from indexlang.ir import interp
from indexlang.ir.show import show_program
from indexlang.passes.grad import pullback

_LARGEST = 600  # elements of an input that the oracle still goes through quickly
_NO_SLOPE = (
    "NaN",
    "infinity",
    "at the ends",
    "at zero",
    "sign",
    "max over nothing",
    "min over nothing",
)  # made of the very points without a derivative


def _has_gradient(case: Case) -> bool:
    inputs = case.draw().values()
    small = all(a.size <= _LARGEST for a in inputs) and any(a.dtype.kind == "f" for a in inputs)
    return case.oracle and small and not any(word in case.name for word in _NO_SLOPE)


SOME = [case for case in CASES if _has_gradient(case)]
RUNS = [case if k % 3 == 0 else pytest.param(case, marks=pytest.mark.soak) for k, case in enumerate(SOME)]


@pytest.mark.parametrize("case", RUNS, ids=lambda c: c.name)
def test_equals_central_differences(case: Case):
    program, given = typed(case.text, case.draw())
    of, wrt = floats(program)
    if not of or not wrt:
        pytest.skip("no float result of a float")
    wrong = [d for d in derivatives(program, given) if not d.is_right]
    assert not wrong, f"{wrong}\n{show_program(pullback(program, of, wrt).program)}"


@pytest.mark.parametrize("case", SOME[::6], ids=lambda c: c.name)
def test_compiled_equals_the_oracle(case: Case):
    program, given = typed(case.text, case.draw())
    of, wrt = floats(program)
    if not of or not wrt:
        pytest.skip("no float result of a float")
    made = pullback(program, of, wrt)
    text = show_program(made.program)
    rng = np.random.default_rng(1)
    for name in of:
        given[made.seeds[name]] = rng.standard_normal([int(str(e)) for e in program.tensor(name).extents])
    again = il.compile(text, dtype="f64")
    inputs = {n: a for n, a in given.items() if n in again.inputs}
    got = again(**inputs)
    expected = interp.interpret(made.program, given)
    for name in made.names.values():
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-10, atol=1e-10)
