"""Pictures by class: folder/class/picture.png, decoded at once if that is small, else when a batch needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.interop.disk import open_file, reason
from indexlang.interop.files import PICTURES, Declared
from indexlang.interop.pictures import check_picture, read_picture
from indexlang.ir.dtypes import DType
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import visible
from indexlang.train.data.dataset import LARGE, Array, Dataset, Rows, extents
from indexlang.train.data.inputs import check_batch

OTHERS = (".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".ppm", ".pgm")
LAYOUT = "lay them out as folder/class/picture.png"


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """A column of pictures that are decoded when they are asked for, each to the extents `element`."""

    paths: tuple[Path, ...]
    input: Declared
    element: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """One example a file; nothing is opened to know it."""
        return (len(self.paths), *self.element)

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the input."""
        return DType(self.input.dtype).numpy

    def __getitem__(self, at: Rows | slice, /) -> Array:
        numbers: Rows = np.arange(len(self.paths))[at]
        out = np.empty((len(numbers), *self.element), self.dtype)
        for picture, n in zip(out, numbers, strict=True):
            picture[...] = decoded(self.paths[int(n)], self.input, self.element)
        return out

    def check(self) -> None:
        """Open every picture, without decoding it (E0701, E0702)."""
        for path in self.paths:
            with open_file(path) as file:
                check_picture(file, path)


@dataclass(frozen=True, slots=True)
class Files:
    """Examples by the files they are in."""

    names: tuple[str, ...]

    def __call__(self, n: int) -> str:
        """The path of the file that example `n` is in."""
        return self.names[n]


def read_pictures(folder: Path, inputs: Sequence[Declared]) -> Dataset:
    """The pictures of `folder/class/picture.png` for the input of pictures, and the number of their class as `label`.

    classes   the names of the folders, sorted; names that begin with a dot are passed over
    pictures  for the only input [B,X,Y] or [B,X,Y,C], C of 1, 3 or 4: scaled and cut to its extents, in [0,1] for floats.
              Extents that are names are those of the first picture, and then of all
    errors    E0811 no such layout; E0804 no such input; E0701, E0702 a picture that cannot be read; E0805 unequal ones
    """
    paths, labels, classes = _found(folder)
    info = _picture_input(folder, inputs)
    shape = _element(paths[0], info)
    column = Pictures(paths, info, shape)
    size = len(paths) * prod(shape) * column.dtype.itemsize
    pixels = column if size > LARGE else column[:]
    names = Files(tuple(visible(str(path)) for path in paths))
    return Dataset(str(folder), {info.name: pixels, "label": np.array(labels, np.int64)}, classes, names)


def decoded(path: Path, info: Declared, element: tuple[int, ...]) -> Array:
    """One picture as an example of the input. Raises DataError E0701, E0702, E0805."""
    with open_file(path) as file:
        value = read_picture(file, path, info.name, info.extents[1:], info.dtype)
    if value.shape == element:
        return value
    given = f"{path} is {extents(value.shape)} and the first picture {extents(element)}"
    wanted = f"pictures of one size as {extents(info.extents)}"
    raise data_error("E0805", input=info.name, wanted=wanted, given=given, advice="declare the extents as numbers")


def _element(path: Path, info: Declared) -> tuple[int, ...]:
    wanted = info.extents[1:]
    known = tuple(n for n in wanted if isinstance(n, int))
    if len(known) == len(wanted):
        decoded(path, info, known)
        return known
    with open_file(path) as file:
        return read_picture(file, path, info.name, wanted, info.dtype).shape


def _found(folder: Path) -> tuple[tuple[Path, ...], list[int], tuple[str, ...]]:
    """The pictures, the number of the class of each, and the classes."""
    inside = _listed(folder)
    classes = [path for path in inside if path.is_dir()]
    if not classes:
        said = "it is empty" if not inside else "it has no folder for each class"
        raise data_error("E0811", path=folder, message=said, advice=LAYOUT)
    paths: list[Path] = []
    labels: list[int] = []
    for number, of_class in enumerate(classes):
        pictures = _pictures(of_class)
        paths += pictures
        labels += [number] * len(pictures)
    return tuple(paths), labels, tuple(visible(path.name) for path in classes)


def _pictures(folder: Path) -> list[Path]:
    inside = _listed(folder)
    for path in inside:
        if path.suffix.lower() in OTHERS:
            raise data_error("E0702", path=path)
        if path.is_dir():
            raise data_error("E0811", path=path, message="it is a folder inside that of a class", advice=LAYOUT)
    pictures = [path for path in inside if path.suffix.lower() in PICTURES]
    if not pictures:
        raise data_error("E0811", path=folder, message="it holds no PNG or JPEG pictures", advice=LAYOUT)
    return pictures


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (OSError, ValueError) as problem:
        raise data_error(
            "E0701", path=folder, reason=reason(problem), advice="give a folder that may be read"
        ) from None


def _picture_input(folder: Path, inputs: Sequence[Declared]) -> Declared:
    check_batch(inputs)
    found = [info for info in inputs if len(info.extents) > 2 and info.dtype != "bool"]
    if len(found) == 1:
        return found[0]
    said = "no input has the extents of pictures" if not found else "several inputs could be pictures"
    raise _no_input(folder, inputs[0] if not found else found[0], said)


def _no_input(folder: Path, info: Declared, message: str) -> DataError:
    advice = "declare one input of pictures, as in `input image[B, 32, 32, 3]`"
    return data_error("E0804", data=folder, input=info.name, message=message, advice=advice)
