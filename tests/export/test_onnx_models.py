"""Every family of `examples/models` through ONNX: onnxruntime computes what we compute, for a batch whose size is a name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported import assert_same
from models.catalogue import BY_NAME, FOLDER, MODELS

import indexlang as il

SMALL = {"alexnet.idx": 64, "vgg.idx": 32, "inception.idx": 75}
QUICK = ("squeezenet1_1", "shufflenet_v2_x0_5")


def filled(net: il.Program) -> il.Program:
    """Random parameters; batch norms that shift and scale, so that none of their numbers can be mistaken for another."""
    net.init(0)
    random = np.random.default_rng(1)
    for name, array in net.params.items():
        if name.endswith((".gamma", ".beta", ".B")):
            net.params[name] = (array + 0.2 * random.normal(size=array.shape)).astype(array.dtype)
    for name, array in net.state.items():
        net.state[name] = (array + 0.2 * random.uniform(size=array.shape)).astype(array.dtype)
    return net


def agree(file: str, constants: Any, folder: Path) -> None:
    net = filled(il.load(FOLDER / file, constants=constants))
    assert net.size_names == ("B",)
    assert_same(net, net.bound(B=2).example_inputs(1), folder)


def agree_with_pictures(name: str, folder: Path) -> None:
    model = BY_NAME[name]
    agree(model.file, {**model.constants, "side": SMALL.get(model.file, 33)}, folder)


@pytest.mark.parametrize("name", QUICK)
def test_a_family(name: str, tmp_path: Path) -> None:
    agree_with_pictures(name, tmp_path)


def test_small_pictures_and_boards(tmp_path: Path) -> None:
    agree("cifar.idx", {"blocks": 1}, tmp_path)
    agree("alphazero.idx", {"blocks": 1, "side": 5, "planes": 4, "features": 8}, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("name", [m.name for m in MODELS if m.name not in QUICK])
def test_the_others(name: str, tmp_path: Path) -> None:
    agree_with_pictures(name, tmp_path)
