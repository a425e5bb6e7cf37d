"""Several sums of windows in vectors along the last index, beside the interpreter: odd sizes, borders, tests, both types."""

from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.nest.moves import columns

BILATERAL = (
    "w[x:{x},y:{y},dx:5,dy:5] = exp(-(A[x+dx,y+dy] - A[x+2,y+2])^2)\n"
    "Y[x,y] = (sum[dx,dy] w[x,y,dx,dy]*A[x+dx,y+dy]) / sum[dx,dy] w[x,y,dx,dy]\noutput Y"
)
CASES = {
    "two sums of one exponential": BILATERAL,
    "a sum of a maximum": "Y[x:{x},y:{y}] = logsumexp[dx:5,dy:5] A[x+dx,y+dy]",
    "borders": (
        "Y[x:{x},y:{y}] = (sum[dx:5,dy:7] exp(A[x+dx-2,y+dy-3 else -inf])*B[dx,dy])"
        " / (1 + sum[dx:5,dy:7] sigmoid(A[x+dx-2,y+dy-3 else 0]))"
    ),
    "every other column": (
        "Y[x:{x}//2,y:{y}//2] = (sum[dx:6,dy:6] tanh(A[2*x+dx,2*y+dy])*B[dx,dy]) - max[dx:6,dy:6] sin(A[2*x+dx,2*y+dy])"
    ),
    "a line": "Y[y:{y}] = (sum[d:40] gelu(C[y+d])*erf(C[d])) / sum[d:40] exp(C[y+d])",
    "tests of numbers": (
        "Y[x:{x},y:{y}] = (sum[dx:5,dy:7] (A[x+dx,y+dy] if A[x+dx,y+dy] > 0 and not A[x+dx,y+dy] > 1 else -1))"
        " / (sum[dx:5,dy:7] cos(A[x+dx,y+dy]) + 40)"
    ),
    "tests of other indices": (
        "Y[x:{x},y:{y}] = (sum[dx:5,dy:7] (exp(A[x+dx,y+dy]) if dx <= x or B[dx,0] > 0 else 2))"
        " + prod[dx:5,dy:7] (1 + A[x+dx,y+dy]/16)"
    ),
    "one sum along the row alone": (
        "Y[x:{x},y:{y}] = (sum[dx:5,dy:7] exp(A[x+dx,y+dy] - max[k:40] C[x+k])) / sqrt(1 + sum[dx:5,dy:7] A[x+dx,y+dy]^2)"
    ),
}
SIZES = [(1, 1), (2, 3), (2, 15), (1, 17), (1, 49)]  # the interpreter takes its time


@pytest.fixture(autouse=True)
def small_equations_get_columns_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_LEAST_WORK", 0)


def _arrays(x: int, y: int, dtype: str) -> dict[str, Any]:
    random = np.random.default_rng(x + y)
    shapes = {"A": (x + 8, y + 8), "B": (6, 7), "C": (max(x, y) + 40,)}
    return {
        n: random.standard_normal(s).astype(np.float32 if dtype == "f32" else np.float64) for n, s in shapes.items()
    }


def _program(name: str, x: int, y: int, dtype: str, threads: int = 1) -> tuple[il.Program, dict[str, Any]]:
    text = CASES[name].replace("{x}//2", str(-(-x // 2))).replace("{y}//2", str(-(-y // 2)))
    text = text.replace("{x}", str(x)).replace("{y}", str(y))
    arrays = {n: a for n, a in _arrays(x, y, dtype).items() if f"{n}[" in text}
    declared = "".join(f"input {n}{list(a.shape)}\n" for n, a in arrays.items())
    return il.compile(declared + text, dtype=dtype, threads=threads), arrays


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", CASES)
def test_columns_are_what_the_interpreter_gives(name: str, dtype: str) -> None:
    for x, y in SIZES if dtype == "f32" else SIZES[-3:]:
        net, arrays = _program(name, x, y, dtype)
        got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
        close = 2e-5 if dtype == "f32" else 1e-13
        np.testing.assert_allclose(got, want, rtol=close, atol=close, err_msg=f"{x} {y}")


@pytest.mark.parametrize("name", CASES)
def test_structure_decides(name: str) -> None:
    assert "# schedule: columns of" in _program(name, 7, 67, "f32")[0].show("nest")


@pytest.mark.parametrize("name", ["borders", "a line"])
def test_threads_do_not_change_bits(name: str) -> None:
    one, two, three = (
        np.asarray(net(**arrays)) for net, arrays in (_program(name, 5, 700, "f32", threads) for threads in (1, 2, 3))
    )
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, three)


def test_infinities_and_nan_stay_where_they_are() -> None:
    """All of a window -inf, one +inf, one NaN: as the definition of logsumexp says."""
    net, arrays = _program("a sum of a maximum", 3, 20, "f32")
    arrays["A"][:, :9] = -np.inf
    arrays["A"][3, 15], arrays["A"][4, 22] = np.inf, np.nan
    got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
    np.testing.assert_allclose(got, want, rtol=1e-5)
    assert np.isneginf(want).any()
    assert np.isposinf(want).any()
    assert np.isnan(want).any()


def test_what_a_test_guards_is_not_read() -> None:
    """A test of numbers may not choose between vectors where a side reads what the test does not."""
    text = "Y[y:64] = (sum[d:40] (exp(C[y+d+1]) if D[y+d] > 0 else 0)) / sum[d:40] exp(C[y+d])"
    net = il.compile(f"input C[104]\ninput D[103]\n{text}", dtype="f32", threads=1)
    assert "columns" not in net.show("nest")


def test_sums_that_read_the_same_have_one_loop() -> None:
    nest = _program("two sums of one exponential", 7, 67, "f32")[0].show("nest")
    assert nest.count("for dx in") == 1


def test_sums_that_differ_in_names_are_done_once() -> None:
    text = "Y[x:9] = (sum[d:40] C[x+d]) * sum[e:40] C[x+e] + max[d:30] C[x+d] - max[e:30] C[x+e]"
    nest = il.compile(f"input C[48]\n{text}", dtype="f32").show("nest")
    assert nest.count("= sum(") == 1
