"""Augmentation: pictures mirrored, shifted, with noise. What an example gets depends on its number, epoch and seed alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexlang.interop.files import Declared
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import did_you_mean, visible
from indexlang.train.data import draws
from indexlang.train.data.dataset import Array, Rows, extents
from indexlang.train.data.inputs import is_float

KINDS = ("flip", "crop", "noise")
ADVICE = "write flip, crop:2, noise:0.05, or some of them with commas between"
MOST = 10_000  # pixels of a shift


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirror y, the axis that goes to the right, of every second example."""

    def change(self, batch: Mapping[str, Array], seed: int, epoch: int, examples: Rows) -> dict[str, Array]:
        """Mirror the pictures of a batch whose drawn bit says so; labels and numbers stay."""
        mirrored = draws.bits(examples, "flip", seed, epoch) >> np.uint64(63) == 1
        return {name: _mirrored(value, mirrored) if is_picture(value) else value for name, value in batch.items()}


@dataclass(frozen=True, slots=True)
class Crop:
    """Pad by zeros on all sides and cut out a part of the old size: a shift by up to `pixels` along x and y."""

    pixels: int

    def change(self, batch: Mapping[str, Array], seed: int, epoch: int, examples: Rows) -> dict[str, Array]:
        """Shift the pictures of a batch, each by two drawn numbers."""
        down = draws.below(2 * self.pixels + 1, examples, "crop down", seed, epoch)
        right = draws.below(2 * self.pixels + 1, examples, "crop right", seed, epoch)
        return {name: self._cut(value, down, right) if is_picture(value) else value for name, value in batch.items()}

    def _cut(self, value: Array, down: Rows, right: Rows) -> Array:
        n = self.pixels
        around = ((0, 0), (n, n), (n, n), *((0, 0),) * (value.ndim - 3))
        b = np.arange(len(value))[:, None, None]
        x = _places(down, value.shape[1])[:, :, np.newaxis]
        y = _places(right, value.shape[2])[:, np.newaxis]
        return np.pad(value, around)[b, x, y]


@dataclass(frozen=True, slots=True)
class Noise:
    """Add normal numbers of standard deviation `deviation` to every float."""

    deviation: float

    def change(self, batch: Mapping[str, Array], seed: int, epoch: int, examples: Rows) -> dict[str, Array]:
        """Add to each float of a batch a number drawn for its example and place."""
        return {
            name: self._noisy(name, a, seed, epoch, examples) if a.dtype.kind == "f" else a for name, a in batch.items()
        }

    def _noisy(self, name: str, value: Array, seed: int, epoch: int, examples: Rows) -> Array:
        normals = draws.Normals("noise", name, seed, epoch)
        noise = np.empty(value.shape, np.float32)
        for n, example in enumerate(examples):
            normals.fill(noise[n : n + 1], int(example))
        noise *= np.float32(self.deviation)
        return value + noise


Change = Flip | Crop | Noise


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Changes of the examples of a batch, one after the other; none of them leaves the examples as they are."""

    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def changed(self, batch: Mapping[str, Array], seed: int, epoch: int, examples: Rows) -> dict[str, Array]:
        """The batch of the examples with the numbers `examples` [b], changed as they are in this epoch.

        shapes  name → [b, …]; flip and crop change floats of four axes and more, [b,X,Y,C], noise all floats
        """
        for change in self.changes:
            batch = change.change(batch, seed, epoch, examples)
        return dict(batch)


NONE = Augmentation()


def augmentation(spec: str, inputs: Sequence[Declared]) -> Augmentation:
    """What `flip,crop:2,noise:0.05` says, in that order; nothing for an empty text.

    errors  E0814 for other words, numbers that cannot be, and where no input could be changed
    """
    changes = tuple(_change(word.strip()) for word in spec.split(",")) if spec.strip() else ()
    names = [type(change) for change in changes]
    for n, change in enumerate(changes):
        if type(change) in names[:n]:
            raise _wrong(KINDS[(Flip, Crop, Noise).index(type(change))], "it is given twice", "give it once")
        _check_inputs(change, inputs)
    return Augmentation(changes)


def is_picture(value: Array) -> bool:
    """Whether a batch is of pictures: floats [b,X,Y,C], or more axes."""
    return value.dtype.kind == "f" and value.ndim >= 4


def _places(starts: Rows, extent: int) -> Rows:
    """[b, extent]: where each element of an axis lies that begins at the example's start."""
    return np.add.outer(starts, np.arange(extent))


def _mirrored(value: Array, mirrored: Array) -> Array:
    where = mirrored.reshape(-1, *(1,) * (value.ndim - 1))
    return np.where(where, value[:, :, ::-1], value)


def _change(word: str) -> Change:
    kind, colon, number = (part.strip() for part in word.partition(":"))
    match kind:
        case "flip":
            if colon:
                raise _wrong(word, "flip takes no number", "write `flip`")
            return Flip()
        case "crop":
            if not re.fullmatch("[0-9]{1,5}", number) or not 0 < int(number) <= MOST:
                raise _wrong(word, "crop takes a number of pixels", "write a whole number of 1 or more, as in `crop:2`")
            return Crop(int(number))
        case "noise":
            if not re.fullmatch(r"[0-9]{0,9}\.?[0-9]{0,30}(?:e-?[0-9]{1,2})?", number) or not _positive(number):
                raise _wrong(word, "noise takes a standard deviation", "write a number above 0, as in `noise:0.05`")
            return Noise(float(number))
        case _:
            raise _wrong(word, "there is no such augmentation", did_you_mean(kind, KINDS, ADVICE))


def _positive(number: str) -> bool:
    try:
        return 0 < float(number) < float("inf")
    except ValueError:
        return False


def _check_inputs(change: Change, inputs: Sequence[Declared]) -> None:
    floats = [info for info in inputs if is_float(info)]
    pictures = [info for info in floats if len(info.extents) >= 4]
    match change:
        case Noise():
            if not floats:
                raise _wrong("noise", "no input of the program holds floats", "leave it out")
        case Flip() | Crop():
            if not pictures:
                word = "flip" if isinstance(change, Flip) else "crop"
                raise _wrong(
                    word,
                    "no input has the axes of pictures, [B,X,Y,C] of floats",
                    "leave it out, or declare such an input",
                )
    if isinstance(change, Crop):
        small = [info for info in pictures if any(isinstance(n, int) and n <= change.pixels for n in info.extents[1:3])]
        if small:
            said = f"it could shift all of `{small[0].name}`{extents(small[0].extents)} away"
            raise _wrong(f"crop:{change.pixels}", said, "give fewer pixels than the picture has")


def _wrong(word: str, message: str, advice: str) -> DataError:
    return data_error("E0814", word=visible(word), message=message, advice=advice)
