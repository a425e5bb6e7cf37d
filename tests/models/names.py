"""What torchvision calls the parameters of examples/models, and how it lays them out.

A package of ours (`layer_1_0.conv1`) is a module of torchvision (`layer1.0.conv1`). The rows of a file are tried from
top to bottom; `{k}` is any part without a point, and the same on both sides.
"""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "resnet.idx": (
        ("layer_{k}_{b}.down.conv", "layer{k}.{b}.downsample.0"),
        ("layer_{k}_{b}.down.bn", "layer{k}.{b}.downsample.1"),
        ("layer_{k}_{b}.{m}", "layer{k}.{b}.{m}"),
        ("{m}", "{m}"),
    ),
}
MEMBERS = {
    "W": "weight", "B": "bias", "gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var",
}  # fmt: skip

# Layers that see a map of rows and columns as one axis: torch has the features slowest, we have them fastest.
MAPS: Mapping[tuple[str, str], tuple[int, int]] = {}


def torch_name(file: str, name: str) -> str:
    """`layer_1_0.conv1.W` → `layer1.0.conv1.weight`. Raises KeyError where no row of the file fits."""
    package, _, member = name.rpartition(".")
    for ours, theirs in NAMES[file]:
        match = re.fullmatch(_pattern(ours), package)
        if match is not None:
            return f"{theirs.format(**match.groupdict())}.{MEMBERS[member]}"
    raise KeyError(name)


def _pattern(ours: str) -> str:
    parts = re.split(r"\{(\w+)\}", ours)
    return "".join(f"(?P<{p}>[^._]+)" if n % 2 else re.escape(p) for n, p in enumerate(parts))


def from_torch(file: str, name: str, extents: tuple[int, ...], theirs: Array) -> Array:
    """A parameter of torchvision, or its gradient, as ours: W[dx,dy,i,j], W[dx,dy,j] of depthwise convolutions,
    W[dx,dy,g,i,j] of grouped ones, W[j,i]; thresholds are biases with the sign turned."""
    package, _, member = name.rpartition(".")
    if member == "B":
        return -theirs
    if member != "W":
        return theirs
    match len(extents):
        case 2:
            return _of_map(theirs, *MAPS.get((file, package), (1, 1)))
        case 3:
            return theirs[:, 0].transpose(1, 2, 0)
        case 5:
            return theirs.reshape(extents[2], extents[4], *theirs.shape[1:]).transpose(3, 4, 0, 2, 1)
        case _:
            return theirs.transpose(2, 3, 1, 0)


def _of_map(theirs: Array, rows: int, columns: int) -> Array:
    j, i = theirs.shape
    return theirs.reshape(j, i // (rows * columns), rows, columns).transpose(0, 2, 3, 1).reshape(j, i)
