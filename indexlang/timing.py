"""What each step of a run took, beside what it takes at least."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexlang.results import Array
from indexlang.run.plan import Plan
from indexlang.summary import moved_bytes, multiply_adds

Timed = Callable[[], tuple[Mapping[str, Array], NDArray[np.int64]]]  # a run: results, and nanoseconds of each step


@dataclass(frozen=True, slots=True)
class StepTime:
    """The time of one step of the plan, the equation it belongs to, and what that takes at least.

    macs   multiply-adds      bytes   of its result and of each tensor that it reads, once
    """

    name: str
    milliseconds: float
    macs: int
    bytes: int


def step_times(plan: Plan, named: Collection[str], nanoseconds: Iterable[int]) -> list[StepTime]:
    """The steps of a plan with their times, in order.

    named  the tensors of the text; steps for those that passes made are called "(preparing)". Checks have no macs
    """
    made = {s.equation.target for s in plan.steps} - set(named)
    out: list[StepTime] = []
    for step, spent in zip(plan.steps, nanoseconds, strict=True):
        e = step.equation
        moved = 0 if step.turn else moved_bytes(e, plan.program, made)  # turns move the rest of the same tensors
        least = (0, 0) if step.check else (multiply_adds(e), moved)
        out.append(StepTime("(preparing)" if e.target in made else e.target, float(spent) / 1e6, *least))
    return out
