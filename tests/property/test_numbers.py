# pyright: reportArgumentType=false
"""NaN, infinities, zeros and denormals through every function and reduction, in every place; long sums; threads."""

import math
from pathlib import Path

import numpy as np
import pytest
from running import value_of

import indexlang as il
from indexlang.ir import ops

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TINY = {"f32": 2.0**-140, "f64": 2.0**-1060}
ROUND_OFF = {"f32": 2.0**-24, "f64": 2.0**-53}
FUNCTIONS = tuple(ops.FUNCTIONS)
FOLDS = ("sum", "prod", "max", "min", "mean", "logsumexp", "argmax", "argmin")
N = 37  # terms: no multiple of a vector
FLOATS = ("f32", "f64")


def special(dtype: str) -> np.ndarray:
    return np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, TINY[dtype], -TINY[dtype]])


def numbers(dtype: str) -> type:
    return np.float32 if dtype == "f32" else np.float64


def assert_same_kind(found: np.ndarray, wanted: np.ndarray, dtype: str, name: str) -> None:
    """NaN where NaN is due, each infinity where it is, all else within a few units in the last place."""
    tiny = (
        2.0**-149 if dtype == "f32" else 2.0**-1074
    )  # to this grid each product is rounded, and the next factor makes it more
    # in f32 a sum of 37 terms, and functions of some units in the last place
    np.testing.assert_allclose(found, wanted, rtol=100 * ROUND_OFF[dtype], atol=10 * N * tiny, err_msg=name)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_function_of_special_values_at_every_place_of_a_vector(dtype: str) -> None:
    values = np.concatenate([special(dtype), [1.0, -1.0]])
    x = np.resize(values, 19 * len(values) + 5).astype(numbers(dtype))
    text = "input X[N]\n" + "".join(f"F_{f}[i] = {f}(X[i])\n" for f in FUNCTIONS)
    net = il.compile(text, dtype=dtype)
    found, wanted = net(X=x), net.interpret(X=x)
    for f in FUNCTIONS:
        assert_same_kind(found[f"F_{f}"], wanted[f"F_{f}"], dtype, f)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_operation_of_two_special_values(dtype: str) -> None:
    values = np.concatenate([special(dtype), [1.0, -2.0]])
    a, b = (m.reshape(-1).astype(numbers(dtype)) for m in np.meshgrid(values, values))
    forms = {
        "add": "A[i]+C[i]",
        "sub": "A[i]-C[i]",
        "mul": "A[i]*C[i]",
        "div": "A[i]/C[i]",
        "max": "max(A[i],C[i])",
        "min": "min(A[i],C[i])",
        "power": "A[i]^C[i]",
        "square": "A[i]^2",
        "less": "1.0 if A[i] < C[i] else 0.0",
        "same": "1.0 if A[i] == C[i] else 0.0",
        "border": "A[i+1 else 0] + C[i-1 else 0]",
    }
    text = f"input A[{len(a)}]\ninput C[{len(a)}]\n" + "".join(f"R_{n}[i:{len(a)}] = {f}\n" for n, f in forms.items())
    net = il.compile(text, dtype=dtype)
    found, wanted = net(A=a, C=b), net.interpret(A=a, C=b)
    limit = float(np.finfo(numbers(dtype)).max)
    for n in forms:
        oracle = np.where(np.abs(wanted[f"R_{n}"]) > limit, np.sign(wanted[f"R_{n}"]) * np.inf, wanted[f"R_{n}"])
        assert_same_kind(found[f"R_{n}"], oracle, dtype, n)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_reduction_of_a_special_value_in_every_place(dtype: str) -> None:
    """Along the last axis, along the first, and as a product with a matrix, which goes through register tiles."""
    values = special(dtype)
    x = np.ones((len(values), N, N)) * np.linspace(0.5, 1.5, N)
    for s, value in enumerate(values):
        x[s][np.arange(N), np.arange(N)] = value
    x = x.reshape(-1, N).astype(numbers(dtype))
    text = f"input X[{len(x)},{N}]\ninput T[{N},{len(x)}]\ninput W[{N},17]\n"
    for f in FOLDS:
        text += f"R_{f}[p] = {f}[i] X[p,i]\nC_{f}[p] = {f}[i] T[i,p]\n"
    text += "M[p,j] = sum X[p,i]*W[i,j]\n"
    net = il.compile(text, dtype=dtype)
    given = {"X": x, "T": np.ascontiguousarray(x.T), "W": np.ones((N, 17), numbers(dtype))}
    found, wanted = net(**given), net.interpret(**given)
    for name in (*(f"{a}_{f}" for f in FOLDS for a in "RC"), "M"):
        assert_same_kind(found[name], wanted[name], dtype, name)


