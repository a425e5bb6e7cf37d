"""What gradients are compared with: central differences of the oracle, along random directions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import indexlang as il
from indexlang.ir import interp
from indexlang.ir.equation import Program, Role
from indexlang.passes.grad import pullback

EPS = 1e-6
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Derivative:
    """A program's derivative along one direction of one tensor, by the adjoint equations and by differences."""

    tensor: str
    analytic: float
    numeric: float

    @property
    def is_right(self) -> bool:
        return abs(self.analytic - self.numeric) <= 1e-5 + 1e-3 * abs(self.numeric)


def typed(text: str, inputs: Arrays, training: bool = False) -> tuple[Program, dict[str, np.ndarray]]:
    """The typed program of a text at the sizes of its inputs, and all that a run of it is given, in float64."""
    program = il.compile(text, dtype="f64", constants={"training": training} if training else None)
    bound, arrays = program._bind((), inputs)
    return bound, {**arrays, **program._kept(bound)}


def floats(program: Program) -> tuple[list[str], list[str]]:
    """The float results of a program, and the float tensors that it is given."""
    of = [n for n in program.outputs if program.tensor(n).dtype.is_float]
    given = [t for t in program.tensors if t.role in (Role.INPUT, Role.PARAM)]
    return of, [t.name for t in given if t.dtype.is_float]


def derivatives(program: Program, given: Arrays) -> list[Derivative]:
    """Of the results, weighted at random, along a random direction of each float tensor given."""
    of, wrt = floats(program)
    rng = np.random.default_rng(0)
    made = pullback(program, of, wrt)
    seeds = {made.seeds[n]: rng.standard_normal([int(str(e)) for e in program.tensor(n).extents]) for n in of}
    found = interp.interpret(made.program, {**given, **seeds})

    def weighted(arrays: Arrays) -> float:
        values = interp.interpret(program, arrays)
        return sum(float(np.sum(values[n] * seeds[made.seeds[n]])) for n in of)

    out = []
    for name in wrt:
        x = np.asarray(given[name], float)
        v = rng.standard_normal(x.shape)
        up, down = weighted({**given, name: x + EPS * v}), weighted({**given, name: x - EPS * v})
        out.append(Derivative(name, float(np.sum(found[made.names[name]] * v)), (up - down) / (2 * EPS)))
    return out
