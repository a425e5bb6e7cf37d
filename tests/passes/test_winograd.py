"""Short windows by fewer products: the matrices are exact, and programs give what their own sums give."""

from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest

import indexlang as il
from indexlang.ir.dtypes import DType
from indexlang.ir.transforms import PRODUCTS, TAPS, matrix, results_of, transforms
from indexlang.nest.moves import winograd

LAYER = "Y[b,x:{0},y:{1},j] = relu((sum[dx:3,dy:3,i] W[dx,dy,i,j]*X[b,x+dx-1,y+dy-1,i else 0]) + B[j])"
# equation, inputs, parameters
PROGRAMS: dict[str, tuple[str, dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]] = {
    **{
        f"layer, {n} by {m}": (
            LAYER.format(n, m),
            {"X": (2, n, m, 2)},
            {"W": (3, 3, 2, j), "B": (j,)},
        )
        for n, m, j in ((1, 1, 33), (2, 3, 17), (4, 4, 16), (5, 8, 5), (9, 12, 4))
    },
    "no border": (
        "Y[b,x:6,y:5,j] = sum[dx:3,dy:3,i] W[dx,dy,i,j]*X[b,x+dx,y+dy,i]",
        {"X": (2, 8, 7, 6)},
        {"W": (3, 3, 6, 7)},
    ),
    "one window": ("Y[x:11,j] = sum[k:3,i] W[k,i,j]*X[x+k-1,i else 0]", {"X": (11, 8)}, {"W": (3, 8, 9)}),
    "one of two windows": (
        "Y[x:9,y:4,j] = sum[k:3,m:7,i] W[k,m,i,j]*X[x+k-1,y+m-3,i else 0]",
        {"X": (9, 4, 2)},
        {"W": (3, 7, 2, 9)},
    ),
    "three windows": (
        "Y[x:4,y:5,z:3,j] = sum[k:3,m:3,n:3,i] W[k,m,n,i,j]*X[x+k-1,y+m-1,z+n-1,i else 0]",
        {"X": (4, 5, 3, 2)},
        {"W": (3, 3, 3, 2, 9)},
    ),
    "windows of two and five": (
        "Y[x:9,y:10,j] = sum[k:2,m:5,i] W[k,m,i,j]*X[x+k,y+m-2,i else 0]",
        {"X": (9, 10, 2)},
        {"W": (2, 5, 2, 9)},
    ),
    "windows of four": (
        "Y[x:9,y:10,j] = sum[k:4,m:4,i] W[k,m,i,j]*X[x+k-2,y+m-1,i else 0]",
        {"X": (9, 10, 2)},
        {"W": (4, 4, 2, 9)},
    ),
    "backwards": (
        "Y[x:9,y:10,j] = sum[k:3,m:3,i] W[k,m,i,j]*X[x-k,y+m-1,i else 0]",
        {"X": (9, 10, 2)},
        {"W": (3, 3, 2, 9)},
    ),
    "another number outside": (
        "Y[x:9,y:10,j] = sum[k:3,m:3,i] W[k,m,i,j]*X[x+k-1,y+m-1,i else -2.5]",
        {"X": (9, 10, 2)},
        {"W": (3, 3, 2, 9)},
    ),
    "the edge outside": (
        "Y[x:9,y:10,j] = sum[k:3,m:3,i] W[k,m,i,j]*X[x+k-1,y+m-1,i else edge]",
        {"X": (9, 10, 2)},
        {"W": (3, 3, 2, 9)},
    ),
    "around the other end": (
        "Y[x:9,y:10,j] = sum[k:3,m:3,i] W[k,m,i,j]*X[x+k-1,y+m-1,i else wrap]",
        {"X": (9, 10, 2)},
        {"W": (3, 3, 2, 9)},
    ),
    "groups": (
        "Y[b,x:5,y:6,(g,j)] = sum[k:3,m:3,i] W[g,k,m,i,j]*X[b,x+k-1,y+m-1,(g,i) else 0]",
        {"X": (2, 5, 6, 6)},
        {"W": (3, 3, 3, 2, 9)},
    ),
    "a residual": (
        "Y[b,x:7,y:6,j] = max(R[b,x,y,j] - 0.5*(sum[k:3,m:3,i] W[k,m,i,j]*X[b,x+k-1,y+m-1,i else 0]), 2*R[b,x,y,j])",
        {"X": (2, 7, 6, 3), "R": (2, 7, 6, 11)},
        {"W": (3, 3, 3, 11)},
    ),
    "filters the other way round": (
        "Y[b,x:7,y:6,j] = sum[k:3,m:3,i] W[j,i,k,m]*X[b,x+k-1,y+m-1,i else 0]",
        {"X": (2, 7, 6, 3)},
        {"W": (11, 3, 3, 3)},
    ),
    "two layers and a sum of both": (
        "P[b,x:7,y:6,j] = relu(sum[k:3,m:3,i] W[k,m,i,j]*X[b,x+k-1,y+m-1,i else 0])\n"
        "Q[b,x:7,y:6,j] = relu(sum[k:3,m:3,i] W[k,m,i,j]*P[b,x+k-1,y+m-1,i else 0]) + P[b,x,y,j]\n"
        "Y[b,x,y,j] = 2*Q[b,x,y,j]\noutput Y",
        {"X": (2, 7, 6, 3)},
        {"W": (3, 3, 3, 3)},
    ),
    "scalars, not vectors": (
        "Y[x:9,y:10,j:1] = sum[k:3,m:3,i:1] W[k,m,i,j]*X[x+k-1,y+m-1,i else 0]",
        {"X": (9, 10, 1)},
        {"W": (3, 3, 1, 1)},
    ),
}
CLOSELY = ("layer, 5 by 8", "one window", "windows of two and five", "backwards")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little it gains."""
    for name, value in (("LEAST_PRODUCTS", 0), ("LEAST_CHANNELS", 0), ("GAIN", 0.0), ("TYPES", (DType.F32, DType.F64))):
        monkeypatch.setattr(winograd, name, value)


@pytest.mark.parametrize("taps", TAPS)
def test_neighbouring_sums_come_from_the_products_exactly(taps: int) -> None:
    made, random = transforms(taps), Random(taps)
    filters = [Fraction(random.randint(-9, 9)) for _ in range(taps)]
    given = [Fraction(random.randint(-9, 9)) for _ in range(PRODUCTS)]
    of_input, of_filter, of_result = (matrix(op) or () for op in (made.of_input, made.of_filter, made.of_result))
    products = [_dot(of_filter[u], filters) * _dot(of_input[u], given) for u in range(PRODUCTS)]
    for r in range(results_of(taps)):
        assert _dot(of_result[r], products) == _dot(filters, given[r:])


def _dot(a: Any, b: Any) -> Fraction:
    return sum((p * q for p, q in zip(a, b, strict=False)), Fraction(0))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(("name", "dtype"), [*((n, "f32") for n in PROGRAMS), *((n, "f64") for n in CLOSELY)])
def test_results_are_those_of_the_sums_themselves(name: str, dtype: str) -> None:
    program, arrays = _program(name, dtype)
    assert "of_input_" in program.show("simple")
    found = np.asarray(program(**arrays))
    wanted = np.asarray(program.interpret(**arrays))
    tolerance = 2e-5 if dtype == "f32" else 1e-12
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * max(1.0, float(np.abs(wanted).max())))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", ["layer, 5 by 8", "groups", "two layers and a sum of both"])
def test_the_bits_do_not_depend_on_threads(name: str) -> None:
    program, arrays = _program(name, "f32")
    one = np.asarray(program(**arrays))
    for threads in (2, 3):
        other, _ = _program(name, "f32", threads=threads)
        assert np.array_equal(one, np.asarray(other(**arrays)))


@pytest.mark.usefixtures("always")
def test_what_the_sum_does_not_read_is_not_read() -> None:
    """NaN behind the last element that a window touches changes nothing, though a tile could reach it."""
    text = "input X[12,4]\nparam W[3,4,5]\nY[x:{0},j] = sum[k:3,i] W[k,i,j]*X[x+k,i]"
    for count in range(1, 11):
        program = il.compile(text.format(count), dtype="f32").init(1)
        x = np.random.default_rng(count).standard_normal((12, 4), np.float32)
        before = np.asarray(program(X=x))
        x[count + 2 :] = np.nan
        assert np.array_equal(before, np.asarray(program(X=x)))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_show_wherever_they_are_read(value: float) -> None:
    program, arrays = _program("backwards", "f32")
    arrays["X"][3, 4, 1] = value
    found = np.asarray(program(**arrays))
    assert not np.isfinite(found[3:6, 3:6]).any()
    assert np.isfinite(found[8]).all()


def test_layers_large_enough_are_computed_so_but_for_the_exact_ones() -> None:
    text = "input X[56,56,128]\nparam W[3,3,128,128]\nY[x:56,y:56,j] = sum[k,m,i] W[k,m,i,j]*X[x+k-1,y+m-1,i else 0]"
    shorter = il.compile(text, dtype="f32")
    exact = (
        il.compile(text, dtype="f32", exact=True),
        il.compile(text, dtype="f64"),
        il.compile(text.replace("param", "input"), dtype="f32"),
        il.compile(text.replace("56", "12"), dtype="f32"),
        il.compile(f"{text}\nloss = sum[x,y,j] Y[x,y,j]\noutput loss", dtype="f32").grad("loss"),
    )
    assert "of_input_" in shorter.show("simple")
    assert not any("of_input_" in p.show("simple") for p in exact)


def _text(name: str) -> str:
    text, inputs, params = PROGRAMS[name]
    heads = [
        f"{kind} {n}{list(shape)}" for kind, of in (("input", inputs), ("param", params)) for n, shape in of.items()
    ]
    return "\n".join([*heads, text])


def _give(program: il.Program, name: str) -> None:
    random = np.random.default_rng(5)
    for n, shape in PROGRAMS[name][2].items():
        if n in program.params:
            program.params[n] = random.standard_normal(shape)


def _program(name: str, dtype: str, threads: int | None = None) -> tuple[il.Program, dict[str, Any]]:
    program = il.compile(_text(name), dtype=dtype, threads=threads)
    _give(program, name)
    random = np.random.default_rng(4)
    kind = np.float32 if dtype == "f32" else np.float64
    return program, {n: random.standard_normal(shape).astype(kind) for n, shape in PROGRAMS[name][1].items()}
