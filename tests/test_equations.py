# pyright: reportArgumentType=false
"""Every row of the table: compiled = numpy, in both float types, and the oracle = numpy."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from cases import CASES
from tables import contractions, convolutions, elementwise, reductions
from tables.case import Case

import indexlang as il

FLOATS = {"f64": np.float64, "f32": np.float32}
# f32 changes the vector widths and the functions of generated code; what only moves elements is tried in f64 alone.
IN_F32 = (*contractions.ROWS, *convolutions.ROWS[::2], *elementwise.ROWS[::2], *reductions.ROWS[::2])
RUNS = [(case, "f64") for case in CASES] + [(case, "f32") for case in IN_F32]
ORACLE = [case for case in CASES if case.oracle]


def by_name(value: Any) -> Any:
    return value.name if isinstance(value, Case) else None


@pytest.mark.parametrize(("case", "dtype"), RUNS, ids=by_name)
def test_compiled_equals_numpy(case: Case, dtype: str) -> None:
    inputs = given(case, dtype)
    got = il.compile(case.text, dtype=dtype)(**inputs)
    assert_equal(got, wanted(case, inputs), dtype, tolerance(case, inputs, dtype))


@pytest.mark.parametrize("case", ORACLE, ids=by_name)
def test_oracle_equals_numpy(case: Case) -> None:
    inputs = given(case, "f64")
    got = il.compile(case.text, dtype="f64").interpret(**inputs)
    assert_equal(got, wanted(case, inputs), "f64", tolerance(case, inputs, "f64"))


@pytest.mark.parametrize(("text", "array"), [
    ("input X[B,N,N,2]\nM = MaxPool(X, width 3)\nY[b] = sum[x,y,i] M[b,x,y,i]", (1, 2, 2, 2)),
    ("input X[B,N]\nY[b,x] = sum[d:3] X[b,x+d]", (1, 2)),
    ("input X[B,N]\nY[b,x:N-2] = sum[d:3] X[b,x+d]", (4, 2)),
])  # fmt: skip
def test_a_window_that_fits_nowhere_is_told_when_sizes_are_bound(text: str, array: tuple[int, ...]) -> None:
    net = il.compile(text)
    with pytest.raises(il.IndexlangError, match="E0423") as told:
        net(np.zeros(array, np.float32))
    assert "2 elements" in str(told.value)
    assert "3 values" in str(told.value)


def test_a_batch_of_none_and_ranges_of_none_go_through() -> None:
    net = il.compile(
        "input X[B,N,N,2]\nM = MaxPool(Conv(X, width 3, pad 1, features 4), width 2)\nD[b,x:N-1] = M[b,0,0,0]*x\noutput M, D"
    )
    found = net(np.zeros((0, 4, 4, 2), np.float32))
    assert (found.M.shape, found.D.shape) == ((0, 2, 2, 4), (0, 3))
    one = il.compile("input X[N]\nD[x:N-1] = X[x+1] - X[x]\nE[x:0] = sum[d:3] X[x+d]\noutput D, E")(
        np.zeros(1, np.float32)
    )
    assert (one.D.shape, one.E.shape) == ((0,), (0,))


def test_the_table_is_a_table() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 150


def given(case: Case, dtype: str) -> dict[str, np.ndarray]:
    """The inputs with floats in the program's type (those of f32 stay so)."""
    drawn = case.draw()
    return {name: a.astype(FLOATS[dtype]) if a.dtype == np.float64 else a for name, a in drawn.items()}


def wanted(case: Case, inputs: Mapping[str, np.ndarray]) -> Any:
    """The numpy line on float64 and int64: of the rounded inputs, so that only the program's own rounding is judged."""
    wide = {np.dtype(np.float32): np.float64, np.dtype(np.uint8): np.int64}
    with warnings.catch_warnings(action="ignore"):
        return case.expect(*(a.astype(wide.get(a.dtype, a.dtype)) for a in inputs.values()))


def tolerance(case: Case, inputs: Mapping[str, np.ndarray], dtype: str) -> float:
    """Relative to the largest magnitude of a result.

    f64: 1e-11, far above what sums of a million terms lose. f32: 16 roundings, times the square root of the longest
    sum, bounded by the largest input: errors add like a random walk.
    """
    if dtype == "f64":
        return 1e-11 * case.loose
    longest = max((a.size for a in inputs.values()), default=1)
    return 16 * 2.0**-24 * math.sqrt(1 + longest) * case.loose


def assert_equal(got: Any, want: Any, dtype: str, rtol: float) -> None:
    if isinstance(want, dict):
        assert list(got) == list(want)
        for name in want:
            assert_equal(got[name], want[name], dtype, rtol)
        return
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    assert _kind(got) == _kind(want)
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    finite = want[np.isfinite(want)]
    scale = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale)


def _kind(a: np.ndarray) -> str:
    return {"u": "int", "i": "int", "b": "bool", "f": "float"}[a.dtype.kind]
