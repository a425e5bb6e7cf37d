"""The directory of a zip archive, read with suspicion: members stored or deflated, each name once, none over another.

Nothing is extracted to disk. Sizes are compared with the file before anything is allocated for them.
source  PKWARE, .ZIP File Format Specification 6.3, 4.3 and 4.5.3
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from indexlang.interop.weights.archive import MOST_ENTRIES, Damaged, shown, taken

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

LOCAL, CENTRAL, END, LOCATOR, END64 = (b"PK" + mark for mark in (b"\3\4", b"\1\2", b"\5\6", b"\6\7", b"\6\6"))
END_SIZE, LOCAL_SIZE, CENTRAL_SIZE, LONGEST_COMMENT = 22, 30, 46, 65535
LONGEST_DIRECTORY = 64 << 20
STORED, DEFLATED = 0, 8
ENCRYPTED = 1
MOST_DEFLATED = 1032  # times: no deflated byte can stand for more
CUT = "it is damaged or cut off: it is no whole zip archive"


@dataclass(frozen=True, slots=True)
class Member:
    """A member: `packed` bytes from offset `at`, which hold `size` bytes."""

    name: str
    at: int
    packed: int
    size: int
    crc: int
    method: int


def members(file: BinaryIO, size: int) -> dict[str, Member]:
    """The members of an archive of `size` bytes by name. Raises Damaged."""
    at, length, count = _directory(file, size)
    raw = taken(file, at, length).tobytes()
    found: dict[str, Member] = {}
    for name, header, packed, unpacked, crc, method in _rows(raw, count):
        if name in found:
            raise Damaged(f"it has two members named `{shown(name)}`")
        found[name] = Member(name, _place(file, header, packed, at), packed, unpacked, crc, method)
    _apart(found)
    return found


def contents(file: BinaryIO, member: Member) -> Bytes:
    """All bytes of a member, its checksum compared. Raises Damaged."""
    raw = taken(file, member.at, member.packed)
    whole = raw if member.method == STORED else _inflated(raw.tobytes(), member.size, member.name)
    if whole.size != member.size or zlib.crc32(whole.data) != member.crc:
        raise Damaged(f"the checksum of its member `{shown(member.name)}` is wrong")
    return whole


def head(file: BinaryIO, member: Member, count: int) -> bytes:
    """The first `count` bytes of a member, or all if it has fewer. Raises Damaged."""
    raw = taken(file, member.at, min(count, member.packed)).tobytes()
    return raw if member.method == STORED else _inflated(raw, min(count, member.size), member.name).tobytes()


def _directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Where the central directory begins, how long it is, and of how many members."""
    length = min(size, END_SIZE + LONGEST_COMMENT)
    tail = taken(file, size - length, length).tobytes()
    found = tail.rfind(END)
    if found < 0 or len(tail) - found < END_SIZE:
        raise Damaged(CUT)
    end = size - length + found
    count, directory, at = struct.unpack("<HII", tail[found + 10 : found + 20])
    if 0xFFFF in (count,) or 0xFFFFFFFF in (directory, at):
        end, count, directory, at = _directory64(file, end)
    if at + directory > end or directory > LONGEST_DIRECTORY or count > MOST_ENTRIES:
        raise Damaged(CUT)
    return at, directory, count


def _directory64(file: BinaryIO, end: int) -> tuple[int, int, int, int]:
    if end < 20 or (locator := taken(file, end - 20, 20).tobytes())[:4] != LOCATOR:
        raise Damaged(CUT)
    (at,) = struct.unpack("<Q", locator[8:16])
    if at + 56 > end or (record := taken(file, at, 56).tobytes())[:4] != END64:
        raise Damaged(CUT)
    count, directory, begin = struct.unpack("<QQQ", record[32:56])
    return at, count, directory, begin


def _rows(raw: bytes, count: int) -> Iterator[tuple[str, int, int, int, int, int]]:
    """Name, place of the local header, packed size, size, checksum and method of each member."""
    at = 0
    for _ in range(count):
        if raw[at : at + 4] != CENTRAL or len(raw) < at + CENTRAL_SIZE:
            raise Damaged(CUT)
        flags, method, crc, packed, size, n, extra, comment, header = struct.unpack(
            "<8xHH4xIIIHHH8xI", raw[at : at + CENTRAL_SIZE]
        )
        at += CENTRAL_SIZE
        name = _name(raw[at : at + n])
        size, packed, header = _wide(raw[at + n : at + n + extra], size, packed, header)
        at += n + extra + comment
        if flags & ENCRYPTED or method not in (STORED, DEFLATED):
            raise Damaged(f"its member `{shown(name)}` is encrypted, or compressed in a way that is not read")
        if size != packed if method == STORED else size > MOST_DEFLATED * (packed + 1):
            raise Damaged(f"its member `{shown(name)}` claims {size} bytes, which it cannot hold")
        yield name, header, packed, size, crc, method


def _name(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Damaged("it has a member whose name is no text") from None
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise Damaged(f"it has a member named `{shown(name)}`, which leaves the archive")
    return name


def _wide(extra: bytes, *numbers: int) -> tuple[int, ...]:
    """The sizes and the place, from the extra field where 32 bits are too few (4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack("<HH", extra[at : at + 4])
        if kind == 1:
            block = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack(f"<{len(block) // 8}Q", block[: len(block) // 8 * 8]))
            return tuple(next(wide, LARGE) if n == LARGE else n for n in numbers)
        at += 4 + length
    return numbers


LARGE = 0xFFFFFFFF


def _place(file: BinaryIO, header: int, packed: int, end: int) -> int:
    """Where the bytes of a member begin, behind its local header."""
    if header + LOCAL_SIZE > end:
        raise Damaged(CUT)
    raw = taken(file, header, LOCAL_SIZE).tobytes()
    name, extra = struct.unpack("<HH", raw[26:30])
    at = header + LOCAL_SIZE + name + extra
    if raw[:4] != LOCAL or at + packed > end:
        raise Damaged(CUT)
    return at


def _apart(found: dict[str, Member]) -> None:
    """Members that share their bytes are how a small archive becomes a large one."""
    end = 0
    for member in sorted(found.values(), key=lambda m: (m.at, m.packed)):
        if member.at < end:
            raise Damaged(f"its member `{shown(member.name)}` lies over another")
        end = member.at + member.packed


def _inflated(raw: bytes, most: int, name: str) -> Bytes:
    """The first `most` bytes that `raw` stands for, or fewer if there are no more."""
    try:
        whole = zlib.decompressobj(-15).decompress(raw, most) if most else b""
    except zlib.error:
        raise Damaged(f"its member `{shown(name)}` is damaged") from None
    return np.frombuffer(whole, np.uint8)
