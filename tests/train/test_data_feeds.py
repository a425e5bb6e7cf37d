"""Batches: every example once an epoch, the same bits for the same seed, and from any start."""

import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from datacases import Input, numbered, picture
from hypothesis import given
from hypothesis import strategies as st
from refused import told

from indexlang.train.data.ahead import one_ahead
from indexlang.train.data.augment import Augmentation, Crop, Flip, Noise, augmentation
from indexlang.train.data.dataset import Dataset
from indexlang.train.data.draws import below, bits, shuffled
from indexlang.train.data.feeds import Batches, Feed, Whole, comes_from_disk
from indexlang.train.data.fitting import fitted_data
from indexlang.train.data.reading import read_data
from indexlang.train.data.splitting import split

ROOT = Path(__file__).parents[2]
ALL = Augmentation((Flip(), Crop(2), Noise(0.5)))
INPUTS = (Input("x", ("B", 3)), Input("label", ("B",), "int"), Input("image", ("B", 4, 5, 2)))
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 45))
EPOCHS = st.integers(1, 5)


def listed(feed: Feed, epoch: int, start: int = 0) -> list[dict[str, bytes]]:
    return [{name: a.tobytes() for name, a in batch.items()} for batch in feed.batches(epoch, start)]


@given(SIZES, EPOCHS, st.integers(0, 2**63), st.sampled_from([Augmentation(), ALL]))
def test_every_example_once_an_epoch(sizes: tuple[int, int], epoch: int, seed: int, augment: Augmentation):
    n, batch = sizes
    feed = Batches(numbered(n), batch, seed, augment)
    found = [b["label"] for b in feed.batches(epoch)]
    assert sorted(np.concatenate(found).tolist()) == list(range(n))
    assert feed.examples == n
    assert feed.steps == len(found)
    assert [len(b) for b in found[:-1]] == [batch] * (len(found) - 1)


@given(SIZES, EPOCHS, st.integers(0, 60), st.sampled_from([Augmentation(), ALL]))
def test_a_start_gives_the_tail(sizes: tuple[int, int], epoch: int, start: int, augment: Augmentation):
    n, batch = sizes
    data = numbered(n)
    for feed in (Batches(data, batch, 3, augment), Whole(data, batch)):
        assert listed(feed, epoch, start) == listed(feed, epoch)[start:]


@given(SIZES, EPOCHS)
def test_the_same_seed_gives_the_same_bits(sizes: tuple[int, int], epoch: int):
    n, batch = sizes
    assert listed(Batches(numbered(n), batch, 5, ALL), epoch) == listed(Batches(numbered(n), batch, 5, ALL), epoch)


def test_another_seed_and_another_epoch_give_another_order():
    orders = {tuple(shuffled(50, "order", seed, epoch).tolist()) for seed in range(5) for epoch in range(5)}
    assert len(orders) == 25


def test_validation_keeps_the_order():
    assert [b["label"].tolist() for b in Whole(numbered(5), 2).batches(7)] == [[0, 1], [2, 3], [4]]


def test_the_order_is_that_of_every_version():
    """What a checkpoint of today is resumed with tomorrow: raw draws of Philox and a stable sort."""
    assert shuffled(8, "order", 0, 1).tolist() == [1, 3, 0, 5, 7, 2, 6, 4]


def by_label(feed: Feed, epoch: int) -> dict[int, list[bytes]]:
    return {
        int(n): [batch[name][k].tobytes() for name in ("x", "image")]
        for batch in feed.batches(epoch)
        for k, n in enumerate(batch["label"])
    }


@given(st.integers(1, 30), st.integers(1, 30), st.sampled_from(["flip", "crop:1", "noise:0.5", "noise:1,crop:3,flip"]))
def test_an_example_is_changed_alike_in_batches_of_any_size(one: int, other: int, spec: str):
    augment = augmentation(spec, INPUTS)
    data = numbered(30)
    assert by_label(Batches(data, one, 1, augment), 2) == by_label(Batches(data, other, 1, augment), 2)


