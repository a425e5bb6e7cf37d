"""What torchvision calls the parameters of examples/models, and how it lays them out.

A package of ours (`layer_1_0.conv1`) is a module of torchvision (`layer1.0.conv1`). The rows of a network are tried from
top to bottom; `{k}` is any part of a name without a point, and the same on both sides.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Rows = tuple[tuple[str, str], ...]


def _positions(ours: str, theirs: str, places: Mapping[object, int]) -> Rows:
    """Layers that have numbers of their own, at places in a list of torchvision."""
    return tuple((ours.format(k), theirs.format(at)) for k, at in places.items())


def _vgg(depth: int, norm: int) -> Rows:
    """torchvision numbers all that stands in one list: each layer with its norm and relu, and each pooling."""
    rows: list[tuple[str, str]] = []
    at = 0
    for k, layers in enumerate(_VGG[depth], 1):
        for m in range(1, layers + 1):
            rows.append((f"layer_{k}_{m}.conv", f"features.{at}"))
            rows.append((f"layer_{k}_{m}.bn", f"features.{at + 1}"))
            at += 2 + norm
        at += 1
    return (*rows, ("fc1", "classifier.0"), ("fc2", "classifier.3"), ("fc3", "classifier.6"))


_VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}

_ALEXNET = (
    *_positions("conv{}", "features.{}", {1: 0, 2: 3, 3: 6, 4: 8, 5: 10}),
    *_positions("fc{}", "classifier.{}", {6: 1, 7: 4, 8: 6}),
)

_RESNET = (
    ("layer_{k}_{b}.down.conv", "layer{k}.{b}.downsample.0"),
    ("layer_{k}_{b}.down.bn", "layer{k}.{b}.downsample.1"),
    ("layer_{k}_{b}.{m}", "layer{k}.{b}.{m}"),
    ("{m}", "{m}"),
)


def _squeezenet(places: Mapping[object, int]) -> Rows:
    fires = tuple(
        (f"fire_{n}.{ours}", f"features.{at}.{theirs}")
        for n, at in places.items()
        for ours, theirs in (("squeeze", "squeeze"), ("expand1", "expand1x1"), ("expand3", "expand3x3"))
    )
    return (*fires, ("conv1", "features.0"), ("conv10", "classifier.1"))


_MOBILENET = (
    ("block_1.depth.conv", "features.1.conv.0.0"),
    ("block_1.depth.bn", "features.1.conv.0.1"),
    ("block_1.project.conv", "features.1.conv.1"),
    ("block_1.project.bn", "features.1.conv.2"),
    ("block_{n}.expand.conv", "features.{n}.conv.0.0"),
    ("block_{n}.expand.bn", "features.{n}.conv.0.1"),
    ("block_{n}.depth.conv", "features.{n}.conv.1.0"),
    ("block_{n}.depth.bn", "features.{n}.conv.1.1"),
    ("block_{n}.project.conv", "features.{n}.conv.2"),
    ("block_{n}.project.bn", "features.{n}.conv.3"),
    ("stem.conv", "features.0.0"),
    ("stem.bn", "features.0.1"),
    ("last.conv", "features.18.0"),
    ("last.bn", "features.18.1"),
    ("fc", "classifier.1"),
)

_MNASNET = (
    ("stack_{k}_{b}.expand.conv", "layers.{k}.{b}.layers.0"),
    ("stack_{k}_{b}.expand.bn", "layers.{k}.{b}.layers.1"),
    ("stack_{k}_{b}.depth.conv", "layers.{k}.{b}.layers.3"),
    ("stack_{k}_{b}.depth.bn", "layers.{k}.{b}.layers.4"),
    ("stack_{k}_{b}.project.conv", "layers.{k}.{b}.layers.6"),
    ("stack_{k}_{b}.project.bn", "layers.{k}.{b}.layers.7"),
    *_positions("{}.conv", "layers.{}", {"stem": 0, "depth": 3, "project": 6, "last": 14}),
    *_positions("{}.bn", "layers.{}", {"stem": 1, "depth": 4, "project": 7, "last": 15}),
    ("fc", "classifier.1"),
)

_DENSENET = (
    ("layer_{k}_{m}.{n}", "features.denseblock{k}.denselayer{m}.{n}"),
    ("transition_{k}.{n}", "features.transition{k}.{n}"),
    ("fc", "classifier"),
    ("{n}", "features.{n}"),
)

_SHUFFLENET = (
    *(
        (f"stage_{{k}}_{{m}}.{layer}.{kind}", f"stage{{k}}.{{m}}.{branch}.{at + (kind == 'bn')}")
        for layer, branch, at in (
            ("left.depth", "branch1", 0),
            ("left.project", "branch1", 2),
            ("right.reduce", "branch2", 0),
            ("right.depth", "branch2", 3),
            ("right.project", "branch2", 5),
        )
        for kind in ("conv", "bn")
    ),
    ("stem.conv", "conv1.0"),
    ("stem.bn", "conv1.1"),
    ("last.conv", "conv5.0"),
    ("last.bn", "conv5.1"),
    ("fc", "fc"),
)

_GOOGLENET = (
    ("inception_{k}.branch{b}_{n}.{m}", "inception{k}.branch{b}.{n}.{m}"),
    ("inception_{k}.branch1.{m}", "inception{k}.branch1.{m}"),
    ("{n}.conv.{m}", "{n}.conv.{m}"),
    ("{n}.{m}", "{n}.{m}"),
    ("fc", "fc"),
)

_INCEPTION = (
    ("mixed_{k}.{b}.{m}", "Mixed_{k}.{b}.{m}"),
    ("conv_3b.{m}", "Conv2d_3b_1x1.{m}"),
    ("conv_{k}.{m}", "Conv2d_{k}_3x3.{m}"),
    ("aux.{n}.{m}", "AuxLogits.{n}.{m}"),
    ("aux.fc", "AuxLogits.fc"),
    ("fc", "fc"),
)

NAMES: Mapping[str, Rows] = {
    "alexnet": _ALEXNET,
    **{f"vgg{depth}": _vgg(depth, 0) for depth in _VGG},
    **{f"vgg{depth}_bn": _vgg(depth, 1) for depth in _VGG},
    "resnet": _RESNET,
    "resnext": _RESNET,
    "wide_resnet": _RESNET,
    "squeezenet1_0": _squeezenet({2: 3, 3: 4, 4: 5, 5: 7, 6: 8, 7: 9, 8: 10, 9: 12}),
    "squeezenet1_1": _squeezenet({2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}),
    "mobilenet_v2": _MOBILENET,
    "mnasnet": _MNASNET,
    "densenet": _DENSENET,
    "shufflenet_v2": _SHUFFLENET,
    "googlenet": _GOOGLENET,
    "inception_v3": _INCEPTION,
}
MEMBERS = {
    "W": "weight", "B": "bias", "gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var",
}  # fmt: skip

# Layers that see a map of rows and columns as one axis: torch has the features slowest, we have them fastest.
MAPS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("alexnet", "fc6"): (6, 6),
    ("vgg", "fc1"): (7, 7),
    ("googlenet", "aux1.fc1"): (4, 4),
    ("googlenet", "aux2.fc1"): (4, 4),
}


def rows_of(network: str) -> Rows:
    """The rows of a network, or of its family. Raises KeyError."""
    return NAMES[network] if network in NAMES else next(rows for n, rows in NAMES.items() if network.startswith(n))


def torch_name(network: str, name: str) -> str:
    """`layer_1_0.conv1.W` → `layer1.0.conv1.weight`. Raises KeyError where no row of the network fits."""
    package, _, member = name.rpartition(".")
    for ours, theirs in rows_of(network):
        match = re.fullmatch(_pattern(ours), package)
        if match is not None:
            return f"{theirs.format(**match.groupdict())}.{MEMBERS[member]}"
    raise KeyError(name)


def _pattern(ours: str) -> str:
    parts = re.split(r"\{(\w+)\}", ours)
    return "".join(f"(?P<{p}>[^.]+)" if n % 2 else re.escape(p) for n, p in enumerate(parts))


def from_torch(network: str, name: str, extents: tuple[Any, ...], theirs: Array) -> Array:
    """A parameter of torchvision, or its gradient, as ours: W[dx,dy,i,j], W[dx,dy,j] of depthwise convolutions,
    W[dx,dy,g,i,j] of grouped ones, W[j,i]; thresholds are biases with the sign turned."""
    package, _, member = name.rpartition(".")
    if member == "B":
        return -theirs
    if member != "W":
        return theirs
    match len(extents):
        case 2:
            family = "vgg" if network.startswith("vgg") else network
            return _of_map(theirs, *MAPS.get((family, package), (1, 1)))
        case 3:
            return theirs[:, 0].transpose(1, 2, 0)
        case 5:
            return theirs.reshape(extents[2], extents[4], *theirs.shape[1:]).transpose(3, 4, 0, 2, 1)
        case _:
            return theirs.transpose(2, 3, 1, 0)


def _of_map(theirs: Array, rows: int, columns: int) -> Array:
    j, i = theirs.shape
    return theirs.reshape(j, i // (rows * columns), rows, columns).transpose(0, 2, 3, 1).reshape(j, i)
