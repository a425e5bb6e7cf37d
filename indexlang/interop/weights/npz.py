"""npz: a zip archive of .npy members. Headers are read by numpy, after their length, and compared with the member."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from indexlang.interop.weights.archive import Array, Damaged, Entry, checked_extents, product, shown
from indexlang.interop.weights.forms import BY_CODE, decoded
from indexlang.interop.weights.zips import Member, contents, head

ENDING = ".npy"
LONGEST_HEADER = 10_000
MAGIC = b"\x93NUMPY"


def entries(file: BinaryIO, members: dict[str, Member]) -> Iterator[Entry]:
    """The arrays of an .npz archive. Raises Damaged."""
    for name, member in members.items():
        if not name.endswith(ENDING):
            raise Damaged(f"its member `{shown(name)}` is no array")
        yield _entry(file, member, name[: -len(ENDING)])


def _entry(file: BinaryIO, member: Member, name: str) -> Entry:
    raw = head(file, member, LONGEST_HEADER + 12)
    start, given, fortran, dtype = _header(raw, name)
    extents = checked_extents(name, given)
    code = dtype.str[1:]
    if code not in BY_CODE:
        raise Damaged(_no_numbers(name, dtype))
    form = BY_CODE[code]
    if start + product(extents) * form.size != member.size:
        raise Damaged(f"`{shown(name)}` does not have the bytes that its extents need")

    def read() -> Array:
        flat = decoded(contents(file, member)[start:], form, ">" if dtype.str[0] == ">" else "<")
        return flat.reshape(extents, order="F" if fortran else "C")

    return Entry(name, form, extents, read)


def _header(raw: bytes, name: str) -> tuple[int, tuple[int, ...], bool, np.dtype[Any]]:
    """Where the numbers begin, extents, whether the first axis runs fastest, and dtype."""
    version = raw[6:8]
    if raw[:6] != MAGIC or version not in (b"\1\0", b"\2\0"):
        raise Damaged(f"its member `{shown(name)}{ENDING}` is not an .npy file")
    read: Any = np.lib.format.read_array_header_1_0 if version == b"\1\0" else np.lib.format.read_array_header_2_0
    stream = io.BytesIO(raw[8:])
    try:
        extents, fortran, dtype = read(stream, max_header_size=LONGEST_HEADER)
    except Exception:  # a stranger's text, read as a Python literal: it fails in many ways
        raise Damaged(f"the header of `{shown(name)}` is damaged") from None
    return 8 + stream.tell(), extents, fortran, dtype


def _no_numbers(name: str, dtype: np.dtype[Any]) -> str:
    if dtype.hasobject:
        return f"`{shown(name)}` holds Python objects, not numbers"
    return f"`{shown(name)}` holds {shown(str(dtype))}, not numbers of 64 bits or fewer"
