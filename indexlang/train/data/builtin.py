"""Data that comes with other packages: the digits of scikit-learn, the faces of scikit-image."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from indexlang.interop.packages import optional
from indexlang.train.data.dataset import Dataset

GREYS = 16  # the brightest pixel of a digit
FACES = 100  # so many faces come first, then as many patches without one


def digits() -> Dataset:
    """1,797 handwritten digits: image [1797,8,8,1] f32 in [0,1], label [1797] 0 to 9.

    source  UCI's optical recognition of handwritten digits, in scikit-learn   errors  E0802
    """
    load: Any = _module("digits", "sklearn.datasets", "scikit-learn").load_digits
    found = load()
    image = (found.images[..., np.newaxis] / GREYS).astype(np.float32)
    return Dataset("digits", {"image": image, "label": found.target.astype(np.int64)}, tuple("0123456789"))


def faces() -> Dataset:
    """200 grey patches of photographs: image [200,25,25,1] f32 in [0,1], label [200], 1 for a face.

    source  Labelled Faces in the Wild, a part of it in scikit-image   errors  E0802
    """
    load: Any = _module("faces", "skimage.data", "scikit-image").lfw_subset
    image = load()[..., np.newaxis].astype(np.float32)
    label = (np.arange(len(image)) < FACES).astype(np.int64)
    return Dataset("faces", {"image": image, "label": label}, ("no face", "face"))


BUILTIN: Mapping[str, Callable[[], Dataset]] = MappingProxyType({"digits": digits, "faces": faces})


def _module(what: str, name: str, package: str) -> Any:
    return optional(name, f"`{what}`", package, "data")
