"""Sums and maxima in register blocks beside the interpreter: odd sizes, borders, both float types, any number of threads."""

from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.nest.moves import block

DEPTHWISE = "Y[b,x:{x},y:{y},j] = relu((sum[dx:3,dy:3] W[dx,dy,j]*A[b,x+dx-1,y+dy-1,j else 0]) + B[j])"
CASES = [
    (DEPTHWISE, "block", {"A": "2xyj", "W": "33j", "B": "j"}),
    ("C[i,k] = max[j] (A[i,j] + B[j,k])", "block", {"A": "x5", "B": "5j"}),
    ("C[i,k] = 2*min[j] (A[i,j] - B[k,j])", "block", {"A": "x5", "B": "j5"}),
    ("Y[x,y] = sum[dx:3,dy:3] U[dx]*V[dy]*A[3*x+dx,y,dy]", "block", {"A": "zj3", "U": "3", "V": "3"}),
    ("Y[x:{x},y:{y}] = sum[dx,dy] K[x,y,dx,dy]*A[x+dx-1,y+dy-1 else 0]", "block", {"A": "xy", "K": "xy33"}),
    ("Y[x:{x},y:{y}] = max[dx:3,dy:3] (U[dx,dy] + A[x+dx-1,y+dy-1 else -inf])", "block", {"A": "xy", "U": "33"}),
    ("S[i:{x},k] = sum[j] (A[j,k] if j <= i else 0)", "scan", {"A": "xj"}),
    ("S[i:{x},k] = max[j] (A[j,k] if i < 2*j+1 and j < i+3 else -inf)", "block", {"A": "xj"}),
    (
        "S[i:{x},k] = sum[j] ((A[j,k] if B[j] > 0 else 0) if j <= i and i < 3*j+2 else 0)",
        "block",
        {"A": "xj", "B": "x"},
    ),
    ("S[i:{x},k] = sum[j] (A[j,k] if j <= i and B[j] > 0 else 1)", "block", {"A": "xj", "B": "x"}),
    ("S[i:{x},k] = sum[j] (A[j,k] if 2*j > i and j < i+2 else B[k])", "block", {"A": "xj", "B": "j"}),
    ("S[i:{x},k] = sum[j,l] (A[j,l]*C[l,k] if j+l <= i and l <= j else 0)", "", {"A": "x5", "C": "5j"}),
    ("S[i:{x},k] = sum[j] (0 if j <= i else A[j,k])", "block", {"A": "xj"}),
    ("D[i,x:{x}] = min[u] (F[i,u] + (x-u)^2)", "block", {"F": "yx"}),
    ("Y[x:{x},y:{y}] = silu(sum[dx:3,dy:3] U[dx,dy]*exp(A[x+dx-1,y+dy-1 else 0]))", "block", {"A": "xy", "U": "33"}),
    ("Y[x:{x},y:{y}] = max[dx:3,dy:3] abs(U[dx,dy] + A[x+dx-1,y+dy-1 else 1])^1.5", "block", {"A": "xy", "U": "33"}),
    ("Y[i,k] = log(1 + sum[j] sqrt(1 + sin(A[i,j]*B[j,k])))", "block", {"A": "x5", "B": "5j"}),
    ("Y[x:{x},(g,j)] = sum[dx:3,i] W[g,dx,i,j]*A[x+dx-1,(g,i) else 0]", "", {"A": "x6", "W": "332j"}),
]
SIZES = [(1, 1, 1), (2, 3, 17), (13, 33, 16), (9, 40, 33), (7, 7, 100)]


@pytest.fixture(autouse=True)
def small_equations_get_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "_LEAST_WORK", 0)


def _arrays(shapes: dict[str, str], x: int, y: int, j: int, dtype: type) -> dict[str, Any]:
    random = np.random.default_rng(x + y + j)
    of = {"x": x, "y": y, "j": j, "z": 3 * x}
    return {k: random.standard_normal([of.get(c) or int(c) for c in s]).astype(dtype) for k, s in shapes.items()}


