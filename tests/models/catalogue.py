"""The models of `examples/models`: which file with which constants is which of torchvision's, and how large it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "models"


@dataclass(frozen=True)
class Model:
    """A variant of a family.

    name        torchvision's; `file` and `constants` are ours          side  rows and columns of the picture it is made for
    parameters  in use; `heads` more belong to heads for training alone    macs  of convolutions and linear layers, one picture
    small       a side that is quick to run and leaves every window inside
    """

    name: str
    file: str
    constants: Mapping[str, int | float]
    parameters: int
    macs: int
    heads: int = 0
    side: int = 224
    small: int = 64
    options: Mapping[str, object] = field(default_factory=dict[str, object])  # of torchvision's function

    @property
    def path(self) -> Path:
        return FOLDER / self.file


# fmt: off
MODELS = (
    Model("resnet18", "resnet.idx", {"depth": 18}, 11_689_512, 1_814_073_344),
    Model("resnet34", "resnet.idx", {"depth": 34}, 21_797_672, 3_663_761_408),
    Model("resnet50", "resnet.idx", {"depth": 50}, 25_557_032, 4_089_184_256),
    Model("resnet101", "resnet.idx", {"depth": 101}, 44_549_160, 7_801_405_440),
    Model("resnet152", "resnet.idx", {"depth": 152}, 60_192_808, 11_513_626_624),
    Model("resnext50_32x4d", "resnet.idx", {"depth": 50, "groups": 32, "width": 4}, 25_028_904, 4_230_479_872),
    Model("resnext101_32x8d", "resnet.idx", {"depth": 101, "groups": 32, "width": 8}, 88_791_336, 16_414_015_488),
    Model("resnext101_64x4d", "resnet.idx", {"depth": 101, "groups": 64, "width": 4}, 83_455_272, 15_460_270_080),
    Model("wide_resnet50_2", "resnet.idx", {"depth": 50, "width": 128}, 68_883_240, 11_398_021_120),
    Model("wide_resnet101_2", "resnet.idx", {"depth": 101, "width": 128}, 126_886_696, 22_753_050_624),
    Model("alexnet", "alexnet.idx", {}, 61_100_840, 714_188_480),
    Model("vgg11", "vgg.idx", {"depth": 11}, 132_863_336, 7_609_090_048),
    Model("vgg13", "vgg.idx", {"depth": 13}, 133_047_848, 11_308_466_176),
    Model("vgg16", "vgg.idx", {"depth": 16}, 138_357_544, 15_470_264_320),
    Model("vgg19", "vgg.idx", {"depth": 19}, 143_667_240, 19_632_062_464),
    Model("vgg11_bn", "vgg.idx", {"depth": 11, "norm": 1}, 132_868_840, 7_609_090_048),
    Model("vgg13_bn", "vgg.idx", {"depth": 13, "norm": 1}, 133_053_736, 11_308_466_176),
    Model("vgg16_bn", "vgg.idx", {"depth": 16, "norm": 1}, 138_365_992, 15_470_264_320),
    Model("vgg19_bn", "vgg.idx", {"depth": 19, "norm": 1}, 143_678_248, 19_632_062_464),
    Model("squeezenet1_0", "squeezenet.idx", {"version": 1.0}, 1_248_424, 818_924_576),
    Model("squeezenet1_1", "squeezenet.idx", {"version": 1.1}, 1_235_496, 349_151_936),
    Model("mobilenet_v2", "mobilenet.idx", {}, 3_504_872, 300_774_272),
    Model("mnasnet0_5", "mnasnet.idx", {"alpha": 0.5}, 2_218_512, 104_455_968),
    Model("mnasnet0_75", "mnasnet.idx", {"alpha": 0.75}, 3_170_208, 215_493_104),
    Model("mnasnet1_0", "mnasnet.idx", {"alpha": 1.0}, 4_383_312, 314_415_872),
    Model("mnasnet1_3", "mnasnet.idx", {"alpha": 1.3}, 6_282_256, 526_362_432),
    Model("densenet121", "densenet.idx", {"depth": 121}, 7_978_856, 2_834_161_664),
    Model("densenet161", "densenet.idx", {"depth": 161}, 28_681_000, 7_727_907_072),
    Model("densenet169", "densenet.idx", {"depth": 169}, 14_149_480, 3_359_843_328),
    Model("densenet201", "densenet.idx", {"depth": 201}, 20_013_928, 4_291_365_888),
    Model("shufflenet_v2_x0_5", "shufflenet.idx", {"alpha": 0.5}, 1_366_792, 40_476_448),
    Model("shufflenet_v2_x1_0", "shufflenet.idx", {"alpha": 1.0}, 2_278_604, 144_907_992),
    Model("shufflenet_v2_x1_5", "shufflenet.idx", {"alpha": 1.5}, 3_503_624, 295_759_392),
    Model("shufflenet_v2_x2_0", "shufflenet.idx", {"alpha": 2.0}, 7_393_996, 583_253_464),
    Model("googlenet", "googlenet.idx", {}, 6_624_904, 1_498_376_192, heads=6_379_984, options={"init_weights": False}),
    Model("inception_v3", "inception.idx", {}, 23_834_568, 5_713_216_096, 3_326_696, 299, 139, {"init_weights": False}),
)
# fmt: on
BY_NAME = {m.name: m for m in MODELS}
