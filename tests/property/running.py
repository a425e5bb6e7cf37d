"""A random program run in each of the ways there are: by the oracle, as un-jitted source, compiled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import unjitted
from pieces import Program, Value
from rounding import assert_within

import indexlang as il
from indexlang import pipeline
from indexlang.ir.equation import Program as Table
from indexlang.nest.moves.target import Target
from indexlang.run.machine import target
from indexlang.run.plan import Plan

Arrays = Mapping[str, Value]


@dataclass(frozen=True)
class Bound:
    """A text at the sizes of its inputs: the typed program, and all that a run of it is given."""

    table: Table
    arrays: dict[str, Value]

    def plan(self, machine: Target | None = None) -> Plan:
        return pipeline.plan(self.table, self.table.outputs, machine or target())

    def unjitted(self, machine: Target | None = None) -> dict[str, Value]:
        return unjitted.run(self.plan(machine), self.arrays)


def bound(text: str, inputs: Arrays, dtype: str = "f64") -> Bound:
    program = il.compile(text, dtype=dtype)
    table, arrays = program._bind((), inputs)
    return Bound(table, {**arrays, **program._kept(table)})


def ran(text: str, inputs: Arrays, dtype: str = "f64") -> dict[str, Value]:
    """The results of a text, as un-jitted source."""
    return bound(text, inputs, dtype).unjitted()


def compiled(program: Program, dtype: str, threads: int | None = None) -> dict[str, Value]:
    given: dict[str, Any] = program.given(dtype)
    found = il.compile(program.text, dtype=dtype, threads=threads)(**given)
    return {name: value_of(found, name) for name in program.results}


def value_of(results: Any, name: str) -> Value:
    """One output is the array itself; several are a mapping."""
    return np.asarray(results if isinstance(results, np.ndarray | np.generic | float | int) else results[name])


def assert_right(found: Any, program: Program, dtype: str) -> None:
    """Each result within the bound that the generator has worked out for it."""
    for name, value in program.results.items():
        assert_within(value_of(found, name), value, program.errors[name], dtype, name)


def assert_same_bits(found: Arrays, wanted: Arrays) -> None:
    for name, value in wanted.items():
        assert found[name].tobytes() == value.tobytes(), name
