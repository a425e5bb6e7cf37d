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
