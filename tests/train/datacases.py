"""What the tests of data share: inputs without a program, datasets of numbered examples, and the code of an error."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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


def told(call: Callable[..., Any], *arguments: Any) -> tuple[str, str, str]:
    """Code, message and hint of the one DataError that the call ends in."""
    with pytest.raises(DataError) as caught:
        call(*arguments)
    (found,) = caught.value.diagnostics
    assert found.hint
    return found.code, found.message, found.hint


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
