"""Data of training: columns of equal length, and where each example comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexlang.text.diagnostics import data_error
from indexlang.text.names import plural

Array = NDArray[Any]
Rows = NDArray[np.int64]
LARGE = 256 * 1024 * 1024  # bytes from which data stays on the disk until a batch needs it


class Column(Protocol):
    """One element for each example: an array, a memory-mapped one, or what makes its elements when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N first, then the extents of one example."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what indexing gives."""
        ...

    def __getitem__(self, at: Rows | slice, /) -> Array:
        """The examples at these rows, as an array [len(at), …]."""
        ...


@dataclass(frozen=True, slots=True)
class Numbered:
    """Examples by their number, counted from 0."""

    name: str

    def __call__(self, n: int) -> str:
        """`digits, example 7`."""
        return f"{self.name}, example {n}"


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Examples, with all of each in the same place of every column.

    name     for messages: `digits`, a path
    columns  name → [N, …]: at least one, all of the same N ≥ 1
    classes  the names of the values of the labels, in order; empty where they have none
    places   example n → where it comes from: `train.csv, line 18`; by default its number
    errors   E0808
    """

    name: str
    columns: Mapping[str, Column]
    classes: tuple[str, ...] = ()
    places: Callable[[int], str] | None = None

    def __post_init__(self) -> None:
        if not self.columns:
            raise data_error("E0808", data=self.name, message="has no columns", advice="give at least one array")
        for name, column in self.columns.items():
            if not column.shape:
                said = f"has one number for `{name}`, not one for each example"
                raise data_error("E0808", data=self.name, message=said, advice="give an array, an element an example")
        self._check_lengths()

    def __len__(self) -> int:
        return next(iter(self.columns.values())).shape[0]

    def __repr__(self) -> str:
        inside = ", ".join(shown(name, column) for name, column in self.columns.items())
        return f"Dataset({self.name}: {plural(len(self), 'example')}, {inside})"

    def place(self, n: int) -> str:
        """Where example `n` comes from."""
        return (self.places or Numbered(self.name))(int(n))

    def take(self, at: Rows) -> dict[str, Array]:
        """The examples `at` as arrays [len(at), …], fresh and C-contiguous."""
        return {name: np.ascontiguousarray(column[at]) for name, column in self.columns.items()}

    def _check_lengths(self) -> None:
        lengths = {name: column.shape[0] for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            said = "has columns of unequal lengths: " + ", ".join(f"`{k}` {n}" for k, n in lengths.items())
            raise data_error("E0808", data=self.name, message=said, advice="give each column an element an example")
        if not len(self):
            raise data_error("E0808", data=self.name, message="has no examples", advice="give at least one")


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some elements of a column, in an order of their own; nothing is copied until they are asked for."""

    column: Column
    rows: Rows

    @property
    def shape(self) -> tuple[int, ...]:
        """As many examples as were chosen."""
        return (len(self.rows), *self.column.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the column."""
        return self.column.dtype

    def __getitem__(self, at: Rows | slice, /) -> Array:
        return self.column[self.rows[at]]


def chosen(dataset: Dataset, rows: Rows) -> Dataset:
    """The examples `rows` of a dataset, in that order."""
    columns = {name: Chosen(column, rows) for name, column in dataset.columns.items()}
    return Dataset(dataset.name, columns, dataset.classes, lambda n: dataset.place(rows[n]))


def shown(name: str, column: Column) -> str:
    """A column in a message: `image`[1797, 8, 8, 1] of float32."""
    return f"`{name}`{extents(column.shape)} of {column.dtype}"


def extents(shape: Any) -> str:
    """`[B, 8, 8, 1]`."""
    return f"[{', '.join(map(str, shape))}]"