@pytest.fixture(params=["whole rows", "panels"])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns of small equations stay in one loop; with a cache of nothing they go in panels, as wide layers do."""
    if request.param == "panels":
        monkeypatch.setattr(block, "_NEAR", 0)


@pytest.mark.usefixtures("columns")
@pytest.mark.parametrize(("text", "schedule", "shapes"), CASES)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_blocks_are_what_the_interpreter_gives(text: str, schedule: str, shapes: dict[str, str], dtype: str) -> None:
    for x, y, j in SIZES if dtype == "f32" else SIZES[1:3]:
        arrays = _arrays(shapes, x, y, j, np.float32 if dtype == "f32" else np.float64)
        sized = text.replace("{x}", str(x)).replace("{y}", str(y))
        net = il.compile(sized, dtype=dtype, threads=1)
        got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
        np.testing.assert_allclose(got, want, rtol=0, atol=2e-5 if dtype == "f32" else 1e-13, err_msg=f"{x} {y} {j}")


def test_threads_do_not_change_bits() -> None:
    arrays = _arrays(CASES[0][2], 14, 14, 40, np.float32)
    text = DEPTHWISE.replace("{x}", "14").replace("{y}", "14")
    one, two, three = (np.asarray(il.compile(text, dtype="f32", threads=n)(**arrays)) for n in (1, 2, 3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, three)


def test_nan_and_infinity_pass_through() -> None:
    """A weight that is infinite meets the zeros of the border, as the equation says."""
    arrays = _arrays(CASES[0][2], 6, 6, 20, np.float32)
    arrays["W"][0, 1, 3], arrays["A"][1, 2, 3, 19] = np.inf, np.nan
    net = il.compile(DEPTHWISE.replace("{x}", "6").replace("{y}", "6"), dtype="f32", threads=1)
    got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert np.isnan(want).any()


def test_places_that_data_say_have_addresses_of_their_own() -> None:
    """Found by reading: L[K[x]] and L[K[x+1]] under one condition were read at one place."""
    text = "Y[x:9,j] = sum[dx:3] (A[x+dx,j]*W[dx] if L[K[x]] > 0 and L[K[x+1]] < 0 else 0)"
    random = np.random.default_rng(0)
    given = [random.standard_normal(s).astype(np.float32) for s in ((12, 40), (3,), (9,))] + [random.integers(0, 9, 12)]
    net = il.compile(f"input A[12,40]\ninput W[3]\ninput L[9]\ninput K[12] : int\n{text}", dtype="f32", threads=1)
    assert "# schedule: block" in net.show("nest")
    wanted = net.interpret(*given)
    assert np.any(wanted)
    np.testing.assert_allclose(np.asarray(net(*given)), wanted, rtol=1e-5, atol=1e-6)


def test_a_maximum_keeps_nan() -> None:
    a, b = np.ones((5, 7), np.float32), np.ones((7, 40), np.float32)
    a[2, 3], b[4, 17] = np.nan, np.nan
    got = np.asarray(il.compile("C[i,k] = max[j] (A[i,j] + B[j,k])", dtype="f32", threads=1)(a, b))
    want = np.zeros((5, 40), bool)
    want[2], want[:, 17] = True, True
    np.testing.assert_array_equal(np.isnan(got), want)


@pytest.mark.parametrize(("text", "schedule", "shapes"), [c for c in CASES if c[1]])
def test_structure_decides(text: str, schedule: str, shapes: dict[str, str]) -> None:
    arrays = _arrays(shapes, 9, 40, 33, np.float32)
    declared = "".join(f"input {n}{list(a.shape)}\n" for n, a in arrays.items())
    net = il.compile(declared + text.replace("{x}", "9").replace("{y}", "40"))
    assert f"# schedule: {schedule}" in net.show("nest")
