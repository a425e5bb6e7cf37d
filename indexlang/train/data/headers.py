"""The names of a table's columns: which are one vector, and which input each is for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexlang.interop.files import Declared
from indexlang.text.diagnostics import DataError, data_error
from indexlang.train.data.inputs import element

_NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
_BRACKET = re.compile(r"(.+)\[(0|[1-9][0-9]{0,8})\]")
_UNDERSCORE = re.compile(r"(.+)_(0|[1-9][0-9]{0,8})")
NAMES = "begin the file with a line of column names"


@dataclass(frozen=True, slots=True)
class Group:
    """What is to be one column: [N] of one column of the table, or [N,n] of the vector's n."""

    name: str
    columns: tuple[int, ...]
    is_vector: bool


def check_header(name: str, header: Sequence[str]) -> None:
    """Refuse a line that is not one of distinct names. Raises DataError E0803."""
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise _wrong(name, "the cells are not divided by commas", "save it with commas between the cells")
    if all(_NUMBER.fullmatch(cell) for cell in header):
        raise _wrong(name, "line 1 holds numbers, not the names of the columns", NAMES)
    for n, cell in enumerate(header):
        if not cell:
            raise _wrong(name, f"column {n + 1} has no name in line 1", NAMES)
        if cell in header[:n]:
            raise _wrong(name, f"two columns have the name `{cell}`", "rename one of the two")


def groups(name: str, header: Sequence[str], inputs: Sequence[Declared]) -> tuple[Group, ...]:
    """The columns of a table, those of a vector together. Raises DataError E0803."""
    check_header(name, header)
    taken = {info.name for info in inputs}
    vectors = _vectors(header, _BRACKET, taken)
    for stem, at in vectors.items():
        lacking = next((k for k in range(len(at)) if k not in at), None)
        if lacking is not None or stem in header:
            said = (
                f"column `{stem}` stands beside `{stem}[0]`" if lacking is None else f"`{stem}[{lacking}]` is missing"
            )
            raise _wrong(name, said, f"name the columns of a vector {stem}[0], {stem}[1], …")
    for stem, at in _vectors(header, _UNDERSCORE, taken).items():
        if stem not in header and stem not in vectors and all(k in at for k in range(len(at))):
            vectors[stem] = at
    return _in_order(header, vectors)


def for_inputs(found: Sequence[Group], inputs: Sequence[Declared]) -> dict[str, Group]:
    """Input → the group of its name, or else of its name in other capitals, if there is just one."""
    by_name = {group.name: group for group in found}
    matched = {info.name: by_name[info.name] for info in inputs if info.name in by_name}
    free = [group for group in found if group not in matched.values()]
    for info in inputs:
        like = [group for group in free if group.name.casefold() == info.name.casefold()]
        if info.name not in matched and len(like) == 1:
            matched[info.name] = like[0]
    return matched


def left_over(
    rest: Sequence[Group], inputs: Sequence[Declared], whole: Iterable[str]
) -> Mapping[str, tuple[Group, ...]]:
    """Which of the groups that no input has a name for are for the inputs (`inputs`) that have none.

    whole  the names of groups of whole numbers: the only such is for the only scalar input of ints
    """
    singles = [group for group in rest if not group.is_vector]
    scalars = [info for info in inputs if len(info.extents) == 1 and not info.dtype.startswith("f")]
    labels = [group for group in singles if group.name in whole]
    given: dict[str, tuple[Group, ...]] = {}
    if len(scalars) == 1 and len(labels) == 1:
        given[scalars[0].name] = (labels[0],)
        singles.remove(labels[0])
    vectors = [info for info in inputs if len(info.extents) > 1]
    if len(vectors) == 1 and singles and element(vectors[0], (len(singles),)) is not None:
        given[vectors[0].name] = tuple(singles)
    return given


def _vectors(header: Sequence[str], form: re.Pattern[str], taken: Iterable[str]) -> dict[str, dict[int, int]]:
    """Stem → element of the vector → column of the table."""
    found: dict[str, dict[int, int]] = {}
    for column, cell in enumerate(header):
        match = form.fullmatch(cell)
        if match and cell not in taken:
            found.setdefault(match[1].rstrip(), {})[int(match[2])] = column
    return found


def _in_order(header: Sequence[str], vectors: Mapping[str, Mapping[int, int]]) -> tuple[Group, ...]:
    found = [Group(stem, tuple(at[k] for k in sorted(at)), is_vector=True) for stem, at in vectors.items()]
    inside = {column for group in found for column in group.columns}
    found += [Group(cell, (n,), is_vector=False) for n, cell in enumerate(header) if n not in inside]
    return tuple(sorted(found, key=lambda group: min(group.columns)))


def _wrong(name: str, message: str, advice: str) -> DataError:
    return data_error("E0803", place=name, message=message, advice=advice)
