# pyright: reportArgumentType=false
"""Random programs: compiled = oracle = the generator's own numpy; and laws that hold for every program."""

from typing import Any

import numpy as np
import pytest
from generate import Program, Value, programs
from hypothesis import given, settings
from hypothesis import strategies as st
from shown import assert_same_when_shown, typed

import indexlang as il

LAYOUTS = ("C", "Fortran", "reversed", "every second", "read-only")


@settings(max_examples=300)
@given(programs())
def test_the_oracle_agrees_with_numpy(program: Program) -> None:
    got = il.compile(program.text, dtype="f64").interpret(**program.inputs)
    assert_same(got, program.results, 1e-11)


@settings(max_examples=100)
@given(programs(), st.sampled_from(["f64", "f64", "f32"]))
def test_compiled_agrees_with_numpy(program: Program, dtype: str) -> None:
    compiled_agrees(program, dtype)


@pytest.mark.soak
@settings(max_examples=5000)
@given(programs(), st.sampled_from(["f64", "f32"]))
def test_compiled_agrees_with_numpy_for_long(program: Program, dtype: str) -> None:
    compiled_agrees(program, dtype)


@settings(max_examples=25)
@given(programs(), st.sampled_from(LAYOUTS))
def test_the_layout_of_arguments_changes_nothing(program: Program, layout: str) -> None:
    compiled = il.compile(program.text, dtype="f64")
    inputs = {name: laid_out(a, layout) for name, a in program.inputs.items()}
    before = {name: a.copy() for name, a in inputs.items()}
    assert_same(compiled(**inputs), program.results, 1e-11)
    for name, a in inputs.items():
        np.testing.assert_array_equal(a, before[name])


@settings(max_examples=25)
@given(programs())
def test_a_second_call_and_a_second_thread_change_no_bit(program: Program) -> None:
    one, two = (il.compile(program.text, dtype="f64", threads=n) for n in (1, 2))
    first, again, other = one(**program.inputs), one(**program.inputs), two(**program.inputs)
    for name in program.results:
        assert value_of(first, name).tobytes() == value_of(again, name).tobytes() == value_of(other, name).tobytes()


@settings(max_examples=200)
@given(programs())
def test_a_valid_program_checks_without_errors(program: Program) -> None:
    assert not [d for d in il.check(program.text) if d.severity.value == "error"]


@settings(max_examples=300)
@given(programs())
def test_what_is_shown_is_the_same_program(program: Program) -> None:
    assert_same_when_shown(typed(program.text))


def compiled_agrees(program: Program, dtype: str) -> None:
    inputs = {
        name: a.astype(np.float32) if dtype == "f32" and a.dtype.kind == "f" else a
        for name, a in program.inputs.items()
    }
    # f64: sums of a few thousand quarters, and functions; f32: the same 2^29 times coarser.
    assert_same(il.compile(program.text, dtype=dtype)(**inputs), program.results, 1e-11 if dtype == "f64" else 2e-5)


def assert_same(got: Any, want: dict[str, Value], rtol: float) -> None:
    for name, value in want.items():
        found = value_of(got, name)
        assert found.shape == value.shape
        finite = value[np.isfinite(value)]
        scale = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
        np.testing.assert_allclose(found, value, rtol=rtol, atol=rtol * scale, err_msg=name)


def value_of(results: Any, name: str) -> Value:
    """One output is the array itself; several are a mapping."""
    return np.asarray(results if isinstance(results, np.ndarray | np.generic | float | int) else results[name])


def laid_out(a: Value, layout: str) -> Value:
    """The same values, otherwise in memory."""
    match layout:
        case "Fortran":
            return np.asfortranarray(a)
        case "reversed":
            return np.ascontiguousarray(a[(slice(None, None, -1),) * a.ndim])[(slice(None, None, -1),) * a.ndim]
        case "every second":
            wide = np.repeat(a, 2, axis=-1) if a.ndim else a
            return wide[..., ::2] if a.ndim else a
        case "read-only":
            a = a.copy()
            a.flags.writeable = False
            return a
        case _:
            return a
