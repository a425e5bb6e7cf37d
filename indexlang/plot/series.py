"""What is drawn of a run's metrics: where steps and epochs lie on the x axis, and means that make noise readable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexlang.plot.runs import Run

Array = np.ndarray[Any, Any]

SMOOTH = 100  # a mean is over this share of all steps
POINTS = 1000  # of a line: more cannot be told apart, and make a large file
DECADES = 2


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one run; x in epochs, or in steps where some run has no whole epoch.

    steps       (x, y) of each step, smoothed: each is the mean of `width`
    training    (x, y) of each epoch, at its middle: the mean over its steps
    validation  (x, y) of each epoch, at its end
    lost        (x, y) of the last finite value before one that is no number, or None
    """

    steps: tuple[Array, Array]
    training: tuple[Array, Array]
    validation: tuple[Array, Array]
    width: int
    lost: tuple[float, float] | None

    @property
    def values(self) -> Array:
        """All finite values that are drawn."""
        both = np.concatenate([self.steps[1], self.training[1], self.validation[1]])
        return both[np.isfinite(both)]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run's events lie on the x axis: each step, the middle and the end of each epoch."""

    steps: Array
    middles: Array
    ends: Array


def series(run: Run, metric: str, places: Places) -> Series:
    """What is drawn of a metric."""
    every = _finite([s.metrics.get(metric, np.nan) for s in run.steps])
    has = np.array([metric in s.metrics for s in run.steps], bool)
    training = _finite([e.training.get(metric, np.nan) for e in run.epochs])
    validation = _finite([e.validation.get(metric, np.nan) for e in run.epochs])
    width = max(1, int(has.sum()) // SMOOTH)
    told = np.array([metric in e.training for e in run.epochs], bool)
    lost = _lost(places.steps[has], every[has]) or _lost(places.middles[told], training[told])
    held = np.isfinite(validation)
    return Series(
        _thinned(places.steps[has], smoothed(every[has], width)),
        (places.middles, training),
        (places.ends[held], validation[held]),
        width,
        lost,
    )


def in_epochs(run: Run) -> Places:
    """Places counted in epochs: step s of epoch e lies between e-1 and e. The run has a whole epoch."""
    numbers = np.array([e.epoch for e in run.epochs], float)
    starts, lengths = _starts(run)
    steps = [s.epoch - 1 + min((s.step - starts[s.epoch]) / lengths[s.epoch], 1.0) for s in run.steps]
    return Places(np.array(steps, float), numbers - 0.5, numbers)


def in_steps(run: Run) -> Places:
    """Places counted in steps."""
    ends = np.array([e.step for e in run.epochs], float)
    before = np.concatenate([[0.0], ends])[:-1] if len(ends) else ends
    return Places(np.array([s.step for s in run.steps], float), (before + ends) / 2, ends)


def smoothed(values: Array, width: int) -> Array:
    """Centred means of `width` values, fewer at both ends; what is not finite takes no part, and stays a gap alone."""
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    at = np.arange(len(values))
    low, high = np.maximum(at - (width - 1) // 2, 0), np.minimum(at + width // 2 + 1, len(values))
    number = counts[high] - counts[low]
    means = (sums[high] - sums[low]) / np.maximum(number, 1)
    return np.where(finite & (number > 0), means, np.nan)


def wants_log(found: Sequence[Array]) -> bool:
    """Whether values are better seen on a logarithmic scale: all above 0, over more than two decades."""
    values = np.concatenate([*found, np.empty(0)])
    return bool(values.size and values.min() > 0 and np.log10(values.max()) - np.log10(values.min()) > DECADES)


def _starts(run: Run) -> tuple[dict[int, int], dict[int, int]]:
    """For each epoch with steps: the last step before it, and how many it has; one that still runs is as long as others."""
    ends = {e.epoch: e.step for e in run.epochs}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for s in run.steps:
        first.setdefault(s.epoch, s.step)
        last[s.epoch] = s.step
    starts = {n: ends.get(n - 1, first[n] - 1) for n in first}
    whole = [ends[n] - starts[n] for n in first if n in ends]
    usual = max(whole, default=1)
    lengths = {n: (ends[n] if n in ends else max(last[n], starts[n] + usual)) - starts[n] for n in first}
    return starts, {n: max(length, 1) for n, length in lengths.items()}


def _finite(values: Sequence[float]) -> Array:
    found = np.array(values, float)
    return np.where(np.isfinite(found), found, np.nan)


def _lost(x: Array, y: Array) -> tuple[float, float] | None:
    gone = np.flatnonzero(np.isnan(y))
    before = np.flatnonzero(np.isfinite(y[: gone[0]])) if len(gone) else gone
    return (float(x[before[-1]]), float(y[before[-1]])) if len(before) else None


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    each = max(1, -(-len(x) // POINTS))
    return x[::each], y[::each]
