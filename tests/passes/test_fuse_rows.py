"""What is known of a row moves into the equation along it, is computed once, and kept where it is costly."""

from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.infer.scope import Options
from indexlang.ir.dtypes import DType
from indexlang.passes.dce import drop_dead
from indexlang.passes.fuse import fuse_readers
from indexlang.passes.fuse_rows import fuse_rows
from indexlang.pipeline import typed
from indexlang.syntax.parse import parse
from indexlang.text.source import Source

SOFTMAX = "E[b,k] = exp(X[b,k] - max[m] X[b,m])\nY[b,k] = E[b,k] / sum[m] E[b,m]"
MOMENTS = "m[b] = 1/K * sum[k] X[b,k]\nv[b] = 1/K * sum[k] (X[b,k]-m[b])^2\n"

FUSED = {
    "softmax": SOFTMAX,
    "its logarithm": "t[b] = max[k] X[b,k]\nz[b] = log(sum[k] exp(X[b,k] - t[b]))\nY[b,k] = X[b,k] - t[b] - z[b]",
    "layer norm": MOMENTS + "Y[b,k] = S[k]*(X[b,k]-m[b])/sqrt(v[b] + 0.001)",
    "a variance": MOMENTS + "Y[b] = v[b]",
    "a map of fewer indices": "R[b] = exp(X[b,0])\nY[b,k] = X[b,k]*R[b]",
    "a quotient": "n[b] = sum[k] abs(X[b,k])\nY[b,k] = X[b,k]/n[b]",
    "under a condition": SOFTMAX.replace("E[b,k] / sum[m] E[b,m]", "(E[b,k] if k < 2 else 0) / sum[m] E[b,m]"),
    "a sum under a condition": SOFTMAX.replace("sum[m] E[b,m]", "sum[m] (E[b,m] if m > 0 else 0.5)"),
    "twice kept": "E[b,k] = exp(X[b,k])\nF[b,k] = log(1 + E[b,k])\n"
    "Y[b,k] = (E[b,k] + F[b,k])/(sum[m] E[b,m] + sum[n] F[b,n]^2)",
}
KEPT = {
    "wanted": (SOFTMAX + "\noutput E, Y", 2),
    "another row": ("E[b,k] = exp(X[b,k])\nY[b,k:3] = E[b,k] / sum[m] E[b,m]", 2),
    "in every element": ("E[b,k] = exp(X[b,k])\nY[b,k] = max[m] (E[b,m] * X[k,m])", 2),
    "of a column": ("m[k] = max[b] X[b,k]\nY[b,k] = X[b,k] - m[k]", 2),
    "of everything": ("m = max[b,k] X[b,k]\nY[b,k] = X[b,k] - m", 2),
    "a subscript": ("R[b] = J[b] % 3\nY[b,k] = X[R[b],k]", 2),
    "two readers": ("m[b] = max[k] X[b,k]\nU[b,k] = X[b,k]-m[b]\nV[b,k] = X[b,k]+m[b]\noutput U, V", 3),
}
SHAPES = ((1, 1), (3, 37), (5, 64), (2, 130), (7, 3))


def count(text: str) -> int:
    heading = "input X[40,40]\ninput S[40]\ninput J[40] : int\n"
    program = typed(parse(Source("<text>", heading + text))[0], Options(DType.F32))
    return len(fuse_rows(fuse_readers(drop_dead(program, program.outputs))).equations)


@pytest.mark.parametrize("text", FUSED.values(), ids=FUSED.keys())
def test_one_equation_is_left(text: str) -> None:
    assert count(text + "\noutput Y") == 1


@pytest.mark.parametrize(("text", "equations"), KEPT.values(), ids=KEPT.keys())
def test_what_stays(text: str, equations: int) -> None:
    assert count(text if "output" in text else text + "\noutput Y") == equations


def test_long_rows_stay() -> None:
    heading = "input X[4,5000]\n"
    program = typed(parse(Source("<text>", heading + SOFTMAX + "\noutput Y"))[0], Options(DType.F32))
    assert len(fuse_rows(fuse_readers(program)).equations) == 2


def values(b: int, k: int) -> dict[str, Any]:
    random = np.random.default_rng(b + k)
    return {"X": random.standard_normal((b, k)), "S": random.standard_normal(k)}


@pytest.mark.parametrize("text", FUSED.values(), ids=FUSED.keys())
@pytest.mark.parametrize(("dtype", "tolerance"), [("f32", 3e-5), ("f64", 1e-12)])
def test_the_numbers(text: str, dtype: str, tolerance: float) -> None:
    net = il.compile(text + "\noutput Y", dtype=dtype)
    for b, k in SHAPES:
        given = {n: a.astype(dtype.replace("f", "float")) for n, a in values(b, k).items() if f"{n}[" in text}
        np.testing.assert_allclose(net(**given), net.interpret(**given), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("text", [SOFTMAX, FUSED["a quotient"]])
def test_lost_numbers_stay_in_their_row(text: str) -> None:
    given = values(6, 50)["X"].astype(np.float32)
    given[1, 7], given[2, 8], given[3, :], given[4, 9] = np.nan, np.inf, 0, -np.inf
    net = il.compile(text + "\noutput Y", dtype="f32")
    got, want = net(X=given), net.interpret(X=given)
    np.testing.assert_allclose(got, want, rtol=3e-5, atol=1e-7)


def test_no_rows_and_empty_rows() -> None:
    net = il.compile(SOFTMAX + "\noutput Y", dtype="f32")
    assert net(X=np.zeros((0, 5), np.float32)).shape == (0, 5)
    assert net(X=np.zeros((5, 0), np.float32)).shape == (5, 0)


def test_the_same_bits_for_any_number_of_threads() -> None:
    given = values(301, 97)["X"].astype(np.float32)
    one, three = (il.compile(SOFTMAX + "\noutput Y", dtype="f32", threads=n)(X=given) for n in (1, 3))
    assert np.array_equal(one, three)


def test_a_quotient_by_what_stays_is_rounded_as_a_division() -> None:
    random = np.random.default_rng(3)
    for dtype, most in ((np.float32, 38), (np.float64, 300)):
        exponents = random.uniform(-most - 7, most, (64, 300))
        with np.errstate(over="ignore"):
            x = (random.uniform(1, 10, (64, 300)) * 10.0**exponents).astype(dtype)
        y = (random.uniform(1, 10, 64) * 10.0 ** random.uniform(-most - 5, most, 64)).astype(dtype)
        x[:, :5], y[:4] = (0, -0.0, np.inf, -np.inf, np.nan), (0, np.inf, -1, np.nan)
        got = il.compile("Y[b,k] = X[b,k]/D[b]", dtype="f32" if most == 38 else "f64")(X=x, D=y)
        with np.errstate(all="ignore"):
            want = x / y[:, None]
        normal = (np.abs(want) >= np.finfo(dtype).tiny) & (np.abs(x) > np.finfo(dtype).tiny * 2.0**30)
        exact = normal | (want == 0) & ((x == 0) | np.isinf(y[:, None])) | ~np.isfinite(want)
        assert np.array_equal(got[exact], want[exact], equal_nan=True)
        assert np.array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))
        np.testing.assert_allclose(
            got, want, rtol=float(4 * np.finfo(dtype).eps), atol=float(2 * np.finfo(dtype).smallest_subnormal)
        )
