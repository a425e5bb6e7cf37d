# pyright: reportArgumentType=false
"""Random programs: oracle = un-jitted source = compiled = the generator's own numpy, within bounds that have a reason."""

from generate import programs
from hypothesis import given, settings
from hypothesis import strategies as st
from long_runs import many
from pieces import Program
from running import assert_right, assert_same_bits, bound, compiled, value_of
from shown import assert_same_when_shown, typed

import indexlang as il

FEW = 400  # points of an equation where it is computed in Python
FLOATS = st.sampled_from(["f64", "f32"])


@settings(max_examples=300)
@given(programs(most=FEW))
def test_the_oracle_agrees_with_numpy(program: Program) -> None:
    oracle_agrees(program)


@settings(max_examples=500)
@given(programs(most=FEW), FLOATS)
def test_unjitted_source_agrees_with_numpy(program: Program, dtype: str) -> None:
    unjitted_agrees(program, dtype)


@settings(max_examples=100)
@given(programs(), FLOATS)
def test_compiled_agrees_with_numpy(program: Program, dtype: str) -> None:
    compiled_agrees(program, dtype)


@many(100_000)
@given(programs(most=FEW), FLOATS)
def test_oracle_and_unjitted_source_agree_for_long(program: Program, dtype: str) -> None:
    oracle_agrees(program)
    unjitted_agrees(program, dtype)


@many(5000)
@given(programs(), FLOATS)
def test_compiled_agrees_with_numpy_for_long(program: Program, dtype: str) -> None:
    compiled_agrees(program, dtype)


@settings(max_examples=25)
@given(programs())
def test_a_second_call_and_a_second_thread_change_no_bit(program: Program) -> None:
    one, two = (il.compile(program.text, dtype="f64", threads=n) for n in (1, 2))
    inputs = program.given("f64")
    runs = [made(**inputs) for made in (one, one, two)]
    first, again, other = ({n: value_of(r, n) for n in program.results} for r in runs)
    assert_same_bits(again, first)
    assert_same_bits(other, first)


@settings(max_examples=200)
@given(programs())
def test_a_valid_program_checks_without_errors(program: Program) -> None:
    assert not [d for d in il.check(program.text) if d.severity.value == "error"]


@settings(max_examples=300)
@given(programs())
def test_what_is_shown_is_the_same_program(program: Program) -> None:
    assert_same_when_shown(typed(program.text))


def oracle_agrees(program: Program) -> None:
    found = il.compile(program.text, dtype="f64").interpret(**program.given("f64"))
    assert_right(found, program, "f64")


def unjitted_agrees(program: Program, dtype: str) -> None:
    assert_right(bound(program.text, program.given(dtype), dtype).unjitted(), program, dtype)


def compiled_agrees(program: Program, dtype: str) -> None:
    inputs = program.given(dtype)
    before = {name: a.copy() for name, a in inputs.items()}
    assert_right(compiled(program, dtype), program, dtype)
    assert_same_bits({name: a.copy() for name, a in inputs.items()}, before)
