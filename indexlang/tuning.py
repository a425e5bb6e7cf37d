"""Schedules tried on the machine itself: which knobs make an equation faster than the cost models' choice.

Every trial gives all equations one setting of a knob, beside the best that is known of the others, and each structure keeps
what was faster for it; what an earlier run has kept is the first trial. Results that are not the usual ones, up to rounding,
rule a setting out. What is left at the end is timed once more beside the usual schedules, in turns; only what is faster
there too is a winner.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir.equation import Equation
from indexlang.nest.moves.target import USUAL, Knobs, Target, untuned
from indexlang.program import Program
from indexlang.results import Array
from indexlang.run.machine import target
from indexlang.run.plan import Plan, scheduled, structure
from indexlang.run.tuned import winner
from indexlang.timing import Timed

_TILES = (
    *((14, 2), (12, 2), (10, 2), (9, 3), (8, 3), (7, 4), (6, 4), (4, 6), (28, 1), (16, 1)),
    *((8, 2), (6, 2), (5, 2), (4, 4), (4, 3), (4, 2), (3, 4), (2, 6), (2, 4), (12, 1), (8, 1), (6, 1), (4, 1)),
)
_SETTINGS: tuple[Mapping[str, int], ...] = (
    *({"rows": rows, "vectors": vectors} for rows, vectors in _TILES),
    *({"chunk": doublings} for doublings in (1, 2, -1, -2)),
    *({"rounds": doublings} for doublings in (1, -1)),
)
_RUNS = 4  # of each trial, at least …
_ENOUGH = 0.3  # … and seconds, where runs are short
_LAST = 0.2  # of the time that is given: for the comparison at the end
_BETTER = 0.97  # of the usual time: less is a gain, and no noise
_LEAST_SHARE = 0.01  # of a run that an equation takes: others are not worth a kernel
_TOLERANCE = {4: 1e-4, 8: 1e-11}  # of the largest number, by bytes of a float: more than another order of sums makes


@dataclass(frozen=True, slots=True)
class Tuned:
    """An equation, milliseconds as usual and with the knobs that won (`USUAL` where none did), and the structure tuned."""

    name: str
    before: float
    after: float
    knobs: Knobs
    structure: str


def tune(program: Program, inputs: Mapping[str, Any], seconds: float) -> tuple[Tuned, ...]:
    """The equations of a program in order, with what is faster for each on this machine. Nothing is kept: see `run/tuned.py`.

    seconds  for all of it: what has begun ends first
    """
    begun = perf_counter()
    search = _Search(program, inputs)
    search.attempt({s: winner(s) or best for s, best in search.knobs().items()})
    for setting in _SETTINGS:
        spent = perf_counter() - begun
        if spent + search.longest > (1 - _LAST) * seconds:
            break
        search.attempt({s: replace(best, **setting) for s, best in search.knobs().items()})
    return search.compared(max(seconds - (perf_counter() - begun), 0.0))


class _Search:
    """Times are in nanoseconds, by structure: equations of one structure get one schedule."""

    def __init__(self, program: Program, inputs: Mapping[str, Any]) -> None:
        self.program, self.inputs = program, inputs
        self.longest = 0.0  # of the trials so far, in seconds
        self.usual = replace(target(), tuned=untuned)
        self.plan, self.run = program.timed(inputs, self.usual)
        self.wanted, _ = self.run()
        equations = dict.fromkeys(s.equation for s in self.plan.steps)
        self.structures = {e: structure(scheduled(e, self.plan.program, self.usual)) for e in equations}
        self.examples = {s: e for e, s in self.structures.items()}
        times = self._times(self.plan, self.run)
        least = _LEAST_SHARE * sum(times.values())
        self.best = {s: (ns, USUAL) for s, ns in times.items() if ns >= least}

    def knobs(self) -> dict[str, Knobs]:
        """The best so far, of all structures that take their time."""
        return {s: knobs for s, (_, knobs) in self.best.items()}

    def attempt(self, knobs: Mapping[str, Knobs]) -> None:
        """Other knobs, for all structures that they make a difference for."""
        begun = perf_counter()
        tried = {s: k for s, k in knobs.items() if self._differs(s, k)}
        if not tried:
            return
        plan, run = self.program.timed(self.inputs, self._with(tried))
        if self._agree(run()[0]):
            times = self._times(plan, run)
            better = {s: (times[s], k) for s, k in tried.items() if times[s] < _BETTER * self.best[s][0]}
            self.best |= better
        self.longest = max(self.longest, perf_counter() - begun)

    def compared(self, seconds: float) -> tuple[Tuned, ...]:
        """What was found beside the usual schedules, in turns."""
        found = {s: knobs for s, knobs in self.knobs().items() if knobs != USUAL}
        plan, run = self.program.timed(self.inputs, self._with(found))
        is_right = self._agree(run()[0])
        before, after = _in_turns(self.run, run, min(seconds, 4 * _ENOUGH))
        usual, other = self._by_structure(self.plan, before), self._by_structure(plan, after)
        won = {s: knobs for s, knobs in found.items() if is_right and other[s] < _BETTER * usual[s]}
        rows = zip(_by_equation(self.plan, before).items(), _by_equation(plan, after).values(), strict=True)
        return tuple(self._row(e, one, two, won) for (e, one), two in rows)

    def _row(self, e: Equation, before: float, after: float, won: Mapping[str, Knobs]) -> Tuned:
        known = self.structures[e]
        return Tuned(e.target, before / 1e6, (after if known in won else before) / 1e6, won.get(known, USUAL), known)

    def _with(self, knobs: Mapping[str, Knobs]) -> Target:
        return replace(self.usual, tuned=knobs.get)

    def _differs(self, known: str, knobs: Knobs) -> bool:
        """Whether these knobs make other kernels than the best ones so far."""
        e, best = self.examples[known], self.best[known][1]
        one, two = (structure(scheduled(e, self.plan.program, self._with({known: k}))) for k in (knobs, best))
        return one != two

    def _agree(self, results: Mapping[str, Array]) -> bool:
        return all(_close(results[name], wanted) for name, wanted in self.wanted.items())

    def _times(self, plan: Plan, run: Timed) -> dict[str, float]:
        return self._by_structure(plan, _in_turns(run, run, _ENOUGH)[0])

    def _by_structure(self, plan: Plan, nanoseconds: NDArray[np.int64]) -> dict[str, float]:
        out: dict[str, float] = {}
        for e, ns in _by_equation(plan, nanoseconds).items():
            out[self.structures[e]] = out.get(self.structures[e], 0.0) + ns
        return out


def _by_equation(plan: Plan, nanoseconds: NDArray[np.int64]) -> dict[Equation, float]:
    out: dict[Equation, float] = {}
    for step, ns in zip(plan.steps, nanoseconds, strict=True):
        out[step.equation] = out.get(step.equation, 0.0) + float(ns)
    return out


def _in_turns(one: Timed, other: Timed, seconds: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best time of each step of two runs: a few of each, or as many as there is time for."""
    begun, first, second = perf_counter(), one()[1], other()[1]
    for k in range(1, 1000):
        if k >= _RUNS and perf_counter() - begun > seconds:
            break
        first, second = np.minimum(first, one()[1]), np.minimum(second, other()[1])
    return first, second


def _close(found: Array, wanted: Array) -> bool:
    """Whether results are the same up to the order of sums; what is not finite must stand where it stood."""
    if wanted.dtype.kind != "f":
        return bool(np.array_equal(found, wanted))
    finite = np.isfinite(wanted)
    if not np.array_equal(found[~finite], wanted[~finite], equal_nan=True):
        return False
    largest = float(np.abs(wanted[finite]).max(initial=0.0))
    return bool(np.all(np.abs(found[finite] - wanted[finite]) <= _TOLERANCE[wanted.dtype.itemsize] * largest))


def winners(rows: Iterable[Tuned]) -> dict[str, Knobs]:
    """By structure, as they are kept: a structure that was tuned and has no winner has the usual schedule again."""
    return {row.structure: row.knobs for row in rows}
