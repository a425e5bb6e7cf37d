"""Our parameters and torchvision's: names by patterns, axes and signs by kind of layer.

A pattern is a text with holes, `layer_{k}_{l}.conv{n}`: a hole is a word of letters and digits, and the same hole stands for
the same text on both sides. A row is a layer of ours, and torchvision's layers with its weights and with its batch norm.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Rows = tuple[tuple[str, str, str], ...]

RESNET: Rows = (
    ("conv1", "conv1", "bn1"),
    ("layer_{k}_{l}.conv{n}", "layer{k}.{l}.conv{n}", "layer{k}.{l}.bn{n}"),
    ("layer_{k}_{l}.downsample", "layer{k}.{l}.downsample.0", "layer{k}.{l}.downsample.1"),
    ("fc", "fc", ""),
)
FILES: Mapping[str, Rows] = {"resnet.idx": RESNET}

# The extents of the picture that a linear layer flattens, where that is more than a vector.
FLATTENED: Mapping[tuple[str, str], tuple[int, int]] = {}

LEAVES = {
    "W": "weight",
    "B": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}


def theirs(file: str, name: str, constants: Mapping[str, Any]) -> str:
    """The name in torchvision of our parameter or state `name`. Raises KeyError if no row is about it."""
    layer, _, leaf = name.rpartition(".")
    for ours, weights, norm in rows(file, constants):
        match = re.fullmatch(_expression(ours), layer)
        if match:
            other = weights if leaf in ("W", "B") else norm
            return other.format(**match.groupdict()) + "." + LEAVES[leaf]
    raise KeyError(name)


def rows(file: str, constants: Mapping[str, Any]) -> Rows:
    return FILES[file]


def _expression(pattern: str) -> str:
    pieces = re.split(r"\{(\w+)\}", pattern)
    return "".join(f"(?P<{p}>[A-Za-z0-9]+)" if n % 2 else re.escape(p) for n, p in enumerate(pieces))


def ours(file: str, name: str, array: Array, extents: tuple[int, ...]) -> Array:
    """An array of torchvision's in our axes and with our sign; `extents` are those of our parameter `name`."""
    layer, _, leaf = name.rpartition(".")
    if leaf == "B":
        return -array  # the lecture subtracts
    if leaf != "W":
        return array
    match len(extents):
        case 2:
            return _linear(array, FLATTENED.get((file, layer)))
        case 3:
            return array[:, 0].transpose(1, 2, 0)
        case 4:
            return array.transpose(2, 3, 1, 0)
        case _:
            groups = array.reshape(extents[2], extents[4], *array.shape[1:])  # g j i x y
            return groups.transpose(3, 4, 0, 2, 1)


def _linear(array: Array, picture: tuple[int, int] | None) -> Array:
    if picture is None:
        return array
    split = array.reshape(len(array), -1, *picture)  # torch flattens with the features slowest
    return split.transpose(0, 2, 3, 1).reshape(array.shape)


def carried(
    file: str, constants: Mapping[str, Any], wanted: Mapping[str, Any], found: Mapping[str, Array]
) -> Iterator[tuple[str, Array]]:
    """Each of our parameters and states with its value in torchvision's `found`, by name."""
    for name, info in wanted.items():
        yield name, ours(file, name, found[theirs(file, name, constants)], tuple(info.extents))
