"""A loss that is NaN or infinite: which tensor was the first, and where."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from indexlang.text.diagnostics import NumericalError, diagnostic
from indexlang.text.source import NOWHERE, Span
from indexlang.train.checkpoint import first_not_finite, not_finite
from indexlang.train.step import Step

ADVICE = "a smaller learning rate, `clip`, or another start may help; the last checkpoint is whole"


def numbers_lost(step: Step, given: Mapping[str, Any], t: int) -> NumericalError:
    """The error for step `t`, whose loss is no number: E1001 at the first equation that gave one, in order of computing.

    The values before the step are still there, so it is run again for all its tensors.
    """
    found = not_finite(step.program)
    if found is not None:
        name, place, value = found
        how = f"the update of step {t - 1} made it so" if t > 1 else "it was so from the start"
        return number_lost(t, name, place, value, how)
    for name, array in given.items():
        place = first_not_finite(np.asarray(array))
        if place is not None:
            return number_lost(t, name, place, float(np.asarray(array)[place]), "the data has it")
    return _first_equation(step, given, t)


def _first_equation(step: Step, given: Mapping[str, Any], t: int) -> NumericalError:
    """-inf is what masks and empty maxima are made of: it is no reason for a loss that is NaN."""
    tensors = dict(step.program.all_tensors(given))
    passed = -np.inf if np.isnan(tensors[step.metrics[0]]) else np.nan
    for name, array in tensors.items():
        place = first_not_finite(np.where(array == passed, 0, array))
        if place is not None:
            span = step.program.span_of(name)
            return number_lost(t, name, place, float(array[place]), "all that it is computed from is finite", span)
    name = step.metrics[0]
    return number_lost(t, name, (), float("nan"), "it came and went", step.program.span_of(name))


def number_lost(
    t: int, name: str, place: tuple[int, ...], value: float, how: str, span: Span = NOWHERE, advice: str = ADVICE
) -> NumericalError:
    """E1001 for one element of a tensor at step `t`; `how` says why it is so."""
    at = f"{name}[{','.join(map(str, place))}]" if place else name
    return NumericalError([diagnostic("E1001", span, step=t, element=at, value=_told(value), how=how, advice=advice)])


def _told(value: float) -> str:
    return "NaN" if value != value else "infinite" if value > 0 else "-infinite"


__all__ = ["number_lost", "numbers_lost"]
