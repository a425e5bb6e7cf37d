"""Values of tensors from files, and to files: npy and npz as they are, pictures fitted to the declared extents."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from indexlang.interop.disk import check_place, open_file, open_inside, reason, written_aside
from indexlang.interop.pictures import read_picture, write_picture
from indexlang.interop.weights.open import read_npz
from indexlang.interop.weights.write import write_npz
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import plural

ARRAYS = (".npy", ".npz")
PICTURES = (".png", ".jpg", ".jpeg")


class Declared(Protocol):
    """What is known of an input: extents that are not numbers are named ones, still free."""

    @property
    def name(self) -> str:
        """As the program writes it."""
        ...

    @property
    def extents(self) -> Sequence[int | str | None]:
        """Numbers; names, or None, where they are open."""
        ...

    @property
    def dtype(self) -> str:
        """`f32`, `int`, …"""
        ...


def is_picture(path: Path) -> bool:
    """Whether an input of this name is read as a picture."""
    return path.suffix.lower() not in ARRAYS


def read_input(
    path: Path, info: Declared, folder: Path | None = None, shorter: int | None = None
) -> np.ndarray[Any, Any]:
    """The value of an input, from a picture, or an array taken as it is.

    path     .npy, .npz (its only array, or the one of the input's name), else a picture
    folder   where the program lies, when it is the program that names the file: then nothing outside is read
    shorter  to how many pixels the shorter side of a picture is scaled, before it is cut about its centre
    errors   E0701 unreadable, E0702 no picture, E0703 outside the folder, E0704 no array, E0601 no extents of a picture
    """
    with open_file(path) if folder is None else open_inside(folder, path) as file:
        if path.suffix.lower() in ARRAYS:
            return _read_array(file, path, info.name)
        return read_picture(file, path, info.name, info.extents, info.dtype, shorter)


def write_output(path: Path, name: str, value: np.ndarray[Any, Any]) -> None:
    """Write one tensor; the ending of `path` says how: .npy, .npz (under its name), .png, .jpg (E0705)."""
    check_output(path)
    ending = path.suffix.lower()
    if ending in PICTURES:
        write_picture(path, value)
        return
    with written_aside(path) as aside:
        if ending == ".npz":
            write_npz(aside, {name: value})
            return
        with open(aside, "xb") as file:
            np.lib.format.write_array(file, value, allow_pickle=False)


def check_output(path: Path) -> None:
    """Refuse what `write_output` cannot write to, before anything is computed for it (E0705)."""
    check_place(path, (*ARRAYS, *PICTURES), ".npy, .npz, .png or .jpg")


def _read_array(file: BinaryIO, path: Path, name: str) -> np.ndarray[Any, Any]:
    if path.suffix.lower() == ".npz":
        return _named(read_npz(file, path), path, name)
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except (Exception, MemoryError) as problem:
        raise not_an_array(path, problem) from None
    return as_numbers(array, path)


def _named(arrays: dict[str, np.ndarray[Any, Any]], path: Path, name: str) -> np.ndarray[Any, Any]:
    if name in arrays:
        return arrays[name]
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    names = ", ".join(sorted(arrays)[:8])
    raise data_error("E0704", path=path, reason=f"it has {plural(len(arrays), 'array')} ({names}), none named {name}")


def as_numbers(array: np.ndarray[Any, Any], path: Path) -> np.ndarray[Any, Any]:
    """The array, if it holds bools, ints or floats (E0704)."""
    if array.dtype.kind in "biuf":
        return array
    raise data_error("E0704", path=path, reason=f"it holds {array.dtype}, not numbers")


def not_an_array(path: Path, problem: BaseException) -> DataError:
    """The error that says why a file is no file of arrays, from what its decoder raised."""
    if isinstance(problem, DataError):
        return problem
    match problem:
        case MemoryError():
            said = "it needs more memory than there is"
        case zipfile.BadZipFile():
            said = "it is damaged, or not an .npz file"
        case ValueError() if "pickle" in str(problem):
            said = "it holds Python objects, not numbers"
        case ValueError() if "magic" in str(problem):
            said = "it is not an .npy file"
        case Exception():
            said = reason(problem)
        case _:
            said = type(problem).__name__
    return data_error("E0704", path=path, reason=said)
