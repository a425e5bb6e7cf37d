"""Workers lowered by ourselves: what they are made of is known, and they do what numba makes of them."""

import ast
import ctypes
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import indexlang as il
from indexlang import pipeline
from indexlang.kernels import fallback, toolchain
from indexlang.kernels.loader import load
from indexlang.kernels.lower_values import Unsupported
from indexlang.run.machine import target

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = {
    "softmax": "input F[7,9]\np[b,k] = exp(F[b,k]) / sum[m] exp(F[b,m])\noutput p",
    "gather": "input F[7,9]\ninput l[7] : int\nY[b] = F[b, l[b]] if l[b] < 9 and l[b] >= 0 else -1",
    "scatter": "input l[30] : int\ntensor H[10]\nH[l[b]] += 1\noutput H",
    "bytes": "input P[5,6] : u8\nY[x] = sum[y] P[x,y] * 0.5 if P[x,0] > 3 else 0\noutput Y",
    "arg": "input X[9,31]\nY[b] = argmax[i] X[b,i]\noutput Y",
    "logic": "input X[40]\nY[i] = 1 if (X[i] > 0 or X[i] < -1) and not (X[i] == 2) else X[i] // 2 + X[i] % 3",
    "window": "input X[2,19,23,5]\nY[b,x:19,y:23,i] = max[dx:3, dy:3] X[b, x+dx-1, y+dy-1, i else -inf]",
    "drawn": "input X[40]\nT[i:40] ~ normal(0, 1)\nY[i] = X[i] + T[i]\noutput Y",
    "vectors": "input A[36,36]\nY[x:30,y:30] = logsumexp[dx:5,dy:5] A[x+dx,y+dy]",
    "backwards": "input A[128,40]\ninput B[160,40]\nY[i,j:32] = sum[c] abs(A[i,c]^1.5 - B[i-j+31,c])",
    "functions": "input X[40]\nY[i] = gelu(X[i]) + sin(X[i]) * X[i]^1.5 + round(X[i]) * i + abs(floor(X[i]))",
}


def sources(text: str, dtype: str) -> Iterator[str]:
    program = il.compile(text, dtype=dtype)._typed
    plan = pipeline.plan(program, program.outputs, target())
    yield from dict.fromkeys(s.kernel.source for s in (*plan.once, *plan.steps))


def parts(source: str) -> tuple[dict, str]:
    symbol = next(n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    names: dict = {"__name__": symbol}
    exec(compile(source, "<test>", "exec"), names)
    return names, symbol


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", list(TEXTS))
def test_the_words_of_kernels_are_known(name: str, dtype: str):
    for source in sources(TEXTS[name], dtype):
        names, symbol = parts(source)
        assert f"@{symbol}" in toolchain._lowered(source, names, symbol).replace('"', "")


@pytest.mark.parametrize("name", ["vectors", "backwards"])
def test_numba_knows_the_words_of_vectors(name: str):
    found = [source for source in sources(TEXTS[name], "f32") if "put(" in source]
    assert found
    for source in found:
        names, symbol = parts(source)
        assert fallback.compile_function(names[symbol], symbol)


def test_the_kernels_of_a_network_are_known():
    for source in sources((EXAMPLES / "alexnet.idx").read_text().replace("[B,", "[1,"), "f32"):
        toolchain._lowered(source, *parts(source))


@pytest.mark.parametrize("text", ["while start: pass", "args[0] = start ** 2", "x = 1\n    x = 0.5", "y = unknown"])
def test_other_words_are_left_to_numba(text: str):
    source = f"def f(start, stop, args):\n    {text}\n"
    with pytest.raises(Unsupported):
        toolchain._lowered(source, *parts(source))


MIXED = """
from indexlang.kernels.lang import input_f32, input_u8, input_i32, output_f64, output_i64, max2
from indexlang.kernels.scalar import floordiv, mod, to_int
from numpy import float32 as f32, float64 as f64, int64 as i64
from math import inf, nan


def NAME(start, stop, args):
    A = input_f32(args[0])
    P = input_u8(args[1])
    I = input_i32(args[2])
    R = output_f64(args[3])
    N = output_i64(args[4])
    for n in range(start, stop):
        x = A[n] if P[n] > 100 and not I[n] < 0 else -f32(inf)
        if x > 2 or P[n] == 7:
            y = f64(x) * 3 - i64(I[n])
        else:
            y = -x / 3
            if x != x:
                y = 1 / 3
        N[n] = 0
        for k in range(n, stop, 2):
            N[n] = N[n] + k * i64(P[k]) - floordiv(i64(I[n]), 3) + mod(i64(I[n]), -k - 1)
        R[n] = y + (1 if x > 1 else 0) + max2(n, 5)
"""


def test_numbers_of_all_types_meet_as_numba_has_them():
    random = np.random.default_rng(2)
    a = random.standard_normal(101).astype(np.float32) * 3
    a[[3, 50]] = np.nan, np.inf
    p, i = random.integers(0, 256, 101).astype(np.uint8), random.integers(-50, 50, 101).astype(np.int32)
    found = []
    for symbol in ("mixed_ours", "mixed_numba"):
        source = MIXED.replace("NAME", symbol)
        names, _ = parts(source)
        if symbol == "mixed_ours":
            toolchain._lowered(source, names, symbol)
            code = toolchain.compile_worker(source, "<test>", symbol)
        else:
            code = fallback.compile_function(names[symbol], symbol)
        r, n = np.zeros(101), np.zeros(101, np.int64)
        given = np.array([v.ctypes.data for v in (a, p, i, r, n)], np.int64)
        worker = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(load(code, symbol))
        worker(0, 101, given.ctypes.data)
        found.append((r, n))
    assert np.array_equal(found[0][0], found[1][0], equal_nan=True)
    assert np.array_equal(found[0][1], found[1][1])
