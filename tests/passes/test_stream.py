"""Results written past the caches: the numbers and bits of ordinary stores, at every end of a row and wherever memory begins."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang import sized
from indexlang.nest.moves import stream
from indexlang.run.machine import target

ROWS = {  # text, and the inputs with their extents
    "a map": ("Y[i,j] = relu(A[i,j])", {"A": (7, 1201)}),
    "one element": ("Y[i] = A[i] + 1", {"A": (1,)}),
    "nothing": ("Y[i,j] = A[i,j] + 1", {"A": (0, 5)}),
    "rows of different inputs": ("Y[i,j] = A[i,j]*G[j] + B[i]", {"A": (131, 37), "G": (37,), "B": (131,)}),
    "beside each other": ("Y[i,J1+J2] = A[i,J1] ; B[i,J2]", {"A": (61, 13), "B": (61, 13)}),
    "behind each other": ("Y[I1+I2,j] = A[I1,j] ; B[I2,j]", {"A": (61, 13), "B": (61, 13)}),
    "of places": ("tensor Y[34,26,12]\nY[x,y,j:6] = A[x,y,j]\nY[x:34,y:26,6+j] = B[x//2,y//2,j]", {"A": (34, 26, 6), "B": (17, 13, 6)}),
    "windows": ("Y[x:24,y:60,j] = max[dx:2,dy:2] A[x+dx,y+dy,j]", {"A": (25, 61, 19)}),
    "turned": ("Y[j,i] = A[i,j]", {"A": (300, 67)}),
    "turned and read beside": ("Y[j,i] = 2*A[i,j] + B[j,i]", {"A": (517, 33), "B": (33, 517)}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def all_results_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sized, "target", lambda: replace(target(), large=0))
    monkeypatch.setattr(stream, "_LIGHT", 1 << 20)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("text", "extents"), ROWS.values(), ids=ROWS.keys())
def test_the_bits_are_those_of_ordinary_stores(
    text: str, extents: dict[str, tuple[int, ...]], dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    arrays: dict[str, Any] = {n: random.standard_normal(s).astype(dtype) for n, s in extents.items()}
    declared = "".join(f"input {n}{list(s)}\n" for n, s in extents.items())
    text = f"{declared}{text}\noutput Y"
    nets = [il.compile(text, dtype="f32" if dtype is np.float32 else "f64", threads=n) for n in (1, 2)]
    one, two = (np.asarray(net(**arrays)) for net in nets)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, nets[0].interpret(**arrays), rtol=1e-6)
    for away in (1, 3):  # elements: no line begins where the result does
        room = np.full(one.size + 20, 7, dtype)
        given = room[away : away + one.size].reshape(one.shape)
        nets[1](**arrays, out={"Y": given})
        np.testing.assert_array_equal(given, one)
        assert (room[:away] == 7).all()
        assert (room[away + one.size :] == 7).all()
    monkeypatch.setattr(sized, "target", lambda: replace(target(), large=2**62))
    plain = il.compile(text, dtype="f32" if dtype is np.float32 else "f64")
    np.testing.assert_array_equal(np.asarray(plain(**arrays)), one)


def test_only_large_and_light_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small results stay in caches; what takes long to compute hides that lines are read."""
    monkeypatch.undo()
    for text, kind in (
        ("input A[2000,5000]\nY[i,j] = relu(A[i,j])", "inner past the caches"),
        ("input A[2000,5000]\nY[j,i] = A[i,j]", "transposed past the caches"),
        ("input A[20,50]\nY[i,j] = relu(A[i,j])", "inner\n"),
        ("input A[2000,5000]\nY[i,j] = exp(sin(A[i,j])) + cos(A[i,j]*A[i,j]) + 1/A[i,j]", "inner\n"),
    ):
        monkeypatch.setattr("indexlang.shown.target", lambda: replace(target(), large=1 << 23))
        assert f"# schedule: {kind}" in il.compile(text, dtype="f32").show("nest")
