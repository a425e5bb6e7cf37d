"""What happens in a run of training, as values: the loop tells, and whoever watches shows, writes or draws it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

Numbers = Mapping[str, float]
NONE: Numbers = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Begun:
    """The first step is about to be taken.

    steps     of one epoch; None where the data cannot say
    examples  of one epoch; None likewise
    epoch     the first to be run, from 1; step: how many were done before, by the run that is resumed
    """

    name: str
    epochs: int
    steps: int | None
    examples: int | None
    parameters: int
    epoch: int = 1
    step: int = 0


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step was taken.

    step     from 1 over the whole run; `of_epoch` from 1 within the epoch
    metrics  the loss first, then the program's other scalar outputs, of this batch before its update
    rate     the learning rate of this step
    seconds  of this step alone; the first of a run compiles
    """

    epoch: int
    step: int
    of_epoch: int
    examples: int
    metrics: Numbers
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class LayerSignal:
    """The signals of one tensor of the program, over one batch; shares are between 0 and 1.

    activation  root of the mean square of its elements; gradient: of its adjoint's
    dead        share of features (of the last axis) that are 0 for the whole batch
    saturated   share of elements whose local slope is below 0.01
    update      root mean square of the change of the layer's parameters in this step, by that of the parameters
    """

    name: str
    activation: float
    gradient: float
    dead: float
    saturated: float
    update: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What `--watch-gradients` measures, once an epoch and after the first step."""

    epoch: int
    step: int
    layers: tuple[LayerSignal, ...]


@dataclass(frozen=True, slots=True)
class EpochDone:
    """An epoch is over: means over its training examples, and over the validation data (empty without any)."""

    epoch: int
    step: int
    training: Numbers
    validation: Numbers
    seconds: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class Warned:
    """Something went wrong that does not end the run: a checkpoint that could not be written."""

    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over: all epochs were run, or it was interrupted.

    best  metrics of the best epoch, and which it was
    """

    epoch: int
    step: int
    seconds: float
    interrupted: bool = False
    best: Numbers = field(default_factory=lambda: NONE)
    best_epoch: int | None = None


Event = Begun | StepDone | Signals | EpochDone | Warned | Ended


class Watcher(Protocol):
    """Is told of every event, in order."""

    def on(self, event: Event) -> None:
        """Called between two steps, in the thread that trains: what takes long here holds the run up."""
        ...


__all__ = [
    "NONE",
    "Begun",
    "Ended",
    "EpochDone",
    "Event",
    "LayerSignal",
    "Numbers",
    "Signals",
    "StepDone",
    "Warned",
    "Watcher",
]
