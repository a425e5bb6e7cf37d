"""The networks of examples/train: their accuracy is what it says, the odd layers are what their equations say, and the
pictures that are drawn for one of them are the same for one seed."""

import runpy
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import indexlang as il

FOLDER = Path(__file__).parents[2] / "examples" / "train"
FILES = sorted(FOLDER.glob("*.idx"))
SMALL = [f for f in FILES if f.stem != "pictures_alexnet"]


def batch(net: il.Program, size: int = 7) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images of noise, and labels of which each class of the first two is met."""
    rng = np.random.default_rng(3)
    _, *extents = net.inputs["Image"].extents
    return rng.random((size, *map(int, extents)), np.float32), rng.integers(0, 2, size)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_it_has_settings_and_no_mistakes(file: Path) -> None:
    assert il.check(file) == []
    settings = tomllib.loads(file.with_suffix(".toml").read_text(encoding="utf-8"))
    assert {"data", "optimizer", "lr", "epochs", "batch", "val"} <= set(settings)


@pytest.mark.parametrize("file", SMALL, ids=lambda f: f.stem)
def test_accuracy_is_the_share_of_right_guesses(file: Path) -> None:
    net = il.load(file).init(2)
    image, label = batch(net)
    label[:3] = net(Image=image, label=label)["s"][:3].argmax(1)
    found = net(Image=image, label=label)
    s = found["s"].astype(np.float64)
    assert found["accuracy"] == pytest.approx(np.mean(s.argmax(1) == label), abs=1e-6)
    assert 0 < found["accuracy"] < 1
    wanted = np.mean(np.log(np.exp(s).sum(1)) - s[np.arange(len(s)), label])
    assert found["loss"] == pytest.approx(wanted, rel=1e-5)


def test_max_plus_is_a_maximum_of_sums() -> None:
    net = il.load(FOLDER / "max_plus.idx", dtype="f64").init(4)
    image, label = batch(net, 3)
    both = np.concatenate((image, 1 - image), -1).astype(np.float64)
    w = net.params["W"]
    windows = np.lib.stride_tricks.sliding_window_view(both, (3, 3), (1, 2))  # [b,x,y,i,dx,dy]
    wanted = (windows[..., np.newaxis] + w.transpose(2, 0, 1, 3)).max((3, 4, 5))
    np.testing.assert_allclose(net(Image=image, label=label, want=["L1"]), wanted, rtol=0, atol=1e-12)


def test_a_convolution_by_position_with_equal_filters_is_a_convolution() -> None:
    net = il.load(FOLDER / "position_conv.idx", dtype="f64").init(4)
    image, label = batch(net, 3)
    net.params["W"] = np.broadcast_to(net.params["W"][2, 3], net.params["W"].shape)
    usual = il.compile("L1[b,x,y,j] = relu(sum W[dx,dy,i,j]*Image[b,x+dx,y+dy,i])")
    shared = net(Image=image, label=label, want=["L1"])
    wanted = usual(W=net.params["W"][2, 3], Image=image.astype(np.float64))
    np.testing.assert_allclose(shared, wanted, rtol=0, atol=1e-12)
    net.params["W"] = (
        net.params["W"] * (np.arange(6) != 5)[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis, np.newaxis]
    )
    moved = net(Image=image, label=label, want=["L1"])
    assert (moved[:, 5] == 0).all()  # without weights of its own a place sees nothing
    np.testing.assert_array_equal(moved[:, :5], shared[:, :5])


def test_pictures_are_the_same_for_one_seed(tmp_path: Path) -> None:
    script = runpy.run_path(str(FOLDER / "make_pictures.py"))
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert script["write"](tmp_path / name, 2, 16, seed) == 8
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.png"))
    assert {p.parent.name for p in files} == {"checks", "circle", "square", "stripes"}
    assert len(files) == 8
    first = [(tmp_path / "a" / p).read_bytes() for p in files]
    assert first == [(tmp_path / "b" / p).read_bytes() for p in files]
    assert first != [(tmp_path / "c" / p).read_bytes() for p in files]
