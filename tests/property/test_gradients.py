# pyright: reportArgumentType=false
"""Derivatives of random programs: forward and reverse mode agree, differences agree, what is printed is what runs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from generate import programs
from gradients.numeric import floats, typed
from hypothesis import assume, given, settings
from long_runs import many
from pieces import Program, Value
from shown import typed as checked_text

import indexlang as il
from indexlang.ir import interp
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program as Table
from indexlang.ir.show import show_program
from indexlang.passes.grad import Gradient, pullback
from indexlang.passes.tangent import Tangent, tangent

EPS = 1e-6
POINTS = 60  # of an equation; a product's derivatives take the cube of what it takes
LARGEST = 1e4  # of values: beyond it, functions are flat and differences are rounding
Arrays = Mapping[str, Value]


@dataclass(frozen=True)
class Directed:
    """A program near random inputs: a direction `v` of each float given, weights `w` of each float result."""

    table: Table
    given: Arrays
    v: Arrays
    w: Arrays

    @property
    def of(self) -> tuple[str, ...]:
        return tuple(self.w)

    @property
    def wrt(self) -> tuple[str, ...]:
        return tuple(self.v)

    def reverse(self) -> tuple[Gradient, Arrays]:
        """The adjoint program, and what a run of it is given."""
        made = pullback(self.table, self.of, self.wrt)
        return made, {**self.given, **{made.seeds[n]: a for n, a in self.w.items()}}

    def forward(self) -> tuple[Tangent, Arrays]:
        made = tangent(self.table, self.of, self.wrt)
        return made, {**self.given, **{made.inputs[n]: a for n, a in self.v.items()}}

    def moved(self, step: float) -> dict[str, Value]:
        """The results at inputs moved along the direction."""
        there = {n: self.given[n] + step * a for n, a in self.v.items()}
        return {n: a for n, a in run(self.table, {**self.given, **there}).items() if n in self.w}


def directed(program: Program, off_grid: float) -> Directed:
    """At the program's inputs, each changed by about `off_grid`: the inputs themselves lie on kinks."""
    table, arrays = typed(program.text, program.inputs)
    of, wrt = floats(table)
    assume(of and wrt)
    rng = np.random.default_rng(0)
    moved = {n: arrays[n] + off_grid * rng.standard_normal(np.shape(arrays[n])) for n in wrt}
    v = {n: rng.standard_normal(np.shape(arrays[n])) for n in wrt}
    w = {n: rng.standard_normal(program.results[n].shape) for n in of}
    return Directed(table, {**arrays, **moved}, v, w)


def run(table: Table, arrays: Arrays) -> dict[str, Value]:
    with np.errstate(all="ignore"):
        return interp.interpret(table, arrays)


def is_small(program: Program) -> bool:
    values = [a for a in program.results.values() if a.dtype.kind == "f"]
    return all(a.size == 0 or bool(np.abs(a).max() < LARGEST) for a in values)  # False for NaN


@settings(max_examples=100)
@given(programs(most=POINTS))
def test_the_reverse_is_the_transpose_of_the_forward(program: Program) -> None:
    transposed(program)


@many(10_000)
@given(programs(most=POINTS))
def test_the_reverse_is_the_transpose_of_the_forward_for_long(program: Program) -> None:
    transposed(program)


@settings(max_examples=100)
@given(programs(most=POINTS))
def test_differences_agree(program: Program) -> None:
    differences_agree(program)


@many(10_000)
@given(programs(most=POINTS))
def test_differences_agree_for_long(program: Program) -> None:
    differences_agree(program)


@settings(max_examples=100)
@given(programs(most=POINTS))
def test_a_printed_gradient_is_the_same_program(program: Program) -> None:
    printed_again(program)


@many(10_000)
@given(programs(most=POINTS))
def test_a_printed_gradient_is_the_same_program_for_long(program: Program) -> None:
    printed_again(program)


@settings(max_examples=10)
@given(programs(most=POINTS))
def test_compiled_gradients_equal_the_oracle_for_any_number_of_threads(program: Program) -> None:
    compiled_agrees(program)


@many(1000)
@given(programs(most=POINTS))
def test_compiled_gradients_equal_the_oracle_for_any_number_of_threads_for_long(program: Program) -> None:
    compiled_agrees(program)


def transposed(program: Program) -> None:
    """<Jv,w> = <v,J'w>, on kinks too: both have chosen one slope."""
    assume(is_small(program) and not program.is_special)
    at = directed(program, 0)
    (back, given_back), (forth, given_forth) = at.reverse(), at.forward()
    adjoints, tangents = run(back.program, given_back), run(forth.program, given_forth)
    left = [tangents[forth.outputs[n]] * a for n, a in at.w.items()]
    right = [adjoints[back.names[n]] * a for n, a in at.v.items()]
    scale = 1 + sum(float(np.abs(a).sum()) for a in (*left, *right))
    assert abs(total(left) - total(right)) <= 1e-12 * scale


def total(arrays: list[Value]) -> float:
    return sum(float(a.sum()) for a in arrays)


def differences_agree(program: Program) -> None:
    """Forward mode = central differences, but for results at which the differences of both sides show a kink."""
    assume(is_small(program) and not program.is_special)
    at = directed(program, 0.01)
    forth, arrays = at.forward()
    tangents = run(forth.program, arrays)
    here, up, down = (at.moved(step) for step in (0, EPS, -EPS))
    for n in at.of:
        found = tangents[forth.outputs[n]]
        right, left = (up[n] - here[n]) / EPS, (here[n] - down[n]) / EPS
        smooth = np.abs(right - left) <= 1e-3 * (1 + np.abs(right))
        allowed = 1e-5 * (1 + np.abs(here[n])) + 1e-3 * np.abs(right)
        wrong = smooth & (np.abs(found - (right + left) / 2) > allowed)
        assert not wrong.any(), f"{n}: {found[wrong]} is not {right[wrong]}\n{show_program(forth.program)}"
        assert not np.isnan(found).any(), n


def printed_again(program: Program) -> None:
    table = checked_text(program.text, dtype=DType.F64)
    of, wrt = floats(table)
    assume(of and wrt)
    text = show_program(pullback(table, of, wrt).program)
    assume(
        "min(max(" not in text
    )  # places kept inside a scatter's target: not every range of theirs can be written yet
    assert show_program(checked_text(text, dtype=DType.F64)) == text


def compiled_agrees(program: Program) -> None:
    at = directed(program, 0)
    assume(is_small(program) and not program.is_special)
    made, arrays = at.reverse()
    expected = run(made.program, arrays)
    found = [
        il.compile(program.text, dtype="f64", threads=n).grad(at.of, at.wrt, seeds=True)(**arrays) for n in (1, 2, 3)
    ]
    for name in made.names.values():
        one, *others = (np.asarray(f[name]) for f in found)
        scale = max(1.0, float(np.abs(expected[name]).max(initial=0)))
        np.testing.assert_allclose(one, expected[name], rtol=1e-10, atol=1e-10 * scale)
        assert all(a.tobytes() == one.tobytes() for a in others)
