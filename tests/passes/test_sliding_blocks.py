"""Blocks with sums for all values of an index that slides along a summed one, as in gradients of depthwise and grouped weights."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.nest.moves import block

DEPTHWISE = "D[dx:3,dy:3,j] = sum[b,x,y] G[b,x,y,j]*A[b,x+dx-1,y+dy-1,j else 0]"
CASES = [
    (DEPTHWISE, {"G": "2xyj", "A": "2xyj"}),
    ("D[dx:5,dy:5,j] = sum[x,y] G[x,y,j]*A[x+dx-2,y+dy-2,j else 0]", {"G": "xyj", "A": "xyj"}),
    ("D[dx:3,dy:4,j] = sum[x,y] G[x,y,j]*A[2*x+dx-1,2*y+dy-1,j else 0]", {"G": "xyj", "A": "vwj"}),
    ("D[dx:3,dy:3,j] = sum[x,y] G[x,y,j]*A[x+2*dx-2,y+2*dy-2,j else 0]", {"G": "xyj", "A": "xyj"}),
    ("D[g,dx:3,dy:3,i,k] = sum[b,x,y] G[b,x,y,g,k]*A[b,x+dx-1,y+dy-1,g,i else 0]", {"G": "2xy28", "A": "2xy23"}),
    ("D[g,dx:2,dy:3,i,k] = sum[x,y] G[x,y,g,k]*A[x+dx-1,y+dy,g,i else 0]", {"G": "xy27", "A": "xy25"}),
    ("D[dy:3,j] = 2 - sum[y] G[y,j]*A[y-dy+1,j else 0]", {"G": "yj", "A": "yj"}),
    ("D[dy:3,j] = max[y] (G[y,j] + A[y+dy-1,j else -inf])", {"G": "yj", "A": "yj"}),
]
SIZES = [(1, 1, 1), (2, 3, 17), (3, 33, 16), (5, 12, 33), (13, 14, 48)]


@pytest.fixture(autouse=True)
def small_equations_get_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "_LEAST_WORK", 0)


def _arrays(shapes: dict[str, str], x: int, y: int, j: int, dtype: type) -> dict[str, Any]:
    random = np.random.default_rng(x + y + j)
    of = {"x": x, "y": y, "j": j, "v": 2 * x, "w": 2 * y}
    return {k: random.standard_normal([of.get(c) or int(c) for c in s]).astype(dtype) for k, s in shapes.items()}


def _declared(arrays: dict[str, Any]) -> str:
    return "".join(f"input {n}{list(a.shape)}\n" for n, a in arrays.items())


@pytest.mark.parametrize(("text", "shapes"), CASES)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_every_size_is_what_the_interpreter_gives(text: str, shapes: dict[str, str], dtype: str) -> None:
    for x, y, j in SIZES if dtype == "f32" else SIZES[2:4]:
        arrays = _arrays(shapes, x, y, j, np.float32 if dtype == "f32" else np.float64)
        net = il.compile(_declared(arrays) + text, dtype=dtype, threads=1)
        got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
        largest = max(float(np.abs(want[np.isfinite(want)]).max(initial=0)), 1.0)
        np.testing.assert_allclose(
            got, want, rtol=0, atol=largest * (3e-6 if dtype == "f32" else 1e-14), err_msg=f"{x} {y} {j}"
        )


@pytest.mark.parametrize("text", [CASES[0][0], CASES[4][0]])
def test_threads_do_not_change_bits(text: str) -> None:
    arrays = _arrays(dict(CASES)[text], 14, 31, 40, np.float32)
    declared = _declared(arrays) + text
    made = [np.asarray(il.compile(declared, dtype="f32", threads=n)(**arrays)) for n in (1, 2, 3)]
    for one, other in pairwise(made):
        np.testing.assert_array_equal(one, other)


def test_all_taps_stand_in_one_block() -> None:
    """Both operands are read once for all nine, and tests stand around the loops over the inside only."""
    shown = il.compile(_declared(_arrays(CASES[0][1], 20, 30, 16, np.float32)) + DEPTHWISE).show("nest")
    assert "t9" in shown
    assert "t10" not in shown


def test_nan_and_infinity_pass_through() -> None:
    """A signal that is infinite meets the zeros of the border, as the equation says."""
    arrays = _arrays(CASES[0][1], 6, 14, 20, np.float32)
    arrays["G"][0, 0, 3, 3], arrays["A"][1, 2, 3, 19] = np.inf, np.nan
    net = il.compile(_declared(arrays) + DEPTHWISE, dtype="f32", threads=1)
    got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert np.isnan(want).any()
