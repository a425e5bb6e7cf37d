"""Columns of data become the inputs of a program: by name, else by what fits; looked through before the first step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from indexlang.interop.files import Declared
from indexlang.ir.equation import Tensor
from indexlang.parameters import converted
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import did_you_mean
from indexlang.train.data.dataset import Array, Column, Dataset, Rows, extents, shown
from indexlang.train.data.inputs import bind, check_batch, element, is_float, suits, tensor_of
from indexlang.train.data.pictures import Pictures

BLOCK = 4 * 1024 * 1024  # numbers that are looked through at a time


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A column in the extents and the dtype of an input; a batch is converted when it is asked for."""

    column: Column
    tensor: Tensor
    element: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The column's examples, each with the extents that the input has."""
        return (self.column.shape[0], *self.element)

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the input."""
        return self.tensor.dtype.numpy

    def __getitem__(self, at: Rows | slice, /) -> Array:
        block = self.column[at]
        with np.errstate(over="ignore"):  # a float64 too large for float32 becomes infinity, and is found as such
            return converted(self.tensor, block).reshape(len(block), *self.element)


def fitted_data(dataset: Dataset, inputs: Sequence[Declared]) -> Dataset:
    """The dataset whose columns are the program's inputs, by their names, looked through once from end to end.

    matching    an input takes the column of its name; else that of its name in other capitals, if there is one; else
                the only column left that fits, for ints an int column, for floats a float column before an int one
    extents     the first axis of every input is the batch, a named extent, the same for all. The others are those of
                the column, but for axes of extent 1 that come or go, and vectors: [N,8,8] and [N,64] serve [B,8,8,1],
                and [N,8,8,1] serves [B,64], row-major
    dtypes      as for the arguments of a call: ints become floats with the same values, so that pictures of bytes stay
                0 to 255; floats never become ints
    cost        one pass in blocks; nothing is held in memory that was not
    errors      E0804, E0805, E0806, E0807; E0809 for NaN and infinity in a column for floats; E0702 for large folders of
                pictures, whose pictures are only opened, not decoded
    """
    check_batch(inputs)
    names = matched(dataset, inputs)
    sizes: dict[str, tuple[int, str]] = {}
    columns: dict[str, Column] = {}
    for info in inputs:
        columns[info.name] = _fitted(dataset, names[info.name], info)
        bind(info, columns[info.name].shape[1:], sizes)
    found = Dataset(dataset.name, columns, dataset.classes, dataset.place)
    for info in inputs:
        check_values(found, info, names[info.name])
    return found


def matched(dataset: Dataset, inputs: Sequence[Declared]) -> dict[str, str]:
    """Input → column. Raises DataError E0804."""
    found = {info.name: info.name for info in inputs if info.name in dataset.columns}
    for info in inputs:
        like = [c for c in _free(dataset, found) if c.casefold() == info.name.casefold()]
        if info.name not in found and len(like) == 1:
            found[info.name] = like[0]
    for info in sorted(inputs, key=is_float):  # ints first: what is left may stand for floats
        if info.name not in found:
            found[info.name] = _only_fit(dataset, info, _free(dataset, found))
    return found


def label_range(dataset: Dataset, name: str, classes: int) -> None:
    """Check that the ints of the input `name` are labels of so many classes: 0 … classes-1.

    cost    one pass in blocks   errors  E0810 with the first example whose label is not
    """
    for start, block in blocks(dataset.columns[name]):
        wrong = np.argwhere((block < 0) | (block >= classes))
        if len(wrong):
            at = tuple(wrong[0])
            allowed = f"0 to {classes - 1}" if classes > 1 else "0 alone"
            advice = "count them from 0" if int(block[at]) == classes else "correct the label, or add classes"
            place = dataset.place(start + at[0])
            raise data_error("E0810", place=place, input=name, value=int(block[at]), allowed=allowed, advice=advice)


def check_values(dataset: Dataset, info: Declared, column: str) -> None:
    """Look through a fitted column: floats are finite (E0809), ints are in the range of their dtype (E0806)."""
    values = dataset.columns[info.name]
    if isinstance(values, Pictures):
        values.check()
        return
    whole = not is_float(info)
    if whole and values.dtype.itemsize == 8 and not isinstance(values, Fitted):
        return
    try:
        for start, block in blocks(values):
            if not whole and not np.isfinite(block).all():
                raise _not_finite(dataset, column, start, block)
    except DataError as problem:
        if problem.diagnostics[0].code != "E0603":
            raise
        given = f"column `{column}` of {dataset.name} has values outside its range"
        advice = "declare the input as `int`"
        raise data_error("E0806", input=info.name, wanted=info.dtype, given=given, advice=advice) from None


def blocks(column: Column) -> Iterator[tuple[int, Array]]:
    """A column in pieces of bounded size, each with the number of its first example."""
    rows = max(1, BLOCK // max(1, prod(column.shape[1:])))
    for start in range(0, column.shape[0], rows):
        yield start, column[start : start + rows]


def _fitted(dataset: Dataset, name: str, info: Declared) -> Column:
    column = dataset.columns[name]
    shape = element(info, column.shape[1:])
    if shape is None:
        given = f"column `{name}` of {dataset.name} is {extents(column.shape)}"
        advice = "give an array of these extents, the examples along the first axis"
        raise data_error("E0805", input=info.name, wanted=extents(info.extents), given=given, advice=advice)
    if not suits(info, column.dtype):
        given = f"column `{name}` of {dataset.name} holds {column.dtype}"
        advice = (
            "give whole numbers"
            if column.dtype.kind == "f"
            else f"convert it to {info.dtype}, or declare the input anew"
        )
        raise data_error("E0806", input=info.name, wanted=info.dtype, given=given, advice=advice)
    tensor = tensor_of(info)
    if shape == column.shape[1:] and column.dtype == tensor.dtype.numpy:
        return column
    return Fitted(column, tensor, shape)


def _only_fit(dataset: Dataset, info: Declared, free: Sequence[str]) -> str:
    fits = [c for c in free if element(info, dataset.columns[c].shape[1:]) is not None]
    fits = [c for c in fits if suits(info, dataset.columns[c].dtype)]
    floats = [c for c in fits if dataset.columns[c].dtype.kind == "f"]
    fits = floats if is_float(info) and floats else fits
    if len(fits) == 1:
        return fits[0]
    raise _no_column(dataset, info, free, fits)


def _no_column(dataset: Dataset, info: Declared, free: Sequence[str], fits: Sequence[str]) -> DataError:
    if fits:
        said = (
            f"{_listed(dataset.columns, fits)} all fit"
            if len(fits) > 2
            else f"{' and '.join(f'`{c}`' for c in fits)} both fit"
        )
        return _unmatched(dataset, info, said, f"rename the one that is meant `{info.name}`")
    wanted = f"it wants {extents(info.extents)} of {info.dtype}"
    rest = f"there is {_listed(dataset.columns, free)}" if free else "no column is left"
    return _unmatched(
        dataset, info, f"{wanted}, and {rest}", did_you_mean(info.name, free, f"name a column `{info.name}`")
    )


def _unmatched(dataset: Dataset, info: Declared, message: str, advice: str) -> DataError:
    return data_error("E0804", data=dataset.name, input=info.name, message=message, advice=advice)


def _listed(columns: Mapping[str, Column], names: Sequence[str]) -> str:
    some = ", ".join(shown(name, columns[name]) for name in names[:6])
    return some + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _free(dataset: Dataset, found: Mapping[str, str]) -> list[str]:
    taken = set(found.values())
    return [c for c in dataset.columns if c not in taken]


def _not_finite(dataset: Dataset, column: str, start: int, block: Array) -> DataError:
    n, *inside = np.argwhere(~np.isfinite(block))[0].tolist()
    position = f" at {extents(inside)}" if inside else ""
    value = f"{block[(n, *inside)]}"
    return data_error("E0809", place=dataset.place(start + n), column=column, value=value, position=position)
