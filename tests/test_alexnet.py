"""The lecture's AlexNet: its table, and its scores beside PyTorch's."""

from pathlib import Path

import numpy as np
import pytest

import indexlang as il

FILE = Path(__file__).parents[1] / "examples" / "alexnet.idx"
CONVOLUTIONS = {"1": (4, 0), "3": (1, 2), "5": (1, 1), "6": (1, 1), "7": (1, 1)}
POOLED = ("1", "3", "7")


def test_the_table_is_that_of_the_slide() -> None:
    summary = il.load(FILE, constants={"B": 1}).summary()
    assert summary.params == 62_378_344
    assert summary.macs == 1_135_256_096
    sides = [row.extents[1] for row in summary.rows if len(row.extents) == 4]
    assert sides == [55, 27, 27, 13, 13, 13, 13, 6]
    assert [row.extents[-1] for row in summary.rows] == [96, 96, 256, 256, 384, 384, 256, 256, 4096, 4096, 1000]


@pytest.mark.parametrize(("dtype", "tolerance"), [("f64", 1e-9), ("f32", 1e-4)])
def test_scores_equal_those_of_torch(dtype: str, tolerance: float) -> None:
    pytest.importorskip("torch")
    for batch in (1, 3):
        scores, wanted = scores_of_both(dtype, batch)
        assert scores.shape == (batch, 1000)
        assert np.abs(scores - wanted).max() <= tolerance * np.abs(wanted).max()


def test_the_same_bits_on_one_and_two_threads() -> None:
    image = np.random.default_rng(3).random((2, 227, 227, 3), np.float32)
    results = [il.load(FILE, threads=threads)(image) for threads in (1, 2, 3)]
    assert results[0].any()
    for other in results[1:]:
        assert (results[0] == other).all()


def test_another_batch_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from indexlang.run import kernels

    net = il.load(FILE)
    net(np.zeros((2, 227, 227, 3), np.float32))

    def refuse(_: object) -> bytes:
        raise AssertionError("a kernel was compiled")

    monkeypatch.setattr(kernels, "_compile", refuse)
    net(np.zeros((5, 227, 227, 3), np.float32))


def scores_of_both(dtype: str, batch: int) -> tuple[np.ndarray, np.ndarray]:
    import torch
    from torch.nn import functional

    kind = {"f32": np.float32, "f64": np.float64}[dtype]
    random = np.random.default_rng(batch)
    net = il.load(FILE, dtype=dtype).init(seed=1)
    for name in net.params:
        if name.startswith("B"):  # biases that matter
            net.params[name] = random.normal(size=net.params[name].shape, scale=0.1).astype(kind)
    image = random.random((batch, 227, 227, 3)).astype(kind)
    p = {name: torch.from_numpy(array.copy()) for name, array in net.params.items()}
    x = torch.from_numpy(image).permute(0, 3, 1, 2)
    for layer, (stride, pad) in CONVOLUTIONS.items():
        x = functional.conv2d(x, p[f"W{layer}"].permute(3, 2, 0, 1), -p[f"B{layer}"], stride=stride, padding=pad).relu()
        if layer in POOLED:
            x = functional.max_pool2d(x, 3, 2)
    x = x.permute(0, 2, 3, 1).reshape(batch, -1)
    for layer in ("9", "10", "s"):
        x = (x @ p[f"W{layer}"].reshape(-1, p[f"B{layer}"].shape[0]) - p[f"B{layer}"]).relu()
    return net(Input=image), x.numpy()
