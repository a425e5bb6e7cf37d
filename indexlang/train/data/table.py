"""Columns from CSV files. The numbers are read strictly: a cell is a number in ASCII, or an error with its line."""

import csv
import io
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from indexlang.interop.disk import open_file
from indexlang.interop.files import Declared
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import plural, visible
from indexlang.train.data.dataset import Array, Dataset
from indexlang.train.data.headers import Group, for_inputs, groups, left_over

BLOCK = 4096  # lines that are turned into numbers at a time
_SPACE = "[ \t]*"
_WHOLE = rf"{_SPACE}[+-]?[0-9]{{1,18}}{_SPACE}"
_NUMBER = rf"{_SPACE}[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?{_SPACE}"
WHOLE = re.compile(rf"{_WHOLE}(?:\n{_WHOLE})*")
NUMBER = re.compile(rf"{_NUMBER}(?:\n{_NUMBER})*")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Examples by the lines on which they end, counted from 1."""

    name: str
    lines: "array[int]"

    def __call__(self, n: int) -> str:
        """`train.csv, line 18`."""
        return f"{self.name}, line {self.lines[n]}"


def read_table(path: Path, inputs: Sequence[Declared]) -> Dataset:
    """The columns of a CSV file: a line of names, then a line of numbers for each example; blank lines are passed over.

    A header `x` is a column [N]; `x[0]`, `x[1]`, … or `x_0`, `x_1`, … together are the column `x` [N,n]. If one float
    input of n numbers an example has no header of its name, the n headers that no other input has a name for (nor, of
    those, the only one of whole numbers for an int input) are its column, in their order. Once every input has its
    headers, others are not read. Whole numbers of up to 18 digits give int64, others float64.

    errors  E0701; E0803 with the line: no header, a name twice, cells missing or not numbers, not UTF-8 text
    """
    name = str(path)
    with open_file(path) as file:
        try:
            header, records = _records(file, name)
            found = groups(name, header, inputs)
            named = for_inputs(found, inputs)
            wanted = tuple(named.values()) if len(named) == len(inputs) else found
            needed = tuple(sorted({at for group in wanted for at in group.columns}))
            lines, columns = _columns(name, header, needed, records)
        except UnicodeDecodeError as problem:
            said = f"byte {problem.object[problem.start]:#04x} is not UTF-8 text"
            raise wrong(name, said, "save the file as UTF-8") from None
    values = dict(zip(needed, columns, strict=True))
    rest = [group for group in wanted if group not in named.values()]
    whole = [group.name for group in rest if values[group.columns[0]].dtype == np.int64]
    given = left_over(rest, [info for info in inputs if info.name not in named], whole)
    used = {group for several in given.values() for group in several}
    arrays = {name: _joined(several, values) for name, several in given.items()}
    arrays |= {group.name: _joined((group,), values) for group in wanted if group not in used}
    return Dataset(name, arrays, (), Lines(name, lines))


def wrong(place: str, message: str, advice: str) -> DataError:
    """The error of a table."""
    return data_error("E0803", place=place, message=message, advice=advice)


Record = tuple[int, list[str]]


def _records(file: BinaryIO, name: str) -> tuple[list[str], Iterator[Record]]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    records = _read(text, name)
    header = next(records, None)
    if header is None:
        raise wrong(name, "it is empty", "write a line of column names, then a line for each example")
    return [visible(cell.strip()) for cell in header[1]], records


def _read(text: io.TextIOWrapper, name: str) -> Iterator[Record]:
    reader = csv.reader(text, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise wrong(f"{name}, line {reader.line_num}", f"{problem}", "close every quotation mark") from None
        if cells:
            yield reader.line_num, cells


def _columns(
    name: str, header: list[str], needed: Sequence[int], records: Iterator[Record]
) -> tuple["array[int]", list[Array]]:
    lines = array("q")
    parts: list[list[Array]] = [[] for _ in needed]
    while block := list(islice(records, BLOCK)):
        for line, cells in block:
            if len(cells) != len(header):
                said = f"it has {plural(len(cells), 'cell')}, but there are {plural(len(header), 'column')}"
                raise wrong(f"{name}, line {line}", said, "write one cell for each column")
        at = [line for line, _ in block]
        lines.extend(at)
        for column, part in zip(needed, parts, strict=True):
            part.append(_numbers(name, header[column], at, [cells[column] for _, cells in block]))
    return lines, [np.concatenate(part) if part else np.empty(0) for part in parts]


def _numbers(name: str, column: str, lines: Sequence[int], cells: Sequence[str]) -> Array:
    together = "\n".join(cells)
    whole_lines = together.count("\n") == len(cells) - 1  # no cell, in quotation marks, goes over several
    if whole_lines and WHOLE.fullmatch(together):
        return np.fromstring(together, np.int64, sep="\n")
    if whole_lines and NUMBER.fullmatch(together):
        return np.fromstring(together, np.float64, sep="\n")
    for line, cell in zip(lines, cells, strict=True):
        if not NUMBER.fullmatch(cell) or "\n" in cell:
            raise _not_a_number(f"{name}, line {line}", column, cell)
    raise AssertionError("cells that are numbers make a column of numbers")


def _not_a_number(place: str, column: str, cell: str) -> DataError:
    if not cell.strip():
        return wrong(place, f"the cell of column `{column}` is empty", "write a number, or remove the line")
    text = visible(cell.replace("\n", " "))
    text = text if len(text) <= 40 else text[:40] + "…"
    comma = "write a point, not a comma" if re.fullmatch(r"\s*-?\d+,\d+\s*", cell, re.ASCII) else ""
    advice = comma or "write digits 0-9, one point, an exponent: 12, 0.5, 1e-3"
    return wrong(place, f"`{text}` in column `{column}` is not a number", advice)


def _joined(several: Sequence[Group], values: Mapping[int, Array]) -> Array:
    """[N] for one group of one column, else [N,n]."""
    arrays = [values[at] for group in several for at in group.columns]
    alone = len(several) == 1 and not several[0].is_vector
    return arrays[0] if alone else np.stack(arrays, axis=1)
