"""The networks of torchvision that examples/models has: which file and constants say each, and how large it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import indexlang as il

FOLDER = Path(__file__).parents[2] / "examples" / "models"


@dataclass(frozen=True, slots=True)
class Network:
    """One network.

    name        torchvision's              params  trained numbers; `heads` more in auxiliary heads, in training only
    file        of examples/models         giga    10^9 multiply-adds for one picture of the side it was made for
    constants   what chooses this network  small   a side that is large enough for it, for quick comparisons
    """

    name: str
    file: str
    params: int
    giga: float
    constants: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    heads: int = 0
    small: int = 64

    def load(self, dtype: str = "f32", training: bool = False, **constants: int | float) -> il.Program:
        known = {**self.constants, **constants}
        return il.load(FOLDER / self.file, constants=known, dtype=dtype, training=training)


_RESNET = "resnet.idx"
NETWORKS = (
    Network("resnet18", _RESNET, 11_689_512, 1.8141, {"depth": 18}),
    Network("resnet34", _RESNET, 21_797_672, 3.6638, {"depth": 34}),
    Network("resnet50", _RESNET, 25_557_032, 4.0892, {"depth": 50}),
    Network("resnet101", _RESNET, 44_549_160, 7.8014, {"depth": 101}),
    Network("resnet152", _RESNET, 60_192_808, 11.5136, {"depth": 152}),
    Network("resnext50_32x4d", _RESNET, 25_028_904, 4.2305, {"depth": 50, "groups": 32, "width": 4}),
    Network("resnext101_32x8d", _RESNET, 88_791_336, 16.4140, {"depth": 101, "groups": 32, "width": 8}),
    Network("resnext101_64x4d", _RESNET, 83_455_272, 15.4603, {"depth": 101, "groups": 64, "width": 4}),
    Network("wide_resnet50_2", _RESNET, 68_883_240, 11.3980, {"depth": 50, "width": 128}),
    Network("wide_resnet101_2", _RESNET, 126_886_696, 22.7531, {"depth": 101, "width": 128}),
)
BY_NAME = {n.name: n for n in NETWORKS}
