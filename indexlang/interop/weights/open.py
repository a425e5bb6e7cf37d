"""A file of weights, opened: its content, not its name, says which format it has."""

import os
import struct
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from indexlang.interop.disk import open_file, reason
from indexlang.interop.weights import npz, safe, torch
from indexlang.interop.weights.archive import Archive, Damaged, Entry, Refused, by_name, taken
from indexlang.interop.weights.zips import members
from indexlang.memory import memory_limit
from indexlang.text.diagnostics import DataError, data_error

HINT = "give a .safetensors or .npz file, or a state_dict that `torch.save` wrote (.pth, .pt)"
PICKLES = (".pth", ".pt", ".pkl", ".pickle", ".bin", ".ckpt", ".tar")
PROTO = 0x80  # the first opcode of a pickle
FOREIGN = (
    (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file (Keras)"),
    (b"GGUF", "it is a GGUF file"),
    (b"\x93NUMPY", "it is one .npy array without a name; write `np.savez(file, NAME=array)`"),
    (b"\x1f\x8b", "it is compressed with gzip; unpack it first"),
    (b"BZh", "it is compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ", "it is compressed with xz; unpack it first"),
    (b"7z\xbc\xaf", "it is a 7z archive; unpack it first"),
    (b"\x89PNG", "it is a picture"),
    (b"\xff\xd8\xff", "it is a picture"),
    (b"<", "it is a web page or XML, not weights; was the download one?"),
    (b"version https://git-lfs", "it is a pointer of Git LFS, not the weights themselves; fetch them"),
)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Generator[Archive, None, None]:
    """The tensors of a file, known but not read. The file stays open in the block; so long its entries can be read.

    errors  E0701 when it cannot be opened; E0704 when it is damaged, foreign, or claims more than it holds; E0706 when
            it asks for Python objects. Reading an entry may raise E0704 too: a checksum, or a file that changes.
    """
    place = Path(path)
    with open_file(place) as file:
        with _told(place):
            archive = _archive(file, place)
        yield archive


def read_weights(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of a file by name; floats of 16 bits become float32. Raises DataError as `opened` does."""
    with opened(path) as archive:
        return {name: entry.read() for name, entry in archive.entries.items()}


def read_npz(file: BinaryIO, path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """All arrays of an .npz file that is open. Data may be packed as tightly as it can be: the memory is the limit.

    errors  E0704, where it is damaged, has a name twice, or claims more than it holds or than there is memory
    """
    with _told(path, None):
        found = list(npz.entries(file, members(file, os.fstat(file.fileno()).st_size)))
        claimed = sum(entry.elements * entry.form.width for entry in found)
        if claimed > memory_limit():
            raise Damaged(f"it claims {claimed >> 20} MiB of numbers, more than there is memory")
        return {entry.name: entry.read() for entry in found}


@contextmanager
def _told(path: Path, hint: str | None = HINT) -> Generator[None, None, None]:
    """A stranger made the file: whatever it is that cannot be read becomes one error."""
    try:
        yield
    except Refused as found:
        raise data_error("E0706", path=path, name=str(found)) from None
    except (Damaged, MemoryError, OSError, ValueError, RecursionError, struct.error, zlib.error) as problem:
        raise _unreadable(path, problem, hint) from None


def _unreadable(path: Path, problem: Exception, hint: str | None) -> DataError:
    match problem:
        case Damaged():
            said = str(problem)
        case MemoryError():
            said = "it needs more memory than there is"
        case OSError():
            said = reason(problem)
        case _:
            said = "it is damaged"
    return data_error("E0704", path=path, reason=said, hint=hint)


def _archive(file: BinaryIO, path: Path) -> Archive:
    size = os.fstat(file.fileno()).st_size
    start = taken(file, 0, min(size, 64)).tobytes()
    kind, entries = _format(file, path, size, start)
    return Archive(path, kind, {name: _guarded(entry, path) for name, entry in by_name(entries, size).items()})


def _guarded(entry: Entry, path: Path) -> Entry:
    def read() -> np.ndarray[Any, Any]:
        with _told(path):
            return entry.read()

    return replace(entry, read=read)


def _format(file: BinaryIO, path: Path, size: int, start: bytes) -> tuple[str, Iterable[Entry]]:
    if not start:
        raise Damaged("it is empty")
    if start[8:9] == b"{":  # the length of a header before it may be any bytes
        return "safetensors", safe.entries(file, size)
    if start.startswith(b"PK"):
        found = members(file, size)
        return (
            ("torch", torch.zip_entries(file, found)) if torch.is_archive(found) else ("npz", npz.entries(file, found))
        )
    foreign = next((said for mark, said in FOREIGN if start.startswith(mark)), None)
    if foreign:
        raise Damaged(foreign)
    if start[0] == PROTO or path.suffix.lower() in PICKLES:
        return "torch, the older format", torch.stream_entries(file, size)
    return "safetensors", safe.entries(file, size)
