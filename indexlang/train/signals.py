"""What the lecture is about, measured: the size of activations and gradients, dead and saturated units, step sizes.

A layer is a tensor that the text names, with two axes or more, that the loss depends on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np

from indexlang.program import Program
from indexlang.train.checkpoint import Array, Position
from indexlang.train.events import LayerSignal, Signals
from indexlang.train.step import Step, known_inputs

FLAT = 0.01  # a unit whose local slope is below this is saturated


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known before a step is taken: all but the sizes of updates."""

    layers: tuple[LayerSignal, ...]
    params: Mapping[str, Array]


class SignalProbe:
    """Measures the signals of the first step, and of the last step of every epoch (of any where steps are not known).

    cost  one more run forwards and backwards, with all layers kept
    """

    def __init__(self, net: Program, step: Step, of_epoch: int | None) -> None:
        training = net.in_training()
        self._training = training
        self._of_epoch = of_epoch
        self._program, self._slopes = training.signals(step.recipe.loss)
        self._names = self._program.gradients
        self._params = training.parameters_of(tuple(self._names))

    def wants(self, position: Position) -> bool:
        """Whether the step that comes is measured."""
        return position.step == 0 or position.done + 1 == self._of_epoch

    def before(self, step: Step, given: Mapping[str, Any]) -> Measured:
        """The signals of a batch, at the values before the step."""
        self._training.follow(step.program)
        self._training.begin(step.program.seed, step.program.runs)
        want = [*self._names, *self._names.values(), *self._slopes.values()]
        found, _ = self._program.proposed(known_inputs(self._program, given), want)
        layers = tuple(self._signal(name, found) for name in self._names)
        return Measured(layers, dict(step.program.params))

    def after(self, step: Step, measured: Measured, epoch: int, t: int) -> Signals:
        """The event, once the parameters have their new values."""
        layers = tuple(_with_update(s, self._params[s.name], measured.params, step) for s in measured.layers)
        return Signals(epoch, t, layers)

    def _signal(self, name: str, found: Mapping[str, Array]) -> LayerSignal:
        value, gradient = found[name], found[self._names[name]]
        slope = found[self._slopes[name]] if name in self._slopes else None
        saturated = 0.0 if slope is None or not slope.size else float(np.mean(slope < FLAT))
        return LayerSignal(name, _size(value), _size(gradient), _dead(value), saturated, nan)


def _with_update(s: LayerSignal, names: tuple[str, ...], before: Mapping[str, Array], step: Step) -> LayerSignal:
    now = step.program.params
    changed = sum(float(np.sum(np.square(now[n] - before[n], dtype=np.float64))) for n in names)
    whole = sum(float(np.sum(np.square(before[n], dtype=np.float64))) for n in names)
    update = (changed / whole) ** 0.5 if whole else nan
    return LayerSignal(s.name, s.activation, s.gradient, s.dead, s.saturated, update)


def _size(a: Array) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(a, dtype=np.float64)))) if a.size else 0.0


def _dead(a: Array) -> float:
    """The share of features, along the last axis, that are 0 everywhere."""
    if not a.size:
        return 0.0
    alive: Array = np.any(a, axis=tuple(range(a.ndim - 1)))
    return (alive.size - int(np.count_nonzero(alive))) / alive.size


__all__ = ["FLAT", "SignalProbe"]
