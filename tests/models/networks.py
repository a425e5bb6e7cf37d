"""The networks of torchvision that examples/models has: which file and constants say each, and how large it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import indexlang as il
from indexlang.program import Program

FOLDER = Path(__file__).parents[2] / "examples" / "models"


@dataclass(frozen=True, slots=True)
class Network:
    """One network.

    name        torchvision's              params  trained numbers; `heads` more in auxiliary heads, in training only
    file        of examples/models         giga    10^9 multiply-adds for one picture of the side it was made for
    constants   what chooses this network  small   a side that is large enough for it, for quick comparisons
    drops       the constants that say how much its dropouts leave out
    """

    name: str
    file: str
    params: int
    giga: float
    constants: Mapping[str, int | float] = field(default_factory=dict[str, int | float])
    heads: int = 0
    drops: tuple[str, ...] = ()
    small: int = 64

    def load(self, dtype: str = "f32", training: bool = False, **constants: int | float) -> Program:
        known = {**self.constants, **constants}
        return il.load(FOLDER / self.file, constants=known, dtype=dtype, training=training)


_RESNET = "resnet.idx"
NETWORKS = (
    Network("alexnet", "alexnet.idx", 61_100_840, 0.7142, small=67, drops=("drop",)),
    Network("vgg11", "vgg.idx", 132_863_336, 7.6091, {"depth": 11}, small=32, drops=("drop",)),
    Network("vgg13", "vgg.idx", 133_047_848, 11.3085, {"depth": 13}, small=32, drops=("drop",)),
    Network("vgg16", "vgg.idx", 138_357_544, 15.4703, {"depth": 16}, small=32, drops=("drop",)),
    Network("vgg19", "vgg.idx", 143_667_240, 19.6321, {"depth": 19}, small=32, drops=("drop",)),
    Network("vgg11_bn", "vgg.idx", 132_868_840, 7.6091, {"depth": 11, "norm": 1}, small=32, drops=("drop",)),
    Network("vgg13_bn", "vgg.idx", 133_053_736, 11.3085, {"depth": 13, "norm": 1}, small=32, drops=("drop",)),
    Network("vgg16_bn", "vgg.idx", 138_365_992, 15.4703, {"depth": 16, "norm": 1}, small=32, drops=("drop",)),
    Network("vgg19_bn", "vgg.idx", 143_678_248, 19.6321, {"depth": 19, "norm": 1}, small=32, drops=("drop",)),
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
    Network("squeezenet1_0", "squeezenet.idx", 1_248_424, 0.8189, {"version": 1.0}, drops=("drop",)),
    Network("squeezenet1_1", "squeezenet.idx", 1_235_496, 0.3492, {"version": 1.1}, drops=("drop",)),
    Network("mobilenet_v2", "mobilenet_v2.idx", 3_504_872, 0.3008, drops=("drop",)),
    Network("mnasnet0_5", "mnasnet.idx", 2_218_512, 0.1045, {"width": 0.5}, drops=("drop",)),
    Network("mnasnet0_75", "mnasnet.idx", 3_170_208, 0.2155, {"width": 0.75}, drops=("drop",)),
    Network("mnasnet1_0", "mnasnet.idx", 4_383_312, 0.3144, {"width": 1.0}, drops=("drop",)),
    Network("mnasnet1_3", "mnasnet.idx", 6_282_256, 0.5264, {"width": 1.3}, drops=("drop",)),
    Network("densenet121", "densenet.idx", 7_978_856, 2.8342, {"depth": 121}),
    Network("densenet161", "densenet.idx", 28_681_000, 7.7279, {"depth": 161}),
    Network("densenet169", "densenet.idx", 14_149_480, 3.3598, {"depth": 169}),
    Network("densenet201", "densenet.idx", 20_013_928, 4.2914, {"depth": 201}),
    Network("shufflenet_v2_x0_5", "shufflenet_v2.idx", 1_366_792, 0.0405, {"width": 0.5}),
    Network("shufflenet_v2_x1_0", "shufflenet_v2.idx", 2_278_604, 0.1449, {"width": 1.0}),
    Network("shufflenet_v2_x1_5", "shufflenet_v2.idx", 3_503_624, 0.2958, {"width": 1.5}),
    Network("shufflenet_v2_x2_0", "shufflenet_v2.idx", 7_393_996, 0.5833, {"width": 2.0}),
    Network("googlenet", "googlenet.idx", 6_624_904, 1.4984, heads=6_379_984, drops=("drop", "drop_aux")),
    Network("inception_v3", "inception_v3.idx", 23_834_568, 5.7132, heads=3_326_696, small=107, drops=("drop",)),
)
BY_NAME = {n.name: n for n in NETWORKS}
