"""Weights by other names and axes: whole or not at all, and back bit by bit."""

from pathlib import Path

import numpy as np
import pytest
from commandline import indexlang

from indexlang.api import compile as compiled
from indexlang.interop.maps import to_ours, to_theirs
from indexlang.interop.maps.rules import families
from indexlang.interop.weights import read_weights, write_weights
from indexlang.text.diagnostics import DataError

RANDOM = np.random.default_rng(0)
ALEXNET = {
    "conv1.W": (3, 2, 3, 4), "conv1.B": (4,), "fc6.W": (5, 1024), "fc6.B": (5,), "fc8.W": (2, 5), "fc8.B": (2,),
}  # fmt: skip


def drawn(extents: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    return {name: RANDOM.normal(size=e).astype(np.float32) for name, e in extents.items()}


def test_all_maps_can_be_read():
    assert {"alexnet", "vgg16_bn", "resnet", "squeezenet1_1", "inception_v3"} <= {m.name for m in families()}


def test_there_and_back_are_the_same_bits():
    arrays = drawn(ALEXNET)
    name, theirs = to_theirs(arrays)
    assert name == "alexnet"
    np.testing.assert_array_equal(theirs["features.0.weight"], arrays["conv1.W"].transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(theirs["features.0.bias"], -arrays["conv1.B"])
    by_hand = arrays["fc6.W"].reshape(5, 2, 2, 256).transpose(0, 3, 1, 2).reshape(5, 1024)
    np.testing.assert_array_equal(theirs["classifier.1.weight"], by_hand)
    name, back = to_ours(theirs, "alexnet")
    assert {n: a.tobytes() for n, a in back.items()} == {n: a.tobytes() for n, a in arrays.items()}


def test_the_command_goes_there_and_back(tmp_path: Path):
    first, second, third = (tmp_path / f"{n}.safetensors" for n in "abc")
    write_weights(first, drawn(ALEXNET))
    assert indexlang("weights", "convert", str(first), str(second), "--as", "torchvision").exit == 0
    assert indexlang("weights", "convert", str(second), str(third), "--as", "indexlang").exit == 0
    assert {n: a.tobytes() for n, a in read_weights(third).items()} == {
        n: a.tobytes() for n, a in read_weights(first).items()
    }
    shown = indexlang("weights", "show", str(second))
    assert shown.exit == 0
    assert "features.0.weight" in shown.out


def test_names_that_no_family_knows():
    with pytest.raises(DataError, match="no family"):
        to_theirs(drawn({"odd.W": (2, 3)}))
    with pytest.raises(DataError, match="there is no family"):
        to_theirs(drawn(ALEXNET), "alexnte")


def test_groups_ask_for_the_program():
    with pytest.raises(DataError, match="groups"):
        to_ours(drawn({"layer1.0.conv2.weight": (4, 4, 3, 3)}))


def test_groups_that_the_file_tells():
    """As many groups as the features that are read have those of one group."""
    for count in (1, 2, 4):
        file = drawn({"layer1.0.conv1.weight": (8, 3, 1, 1), "layer1.0.conv2.weight": (8, 8 // count, 3, 3)})
        family, ours = to_ours(file)
        assert family == "resnet"
        grouped = (3, 3, count, 8 // count, 8 // count) if count > 1 else (3, 3, 8, 8)
        assert ours["layer_1_0.conv2.W"].shape == grouped
        back = to_theirs(ours)[1]
        assert {n: a.tobytes() for n, a in back.items()} == {n: a.tobytes() for n, a in file.items()}


def test_the_prefix_of_a_wrapper_is_left_out():
    file = drawn({"module.features.0.0.weight": (32, 3, 3, 3), "module.features.0.1.bias": (32,)})
    assert to_ours(file)[1].keys() == {"stem.W", "stem.beta"}


def test_extents_tell_variants_apart():
    """The names of SqueezeNet 1.0 and 1.1 are the same here; another network that has them needs to be told."""
    ours = {f"fire_{n}.squeeze.W": (1, 1, 4, 2) for n in range(2, 10)} | {"conv10.W": (1, 1, 4, 3)}
    for width, features, family in ((7, 96, "squeezenet1_0"), (3, 64, "squeezenet1_1")):
        assert to_theirs(drawn({**ours, "conv1.W": (width, width, 3, features)}))[0] == family
    with pytest.raises(DataError, match="several families"):
        to_theirs(drawn({**ours, "conv1.W": (5, 5, 3, 64)}))


NET = "input X[6,6,3]\nL = Conv(X, conv1, width 3, features 4)\nM[j] = sum[x,y] L[x,y,j]\nN = Linear(M, fc8, features 2)\n"


def test_a_network_takes_torchvisions_weights_as_a_whole(tmp_path: Path):
    net = compiled(NET)
    net.save(tmp_path / "a.safetensors")
    before = {name: np.array(net.params[name]) for name in net.params}
    theirs = to_theirs(before)[1]
    write_weights(tmp_path / "b.npz", theirs)
    net.init(7)
    assert net.load_weights(tmp_path / "b.npz").map == "alexnet"
    for name, array in before.items():
        assert net.params[name].tobytes() == array.tobytes(), name
    write_weights(tmp_path / "c.npz", {**theirs, "features.0.bias": np.zeros(5, np.float32)})
    with pytest.raises(DataError, match="wants"):
        net.load_weights(tmp_path / "c.npz")
    assert all(net.params[name].tobytes() == array.tobytes() for name, array in before.items())


def test_weights_of_nan_are_told_and_taken(tmp_path: Path):
    net = compiled(NET)
    net.params["fc8.B"] = np.array([np.nan, 1], np.float32)
    net.save(tmp_path / "a.safetensors")
    (warning,) = net.load_weights(tmp_path / "a.safetensors").warnings
    assert warning.code == "W0701"
    assert "1 of 2" in warning.message
