"""Columns from .npy and .npz files; large ones stay on the disk, mapped into memory."""

import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from indexlang.interop.disk import open_file
from indexlang.interop.files import as_numbers, not_an_array
from indexlang.interop.weights import open as archives
from indexlang.train.data.dataset import LARGE, Array

LOCAL_HEADER = 30  # bytes of a zip member's own header, before its name and extra field (APPNOTE 4.3.7)


def read_npy(path: Path) -> Array:
    """The array of an .npy file, mapped if it is large. Raises DataError E0701, E0704."""
    with open_file(path) as file:
        try:
            return as_numbers(_array_at(file, 0), path)
        except Exception as problem:
            raise not_an_array(path, problem) from None


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of an .npz file by name. Large ones that are stored uncompressed are mapped; their checksums are not
    computed, since that would read them whole. Raises DataError E0701, E0704.
    """
    with open_file(path) as file:
        if size_of(file) < LARGE:
            return archives.read_npz(file, path)
        try:
            return {name: as_numbers(array, path) for name, array in _members(file).items()}
        except Exception as problem:
            raise not_an_array(path, problem) from None


def size_of(file: BinaryIO) -> int:
    """The bytes of an open file."""
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _members(file: BinaryIO) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        return {m.filename.removesuffix(".npy"): _member(archive, file, m) for m in members}


def _member(archive: zipfile.ZipFile, file: BinaryIO, member: zipfile.ZipInfo) -> Array:
    if member.compress_type == zipfile.ZIP_STORED and member.file_size >= LARGE:
        file.seek(member.header_offset)
        header = file.read(LOCAL_HEADER)
        names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        return _array_at(file, member.header_offset + LOCAL_HEADER + names)
    with archive.open(member) as inside:
        return np.lib.format.read_array(inside, allow_pickle=False)


def _array_at(file: BinaryIO, start: int) -> Array:
    """The array whose header begins at `start`: read, or mapped if it is large."""
    file.seek(start)
    version = np.lib.format.read_magic(file)
    header: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size < LARGE or dtype.hasobject:
        file.seek(start)
        return np.lib.format.read_array(file, allow_pickle=False)
    order = "F" if fortran else "C"
    return np.memmap(file, dtype, "r", file.tell(), shape, order)
