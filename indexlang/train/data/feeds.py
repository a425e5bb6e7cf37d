"""Batches for the loop of training: shuffled anew each epoch, or in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from indexlang.train.data import draws
from indexlang.train.data.ahead import one_ahead
from indexlang.train.data.augment import NONE, Augmentation
from indexlang.train.data.dataset import Array, Chosen, Column, Dataset, Rows
from indexlang.train.data.fitting import Fitted
from indexlang.train.data.pictures import Pictures

Batch = dict[str, Array]


class Feed(Protocol):
    """Gives an epoch its batches: input → [b, …], C-contiguous.

    examples, steps  of one epoch; None where that is not known before its end
    """

    @property
    def examples(self) -> int | None:
        """Of one epoch, or None."""
        ...

    @property
    def steps(self) -> int | None:
        """Batches of one epoch, or None."""
        ...

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch but for the first `start`: bit for bit those that a run from its begin would get."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """The examples of a fitted dataset, `batch` of them at a time; the last batch of an epoch holds what is left."""

    dataset: Dataset
    batch: int

    @property
    def examples(self) -> int:
        return len(self.dataset)

    @property
    def steps(self) -> int:
        return -(-self.examples // self.batch)


@dataclass(frozen=True, slots=True, eq=False)
class Batches(_Cut):
    """The examples of a fitted dataset, each once an epoch, in an order of that epoch and the seed.

    augment  changes of the examples; what one gets follows from its number, the epoch and the seed
    cost     one draw and one sort of N numbers an epoch; the batches skipped by `start` cost nothing
    """

    seed: int = 0
    augment: Augmentation = NONE

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """In the order of that epoch. What `start` leaves out is never made."""
        order = draws.shuffled(self.examples, "order", self.seed, epoch)
        makers = [partial(self._made, at, epoch) for at in _pieces(order, self.batch, start)]
        return _made(makers, self.dataset, self.augment)

    def _made(self, at: Rows, epoch: int) -> Batch:
        return self.augment.changed(self.dataset.take(at), self.seed, epoch, at)


@dataclass(frozen=True, slots=True, eq=False)
class Whole(_Cut):
    """The examples of a fitted dataset in their own order, the same every epoch: for validation."""

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """In the dataset's own order, whatever the epoch."""
        order = np.arange(self.examples)
        makers = [partial(self.dataset.take, at) for at in _pieces(order, self.batch, start)]
        return _made(makers, self.dataset, NONE)


def _pieces(order: Rows, batch: int, start: int) -> list[Rows]:
    return [order[n : n + batch] for n in range(start * batch, len(order), batch)]


def _made(makers: Sequence[Callable[[], Batch]], dataset: Dataset, augment: Augmentation) -> Iterator[Batch]:
    costly = bool(augment) or any(comes_from_disk(column) for column in dataset.columns.values())
    return one_ahead(makers) if costly else (make() for make in makers)


def comes_from_disk(column: Column | Any) -> bool:
    """Whether elements of a column are read or decoded when they are asked for."""
    match column:
        case Chosen(column=inner) | Fitted(column=inner):
            return comes_from_disk(inner)
        case _:
            return isinstance(column, Pictures | np.memmap)
