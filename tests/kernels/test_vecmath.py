"""Vector mathematics: within 4 units in the last place of the float64 (or longer) values, exact at the ends."""

import math

import numpy as np
import pytest
from test_lang import assembly, compiled

from indexlang.kernels.machine import machine

ENDS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-45, -1e-45, 1e-310, 2e-39]
ENDS += [88.72, 88.73, -87.4, -103.9, -104.1, 3e38, -3e38, 709.78, 709.79, -744.4, -745.2, 1e308, -1e308]
ROWS = [(name, kind) for kind in ("f32", "f64") for name in ("exp", "log", "tanh", "expm1", "log1p")] + [("erf", "f32")]
EXACT = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "expm1": np.expm1, "log1p": np.log1p}
EXACT["erf"] = np.vectorize(math.erf, otypes=[np.float64])


def body(name: str, kind: str) -> str:
    return f"""
    A = pointer_{kind}(args[0]); B = pointer_{kind}(args[1]); n = args[2]
    for j in range(n):
        B[j] = math.{name}(A[j])
"""


def values(name: str, kind: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ours, and the exact values: for float64 in long double where the machine has one."""
    y = np.zeros_like(x)
    compiled(body(name, kind))(1, x, y, len(x))
    with np.errstate(all="ignore"):
        return y, EXACT[name](x.astype(np.float64 if name == "erf" or kind == "f32" else np.longdouble))


@pytest.mark.parametrize(("name", "kind"), ROWS)
def test_error(name: str, kind: str):
    dtype = {"f32": np.float32, "f64": np.float64}[kind]
    random = np.random.default_rng(5)
    spread = random.standard_normal(20000) * 10.0 ** random.uniform(-44 if kind == "f32" else -320, 2.5, 20000)
    x = np.concatenate([spread, random.uniform(-2, 2, 20000), random.uniform(-100, 100, 20000)]).astype(dtype)
    x = np.abs(x) if name == "log" else x
    got, exact = values(name, kind, x)
    with np.errstate(all="ignore"):
        rounded = exact.astype(dtype)
        error = np.abs(got - exact) / np.spacing(np.abs(rounded))
    finite = np.isfinite(rounded)
    assert np.array_equal(got[~finite], rounded[~finite], equal_nan=True)
    assert error[finite].max() <= 4


@pytest.mark.parametrize(("name", "kind"), ROWS)
def test_ends(name: str, kind: str):
    with np.errstate(all="ignore"):
        x = np.array(ENDS).astype({"f32": np.float32, "f64": np.float64}[kind])
        got, exact = values(name, kind, x)
        rounded = exact.astype(x.dtype)
    assert np.allclose(got, rounded, rtol=1e-6 if kind == "f32" else 1e-14, atol=0, equal_nan=True)
    numbers = ~np.isnan(rounded)
    assert np.array_equal(np.signbit(got[numbers]), np.signbit(rounded[numbers]))


@pytest.mark.skipif(machine().vector_bytes < 32, reason="narrow vectors")
@pytest.mark.parametrize(("name", "kind"), ROWS)
def test_loops_become_vectors(name: str, kind: str):
    text = assembly(body(name, kind))
    assert {64: "%zmm", 32: "%ymm"}[machine().vector_bytes] in text
    assert "call" not in text
