"""What a file of weights holds: tensors that are known by name, extents and form before any of them is read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from indexlang.interop.weights.forms import Form
from indexlang.text.names import visible

Array = np.ndarray[Any, Any]

MOST_AXES = 32
MOST_ENTRIES = 100_000
LARGEST = 2**63

# Headers may claim more numbers than the file has bytes for: a compressed archive, a tensor that repeats its elements.
TIMES_THE_FILE = 16
AT_LEAST = 64 << 20


class Damaged(Exception):
    """The file is not what it should be; the text goes on after `FILE: `."""


class Refused(Exception):
    """The file asks for a Python object that is not a tensor; the text is its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a file. `read` gives its values: floats of 16 bits widened to float32, the rest as they are."""

    name: str
    form: Form
    extents: tuple[int, ...]
    read: Callable[[], Array]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return product(self.extents)


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of weights, open: `kind` is its format in words."""

    path: Path
    kind: str
    entries: Mapping[str, Entry]


def product(extents: Iterable[int]) -> int:
    """In Python's integers: numpy's product of large extents is 0."""
    found = 1
    for n in extents:
        found *= n
    return found


def checked_extents(name: str, extents: object) -> tuple[int, ...]:
    """`extents` of a header, if they can be extents. Raises Damaged."""
    if not isinstance(extents, list | tuple) or len(extents) > MOST_AXES:  # pyright: ignore[reportUnknownArgumentType]
        raise Damaged(f"the header of `{shown(name)}` has no extents")
    found: list[int] = []
    for n in extents:  # pyright: ignore[reportUnknownVariableType]
        if type(n) is not int or not 0 <= n < LARGEST:  # pyright: ignore[reportUnknownArgumentType]
            raise Damaged(f"the header of `{shown(name)}` has extents that cannot be")
        found.append(n)
    if product(n for n in found if n) >= LARGEST:
        raise Damaged(f"`{shown(name)}` claims more than 2^63 numbers")
    return tuple(found)


def by_name(entries: Iterable[Entry], size: int) -> dict[str, Entry]:
    """The entries of a file of `size` bytes by name: each name once, and no more numbers than it can hold (Damaged)."""
    found: dict[str, Entry] = {}
    claimed = 0
    for entry in entries:
        if entry.name in found:
            raise Damaged(f"it has two tensors named `{shown(entry.name)}`")
        if not entry.name:
            raise Damaged("it has a tensor without a name")
        if not printable(entry.name):
            raise Damaged("it has a name that is no Unicode text")
        if len(found) == MOST_ENTRIES:
            raise Damaged(f"it has more than {MOST_ENTRIES} tensors")
        found[entry.name] = entry
        claimed += entry.elements * entry.form.width
    if claimed > TIMES_THE_FILE * size + AT_LEAST:
        raise Damaged(f"it claims {claimed >> 20} MiB of numbers in a file of {size >> 20} MiB; save it uncompressed")
    return found


def printable(name: str) -> bool:
    """A lone surrogate is no character, and can be neither printed nor written."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


def shown(name: str) -> str:
    """A name for a message: not too long, and what would act on a terminal spelled out."""
    text = visible(name[:80]).replace("\n", "<U+000A>")
    return text if len(name) <= 80 else text + "…"


def taken(file: BinaryIO, at: int, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """`count` bytes from offset `at`. The caller has compared both with the size of the file (Damaged if it shrinks)."""
    file.seek(at)
    raw = np.fromfile(file, np.uint8, count)
    if raw.size != count:
        raise Damaged("it ended while it was read")
    return raw
