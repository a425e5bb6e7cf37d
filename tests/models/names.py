"""Our parameters and torchvision's: names by patterns, axes and signs by kind of layer.

A pattern is a text with holes, `layer_{k}_{l}.conv{n}`: a hole is a word of letters and digits, and the same hole stands for
the same text on both sides, or for a number that is larger: `{k+7}`. A row is a layer of ours, and torchvision's layers with
its weights and with its batch norm.
"""

import re
from collections.abc import Callable, Iterator, Mapping
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
MIXED = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7b", "7c")

ALEXNET: Rows = (
    *((f"conv{n}", f"features.{at}", "") for n, at in enumerate((0, 3, 6, 8, 10), 1)),
    *((f"fc{n}", f"classifier.{at}", "") for n, at in ((6, 1), (7, 4), (8, 6))),
)

MOBILENET: Rows = (
    ("stem", "features.0.0", "features.0.1"),
    ("block_1.depth", "features.1.conv.0.0", "features.1.conv.0.1"),
    ("block_1.project", "features.1.conv.1", "features.1.conv.2"),
    ("block_{n}.expand", "features.{n}.conv.0.0", "features.{n}.conv.0.1"),
    ("block_{n}.depth", "features.{n}.conv.1.0", "features.{n}.conv.1.1"),
    ("block_{n}.project", "features.{n}.conv.2", "features.{n}.conv.3"),
    ("last", "features.18.0", "features.18.1"),
    ("fc", "classifier.1", ""),
)

MNASNET: Rows = (
    ("stem", "layers.0", "layers.1"),
    ("depth", "layers.3", "layers.4"),
    ("project", "layers.6", "layers.7"),
    ("block_{k}_{l}.expand", "layers.{k+7}.{l}.layers.0", "layers.{k+7}.{l}.layers.1"),
    ("block_{k}_{l}.depth", "layers.{k+7}.{l}.layers.3", "layers.{k+7}.{l}.layers.4"),
    ("block_{k}_{l}.project", "layers.{k+7}.{l}.layers.6", "layers.{k+7}.{l}.layers.7"),
    ("last", "layers.14", "layers.15"),
    ("fc", "classifier.1", ""),
)


DENSENET: Rows = (
    ("stem", "features.conv0", "features.norm0"),
    (
        "layer_{k}_{l}.conv{n}",
        "features.denseblock{k}.denselayer{l}.conv{n}",
        "features.denseblock{k}.denselayer{l}.norm{n}",
    ),
    ("transition_{k}", "features.transition{k}.conv", "features.transition{k}.norm"),
    ("last", "", "features.norm5"),
    ("fc", "classifier", ""),
)

SHUFFLENET: Rows = (
    ("stem", "conv1.0", "conv1.1"),
    ("unit_{k}_{l}.left.depth", "stage{k}.{l}.branch1.0", "stage{k}.{l}.branch1.1"),
    ("unit_{k}_{l}.left.second", "stage{k}.{l}.branch1.2", "stage{k}.{l}.branch1.3"),
    ("unit_{k}_{l}.right.first", "stage{k}.{l}.branch2.0", "stage{k}.{l}.branch2.1"),
    ("unit_{k}_{l}.right.depth", "stage{k}.{l}.branch2.3", "stage{k}.{l}.branch2.4"),
    ("unit_{k}_{l}.right.second", "stage{k}.{l}.branch2.5", "stage{k}.{l}.branch2.6"),
    ("last", "conv5.0", "conv5.1"),
    ("fc", "fc", ""),
)


def _basic(ours: str, theirs: str) -> tuple[str, str, str]:
    return (ours, f"{theirs}.conv", f"{theirs}.bn")


GOOGLENET: Rows = (
    _basic("conv{n}", "conv{n}"),
    _basic("mixed{k}.one", "inception{k}.branch1"),
    _basic("mixed{k}.reduce3", "inception{k}.branch2.0"),
    _basic("mixed{k}.three", "inception{k}.branch2.1"),
    _basic("mixed{k}.reduce5", "inception{k}.branch3.0"),
    _basic("mixed{k}.five", "inception{k}.branch3.1"),
    _basic("mixed{k}.pool", "inception{k}.branch4.1"),
    _basic("aux{n}.conv", "aux{n}.conv"),
    ("aux{n}.fc{m}", "aux{n}.fc{m}", ""),
    ("fc", "fc", ""),
)

INCEPTION: Rows = (
    *(
        _basic(f"conv{place}", f"Conv2d_{place}_{size}")
        for place, size in (("1a", "3x3"), ("2a", "3x3"), ("2b", "3x3"))
    ),
    *(_basic(f"conv{place}", f"Conv2d_{place}_{size}") for place, size in (("3b", "1x1"), ("4a", "3x3"))),
    _basic("mixed{k}.pool", "Mixed_{k}.branch_pool"),
    *(_basic(f"mixed{k}.one", f"Mixed_{k}.branch{'3x3' if k == '6a' else '1x1'}") for k in MIXED),
    *(_basic(f"mixed{k}.five{n}", f"Mixed_{k}.branch5x5_{n}") for k in ("5b", "5c", "5d") for n in (1, 2)),
    *(_basic(f"mixed{k}.three{n}", f"Mixed_{k}.branch3x3dbl_{n}") for k in ("5b", "5c", "5d", "6a") for n in (1, 2, 3)),
    *(_basic(f"mixed7a.three{n}", f"Mixed_7a.branch3x3_{n}") for n in (1, 2)),
    _basic("mixed7a.seven{n}", "Mixed_7a.branch7x7x3_{n}"),
    _basic("mixed{k}.seven{n}", "Mixed_{k}.branch7x7_{n}"),
    *(
        _basic(f"mixed{k}.double{n}", f"Mixed_{k}.branch7x7dbl_{n}")
        for k in ("6b", "6c", "6d", "6e")
        for n in range(1, 6)
    ),
    *(_basic(f"mixed{{k}}.three{n}", f"Mixed_{{k}}.branch3x3_{m}") for n, m in ((1, "1"), (2, "2a"), (3, "2b"))),
    *(
        _basic(f"mixed{{k}}.double{n}", f"Mixed_{{k}}.branch3x3dbl_{m}")
        for n, m in ((1, "1"), (2, "2"), (3, "3a"), (4, "3b"))
    ),
    _basic("aux.conv{n}", "AuxLogits.conv{n}"),
    ("aux.fc", "AuxLogits.fc", ""),
    ("fc", "fc", ""),
)