@pytest.mark.parametrize("dtype", FLOATS)
def test_denormals_are_not_flushed(dtype: str) -> None:
    x = np.full(67, TINY[dtype], numbers(dtype))
    found = il.compile("A[i] = 2*X[i]\nC[i] = max(X[i], 0)\nS = sum[i] X[i]\nM = max X", dtype=dtype)(X=x)
    assert (found["A"] == 2 * TINY[dtype]).all()
    assert (found["C"] == x).all()
    assert found["S"] == 67 * TINY[dtype]
    assert found["M"] == TINY[dtype]


@pytest.mark.parametrize("n", [1000, 100_000, 1_000_003])
@pytest.mark.parametrize("kind", ["tenths", "random", "growing"])
def test_a_long_sum_is_within_the_bound_of_blocked_summation(n: int, kind: str) -> None:
    """Sums go in blocks of at most 4,096 terms, and blocks of those; tiles in blocks of 1,024, and then one by one."""
    x = {
        "tenths": lambda: np.full(n, 0.1),
        "random": lambda: np.random.default_rng(0).standard_normal(n),
        "growing": lambda: np.linspace(0, 1, n),
    }[kind]().astype(np.float32)
    exact = math.fsum(x.astype(np.float64))
    unit = ROUND_OFF["f32"] * float(np.abs(x.astype(np.float64)).sum())
    stages = math.ceil(math.log(n, 4096))
    found = float(il.compile("S = sum[i] X[i]", dtype="f32")(X=x))
    dot = float(il.compile("D[a] = sum[i] X[i]*W[i,a]", dtype="f32")(X=x, W=np.ones((n, 1), np.float32))[0])
    assert abs(found - exact) <= 4096 * stages * unit
    assert abs(dot - exact) <= (1024 + n / 512) * unit
    if kind == "random":  # errors of both signs: as good as pairs
        assert max(abs(found - exact), abs(dot - exact)) <= math.log2(n) * unit


SMALL = ("01", "02", "03", "04", "06", "07", "11", "21", "25")
FILES = sorted(p for kind in ("*.idx", "*.tex") for p in (EXAMPLES / "lecture").glob(kind) if p.stem != "layers")


def bits(path: Path, threads: int) -> dict[str, bytes]:
    net = il.load(path, threads=threads)
    if any(str(e) == "B" for t in net.inputs.values() for e in t.extents):
        net = net.bound(B=2)
    found = net(**net.example_inputs())
    return {name: value_of(found, name).tobytes() for name in net.outputs}


def same_bits(path: Path) -> None:
    one = bits(path, 1)
    for threads in (2, 3, 5):
        assert bits(path, threads) == one, f"{threads} threads"


@pytest.mark.parametrize("path", [p for p in FILES if p.name[:2] in SMALL], ids=lambda p: p.name)
def test_the_number_of_threads_changes_no_bit(path: Path) -> None:
    same_bits(path)


@pytest.mark.soak
@pytest.mark.parametrize("path", [*FILES, EXAMPLES / "alexnet.idx"], ids=lambda p: p.name)
def test_the_number_of_threads_changes_no_bit_of_any_example(path: Path) -> None:
    same_bits(path)
