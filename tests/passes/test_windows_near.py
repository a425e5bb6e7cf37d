"""Windows of few columns: groups side by side in a vector, rows that share what they load, copies with their borders near."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.nest.moves import block, lay, near

GROUPS = "Y[b,x:H,y:V,(g,j)] = relu((sum[dx:3,dy:3,i] W[g,dx,dy,i,j]*A[b,x+dx-1,y+dy-1,(g,i) else 0]) + B[(g,j)])"
CASES = [
    (GROUPS, {"A": "1hv8", "W": "43322", "B": "8"}),
    (GROUPS, {"A": "2hv8", "W": "43321", "B": "4"}),
    ("Y[x:H,y:V,(g,j)] = sum[dx:2,dy:5,i] W[g,dx,dy,i,j]*A[x+dx,y-dy+2,(g,i) else 0.5]", {"A": "hv8", "W": "82514"}),
    (
        "Y[x:H,y:V,(g,j)] = sum[dx:2,dy:2,i] W[g,dx,dy,i,j]*A[x+2*dx-1,y+2*dy-2,(g,i) else 0]",
        {"A": "hv8", "W": "42224"},
    ),
    (
        "Y[x:H,y:V,(g,j)] = sum[dx:2,dy:3,i] W[g,dx,dy,i,j]*A[2*x+dx-1,2*y+dy-1,(g,i) else 0]",
        {"A": "ef8", "W": "42324"},
    ),
    ("Y[x:H,y:V,(g,j)] = max[dy:3,i] (W[g,dy,i,j] + A[x,y+dy-1,(g,i) else -inf])", {"A": "hv8", "W": "4324"}),
    ("Y[x:H,y:V,(g,i)] = sum[dx:2,dy:3,j] W[g,dx,dy,i,j]*A[x-dx+1,y-dy+1,(g,j) else 0]", {"A": "hv8", "W": "42342"}),
    ("Y[y:V,(g,j)] = sum[dy:3,i] W[g,dy,i,j]*A[y+dy-1,(g,i) else 0]", {"A": "v8", "W": "4324"}),
    ("Y[x:H,y:V,(g,j)] = sum[dx:3,dy:3] W[dx,dy,g,j]*A[x+dx-1,y+dy-1,g else 0]", {"A": "hv4", "W": "3344"}),
]
SIZES = [(1, 2), (3, 9)]


@pytest.fixture(autouse=True)
def small_equations_get_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (
        *((block, "_LEAST_WORK", 0), (lay, "_LEAST_WORK", 0), (lay, "_LEAST_USES", 0)),
        *((near, "_LEAST_USES", 1), (near, "_LEAST_BLOCKS", 2), (near, "_MOST_BYTES", 1 << 12)),
    ):
        monkeypatch.setattr(module, name, value)


def _arrays(shapes: dict[str, str], h: int, v: int, dtype: type) -> dict[str, Any]:
    random = np.random.default_rng(h + v)
    of = {"h": h, "v": v, "e": 2 * h, "f": 2 * v}
    return {k: random.standard_normal([of.get(c) or int(c) for c in s]).astype(dtype) for k, s in shapes.items()}


def _text(text: str, arrays: dict[str, Any], h: int, v: int) -> str:
    declared = "".join(f"input {n}{list(a.shape)}\n" for n, a in arrays.items())
    return declared + text.replace("x:H", f"x:{h}").replace("y:V", f"y:{v}")


@pytest.mark.parametrize(
    ("text", "shapes", "dtype"), [*((*case, "f32") for case in CASES), *((*case, "f64") for case in CASES[:6:2])]
)
def test_every_size_is_what_the_interpreter_gives(text: str, shapes: dict[str, str], dtype: str) -> None:
    for h, v in SIZES if dtype == "f32" else SIZES[1:]:
        arrays = _arrays(shapes, h, v, np.float32 if dtype == "f32" else np.float64)
        net = il.compile(_text(text, arrays, h, v), dtype=dtype, threads=1)
        got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
        largest = max(float(np.abs(want).max()), 1.0)
        np.testing.assert_allclose(got, want, rtol=0, atol=largest * (3e-6 if dtype == "f32" else 1e-14))


@pytest.mark.parametrize("text", [GROUPS, CASES[6][0]])
def test_threads_do_not_change_bits(text: str) -> None:
    arrays = _arrays(dict(CASES)[text], 9, 13, np.float32)
    made = [np.asarray(il.compile(_text(text, arrays, 9, 13), dtype="f32", threads=n)(**arrays)) for n in (1, 2, 3)]
    for one, other in pairwise(made):
        np.testing.assert_array_equal(one, other)


def test_groups_stand_side_by_side_over_one_copy() -> None:
    arrays = _arrays(CASES[0][1], 9, 13, np.float32)
    shown = il.compile(_text(GROUPS, arrays, 9, 13), dtype="f32").show("nest")
    assert "of g side by side" in shown
    assert "A_near = room for" in shown
    assert shown.count("for j in") == 1  # no rows at borders apart


def test_nan_and_infinity_pass_through() -> None:
    """A weight that is infinite meets the zeros of the border, as the equation says."""
    arrays = _arrays(CASES[0][1], 5, 6, np.float32)
    arrays["W"][1, 0, 2, 1, 1], arrays["A"][0, 2, 3, 4] = np.inf, np.nan
    net = il.compile(_text(GROUPS.replace("relu", ""), arrays, 5, 6), dtype="f32", threads=1)
    got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert np.isnan(want).any()
    assert not np.isnan(want).all()