CIFAR: Rows = (
    _basic("conv1", "conv1"),
    _basic("layer_{k}_{l}.conv{n}", "layers.layer_{k}_{l}.conv{n}"),
    ("fc", "fc", ""),
)

ALPHAZERO: Rows = (
    _basic("stem", "stem"),
    _basic("block_{l}.conv{n}", "layers.block_{l}.conv{n}"),
    _basic("{head}.conv", "{head}.conv"),
    ("{head}.{fc}", "{head}.{fc}", ""),
)


def _vgg(depth: int, norm: int = 0) -> Rows:
    """torchvision numbers every step: convolutions, batch norms, relus and pools."""
    found: list[tuple[str, str, str]] = []
    at = 0
    for k, layers in enumerate(
        {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}[depth], 1
    ):
        for n in range(1, layers + 1):
            found.append((f"conv_{k}_{n}", f"features.{at}", f"features.{at + 1}"))
            at += 2 + norm
        at += 1
    return (*found, *((f"fc{n}", f"classifier.{3 * n - 3}", "") for n in (1, 2, 3)))


def _squeezenet(version: float) -> Rows:
    places = (3, 4, 5, 7, 8, 9, 10, 12) if version == 1.0 else (3, 4, 6, 7, 9, 10, 11, 12)
    parts = {"squeeze": "squeeze", "one": "expand1x1", "three": "expand3x3"}
    fires = ((f"fire_{n}.{p}", f"features.{at}.{q}", "") for n, at in enumerate(places, 2) for p, q in parts.items())
    return (("conv1", "features.0", ""), *fires, ("conv10", "classifier.1", ""))


FILES: Mapping[str, Rows | Callable[..., Rows]] = {
    "resnet.idx": RESNET,
    "alexnet.idx": ALEXNET,
    "vgg.idx": _vgg,
    "squeezenet.idx": _squeezenet,
    "mobilenet.idx": MOBILENET,
    "mnasnet.idx": MNASNET,
    "densenet.idx": DENSENET,
    "shufflenet.idx": SHUFFLENET,
    "googlenet.idx": GOOGLENET,
    "inception.idx": INCEPTION,
    "cifar.idx": CIFAR,
    "alphazero.idx": ALPHAZERO,
}

# The features of the picture that a linear layer flattens: torch has them slowest, we have them fastest.
FLATTENED: Mapping[tuple[str, str], int] = {
    ("alexnet.idx", "fc6"): 256,
    ("vgg.idx", "fc1"): 512,
    ("googlenet.idx", "aux1.fc1"): 128,
    ("googlenet.idx", "aux2.fc1"): 128,
    ("alphazero.idx", "policy.fc"): 2,
}

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
            return _filled(other, match.groupdict()) + "." + LEAVES[leaf]
    raise KeyError(name)


def rows(file: str, constants: Mapping[str, Any]) -> Rows:
    """The layers of a file; where torchvision's names follow no pattern, its constants say which variant is meant."""
    found = FILES[file]
    return found if isinstance(found, tuple) else found(**constants)


def _expression(pattern: str) -> str:
    pieces = re.split(r"\{(\w+)\}", pattern)
    return "".join(f"(?P<{p}>[A-Za-z0-9]+)" if n % 2 else re.escape(p) for n, p in enumerate(pieces))


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    """`layers.{k+7}.{l}` with k = 1 and l = 0 is `layers.8.0`."""

    def value(hole: re.Match[str]) -> str:
        return values[hole[1]] if hole[2] is None else str(int(values[hole[1]]) + int(hole[2]))

    return re.sub(r"\{(\w+)(?:\+(\d+))?\}", value, pattern)


def ours(file: str, name: str, array: Array, extents: tuple[int, ...]) -> Array:
    """An array of torchvision's in our axes and with our sign; `extents` are those of our parameter `name`."""
    layer, _, leaf = name.rpartition(".")
    if leaf == "B":
        return -array  # the lecture subtracts
    if leaf != "W":
        return array
    match len(extents):
        case 2:
            features = FLATTENED.get((file, layer), 1)
            return array.reshape(len(array), features, -1).transpose(0, 2, 1).reshape(array.shape)
        case 3:
            return array[:, 0].transpose(1, 2, 0)
        case 4:
            return array.transpose(2, 3, 1, 0)
        case _:
            groups = array.reshape(extents[2], extents[4], *array.shape[1:])  # g j i x y
            return groups.transpose(3, 4, 0, 2, 1)


def carried(
    file: str, constants: Mapping[str, Any], wanted: Mapping[str, Any], found: Mapping[str, Array]
) -> Iterator[tuple[str, Array]]:
    """Each of our parameters and states with its value in torchvision's `found`, by name."""
    for name, info in wanted.items():
        yield name, ours(file, name, found[theirs(file, name, constants)], tuple(info.extents))
