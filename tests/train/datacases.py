"""What the tests of data share: inputs without a program, datasets of numbered examples, and the code of an error."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexlang.text.diagnostics import DataError
from indexlang.train.data.dataset import Dataset


@dataclass(frozen=True)
class Input:
    """What data must know of an input; a TensorInfo is one too."""

    name: str
    extents: tuple[int | str, ...]
    dtype: str = "f32"


IMAGE = Input("image", ("B", 8, 8, 1))
LABEL = Input("label", ("B",), "int")
X = Input("x", ("B", 3))


def only_one(problem: DataError) -> None:
    """An error is one diagnostic with a hint, whose text shows no control characters."""
    (found,) = problem.diagnostics
    assert found.hint
    assert str(problem).replace("\n", "").isprintable()


def numbered(n: int, name: str = "data") -> Dataset:
    """Examples that hold their own number: x[n,3], label[n], image[n,4,5,2]."""
    x = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    image = np.arange(40 * n, dtype=np.float32).reshape(n, 4, 5, 2) + 1
    return Dataset(name, {"x": x, "label": np.arange(n), "image": image})


def picture(path: Path, pixels: Any) -> Path:
    """Write a picture, and the folders it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path