def test_changes_differ_from_epoch_to_epoch():
    data = numbered(30)
    for augment in (Augmentation((Flip(),)), Augmentation((Crop(1),)), Augmentation((Noise(1.0),))):
        first = by_label(Batches(data, 7, 1, augment), 1)
        assert first != by_label(Batches(data, 7, 1, augment), 2)
        assert first != by_label(Batches(data, 7, 2, augment), 1)


def test_flip_mirrors_y_of_about_half():
    data = numbered(1000)
    (batch,) = Batches(data, 1000, 0, Augmentation((Flip(),))).batches(1)
    plain = data.take(batch["label"])
    mirrored = (batch["image"] == plain["image"][:, :, ::-1]).all(axis=(1, 2, 3))
    same = (batch["image"] == plain["image"]).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 440 < mirrored.sum() < 560
    assert (batch["x"] == plain["x"]).all()


def test_crop_shifts_and_fills_with_zeros():
    data = numbered(500)
    (batch,) = Batches(data, 500, 0, Augmentation((Crop(1),))).batches(1)
    shifts = set()
    for n, image in zip(batch["label"], batch["image"], strict=True):
        around = np.pad(data.columns["image"][int(n) : int(n) + 1][0], ((1, 1), (1, 1), (0, 0)))
        found = [(x, y) for x in range(3) for y in range(3) if (around[x : x + 4, y : y + 5] == image).all()]
        assert len(found) == 1
        shifts.add(found[0])
    assert len(shifts) == 9
    assert batch["image"].dtype == np.float32


def test_noise_has_its_deviation():
    data = Dataset("zeros", {"x": np.zeros((2000, 5)), "label": np.arange(2000)})
    (batch,) = Batches(data, 2000, 0, Augmentation((Noise(0.25),))).batches(1)
    assert abs(batch["x"].std() - 0.25) < 0.005
    assert abs(batch["x"].mean()) < 0.01
    assert abs(np.corrcoef(batch["x"].T) - np.eye(5)).max() < 0.1
    assert batch["x"].dtype == np.float64
    assert sorted(batch["label"]) == list(range(2000))


def test_the_data_itself_stays():
    data = numbered(9)
    before = [a[:].copy() for a in data.columns.values()]
    list(Batches(data, 4, 0, ALL).batches(1))
    assert all((a == b[:]).all() for a, b in zip(before, data.columns.values(), strict=True))


def test_draws_are_even():
    drawn = below(5, np.arange(100_000), "test")
    assert np.abs(np.bincount(drawn, minlength=5) / 20_000 - 1).max() < 0.03
    ones = np.unpackbits(bits(np.arange(20_000), "test").view(np.uint8)).mean()
    assert abs(ones - 0.5) < 0.002


AUGMENTATIONS = (
    ("flop", "did you mean `flip`?"),
    ("flip:2", "write `flip`"),
    ("crop", "crop:2"),
    ("crop:0", "crop:2"),
    ("crop:-1", "crop:2"),
    ("crop:1.5", "crop:2"),
    ("crop:²", "crop:2"),
    ("crop:4", "fewer pixels"),
    ("noise", "noise:0.05"),
    ("noise:0", "noise:0.05"),
    ("noise:-1", "noise:0.05"),
    ("noise:nan", "noise:0.05"),
    ("noise:1e99999", "noise:0.05"),
    ("noise:.", "noise:0.05"),
    ("flip,,crop:1", "flip, crop:2, noise:0.05"),
    ("flip,flip", "once"),
    ("flip\x1b", "flip"),
)


@pytest.mark.parametrize(("spec", "hint"), AUGMENTATIONS)
def test_augmentations_that_are_not(spec: str, hint: str):
    code, _, advice = told(augmentation, spec, INPUTS)
    assert code == "E0814"
    assert hint in advice


def test_augmentations_that_nothing_takes():
    assert told(augmentation, "flip", INPUTS[:2])[0] == "E0814"
    assert told(augmentation, "crop:1", INPUTS[:2])[0] == "E0814"
    assert told(augmentation, "noise:1", INPUTS[1:2])[0] == "E0814"
    assert augmentation("", INPUTS[:2]) == augmentation(" ", ()) == Augmentation()
    assert augmentation("flip, crop:2,noise:0.05", INPUTS).changes == (Flip(), Crop(2), Noise(0.05))


@given(st.integers(2, 60), st.data(), st.integers(0, 9))
def test_a_split_is_disjoint_and_complete(n: int, data: st.DataObject, seed: int):
    part = data.draw(st.one_of(st.integers(1, n - 1), st.floats(0.01, 0.99).filter(lambda p: round(p * n) < n)))
    training, validation = split(numbered(n), part, seed)
    both = [d.take(np.arange(len(d)))["label"].tolist() for d in (training, validation)]
    assert sorted(both[0] + both[1]) == list(range(n))
    assert len(validation) == (part if isinstance(part, int) else max(1, round(part * n)))
    assert [training.place(k) for k in range(len(training))] == [f"data, example {n}" for n in both[0]]
    assert split(numbered(n), part, seed)[0].take(np.arange(1))["label"] == both[0][0]


def test_a_split_by_data_of_its_own():
    training, validation = numbered(5), numbered(2)
    assert split(training, validation, 0) == (training, validation)


@pytest.mark.parametrize("part", [0, 5, 6, -1, 0.0, 1.0, 1.5, -0.5, float("nan"), 0.99])
def test_a_split_that_cannot_be(part: float):
    assert told(split, numbered(5), part, 0)[0] == "E0815"


def test_a_split_of_a_split_keeps_its_places():
    training, _ = split(split(numbered(30), 10, 0)[0], 5, 1)
    labels = training.take(np.arange(15))["label"]
    assert [training.place(k) for k in range(15)] == [f"data, example {n}" for n in labels]


def test_pictures_on_the_disk_give_the_same_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for n in range(7):
        picture(tmp_path / "ab"[n % 2] / f"{n}.png", np.full((4, 5), 10 * n))
    inputs = (Input("p", ("B", 4, 5, 1)), Input("label", ("B",), "int"))
    near = fitted_data(read_data(str(tmp_path), inputs), inputs)
    monkeypatch.setattr("indexlang.train.data.pictures.LARGE", 0)
    far = fitted_data(read_data(str(tmp_path), inputs), inputs)
    assert comes_from_disk(far.columns["p"])
    assert comes_from_disk(split(far, 2, 0)[0].columns["p"])
    assert not comes_from_disk(near.columns["p"])
    for epoch in (1, 2):
        assert listed(Batches(near, 3), epoch) == listed(Batches(far, 3), epoch)


def test_one_ahead_keeps_the_order_and_makes_one_ahead():
    made: list[int] = []

    def make(n: int) -> int:
        made.append(n)
        return n

    items = one_ahead([partial(make, n) for n in range(5)])
    assert next(items) == 0
    for _ in range(200):
        if len(made) == 2:
            break
        time.sleep(0.01)
    assert made == [0, 1]
    assert list(items) == [1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4]
    assert list(one_ahead([])) == []


def test_one_ahead_ends_in_the_first_error_in_order():
    def fail() -> int:
        raise ValueError("second")

    items = one_ahead([lambda: 1, fail, lambda: 3])
    assert next(items) == 1
    with pytest.raises(ValueError, match="second"):
        next(items)


WAITING = """
import time
from indexlang.train.data.ahead import one_ahead
print("begun", flush=True)
for _ in one_ahead([lambda: time.sleep(0.5)] * 60):
    pass
"""


def test_ctrl_c_ends_it_while_a_batch_is_made():
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    started = time.perf_counter()
    _, error = process.communicate(timeout=20)
    assert time.perf_counter() - started < 2
    assert error.rstrip().endswith("KeyboardInterrupt")


def test_one_ahead_leaves_no_thread_behind():
    items = one_ahead([partial(int, n) for n in range(5)])
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("indexlang-data")]
