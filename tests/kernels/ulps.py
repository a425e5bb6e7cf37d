"""Errors of the mathematical functions of workers, in units in the last place, against float64 or mpmath."""

import ctypes
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import mpmath
import numpy as np
from numba import njit

from indexlang.kernels.loader import load
from indexlang.kernels.toolchain import compile_worker

CHUNK = 1 << 16
NAMES = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "silu", "softplus", "erf", "gelu", "sin", "cos", "sqrt")
_count = count()


def source(name: str, kind: str, width: int = 1) -> str:
    """A worker NAME that applies a function to every element of its first arrays, or vectors of them, into the last."""
    arity = 2 if name in ("pow", "quotient") else 1
    read, write = "args_{}[n]", "result[n] = {}"
    if width > 1:
        read, write = f"lanes_{kind}x{width}(args_{{}}, n)", "put(result, n, {})"
    arguments = ", ".join(read.format(k) for k in range(arity))
    lines = [
        f"from indexlang.kernels.lang import input_{kind}, output_{kind}",
        f"from indexlang.kernels.scalar import {name}_{kind}",
        *([f"from indexlang.kernels.lanes import lanes_{kind}x{width}, put"] if width > 1 else []),
        "def NAME(start, stop, args):",
        *(f"    args_{k} = input_{kind}(args[{k}])" for k in range(arity)),
        f"    result = output_{kind}(args[{arity}])",
        f"    for n in range(start, stop, {width}):",
        "        " + write.format(f"{name}_{kind}({arguments})"),
    ]
    return "\n".join(lines) + "\n"


def function(name: str, kind: str, width: int = 1) -> Callable[..., np.ndarray]:
    """The function as compiled for this machine, on arrays; of whole vectors where `width` is more than 1."""
    symbol = f"ulps{next(_count)}_{name}"
    code = compile_worker(source(name, kind, width).replace("NAME", symbol), "<ulps>", symbol)
    native = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(load(code, symbol))

    def call(*arrays: np.ndarray) -> np.ndarray:
        given = [np.ascontiguousarray(a) for a in arrays]
        out = np.empty_like(given[0])
        native(0, len(out), np.array([a.ctypes.data for a in (*given, out)], np.int64).ctypes.data)
        return out

    return call


def floats(first: int = 0, last: int = 1 << 32, step: int = 1) -> Iterator[np.ndarray]:
    """float32 of the bit patterns first, first + step, … in chunks."""
    for start in range(first, last, CHUNK * step):
        yield np.arange(start, min(start + CHUNK * step, last), step, dtype=np.int64).astype(np.uint32).view(np.float32)


def worst(name: str, chunks: Iterable[np.ndarray]) -> tuple[float, float]:
    """The greatest error of a float32 function, and where; AssertionError where a special value is another."""
    ours, exact = function(name, "f32"), EXACT[name]
    found, at = 0.0, 0.0
    with np.errstate(all="ignore"):
        for x in chunks:
            y, wanted = ours(x), exact(x.astype(np.float64))
            k, error = greatest_error(y, wanted)
            assert not math.isnan(error), f"{name} at {x[k]!r}: {y[k]!r}, not {wanted[k]!r}"
            if error > found:
                found, at = error, float(x[k])
    return found, at


@njit(error_model="numpy")
def greatest_error(got: np.ndarray, exact: np.ndarray) -> tuple[int, float]:
    """Where a float32 result is worst, in units in the last place; NaN where a special value is another.

    An infinite result counts as 2^128, the next power of two, where the exact value is finite.
    """
    bits = exact.view(np.int64)
    found, at = 0.0, 0
    for k in range(len(got)):
        y, wanted = float(got[k]), exact[k]
        if wanted != wanted or abs(wanted) == np.inf or wanted == 0:
            same = (y != y) if wanted != wanted else y == wanted and math.copysign(1.0, y) == math.copysign(1.0, wanted)
            if not same:
                return k, np.nan
            continue
        exponent = min(max((bits[k] >> 52 & 0x7FF) - 1023, -126), 127)
        if abs(wanted) > 2.0**128:
            wanted = math.copysign(2.0**128, wanted)
        if abs(y) == np.inf:
            y = math.copysign(2.0**128, y)
        error = abs(y - wanted) * math.ldexp(1.0, 23 - exponent)
        if not error <= found:
            found, at = error, k
    return at, found


def _sigmoid(x: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1 + e)


def _slowly(f: Callable[[float], float], x: np.ndarray, easy: np.ndarray, is_hard: np.ndarray) -> np.ndarray:
    """f in Python where it must be, and `easy` elsewhere."""
    out = easy.copy()
    hard = x[is_hard]
    out[is_hard] = np.fromiter(map(f, hard.tolist()), np.float64, len(hard))
    return out


def _erf(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    easy = np.where(size > 1, np.sign(x), 2 / math.sqrt(math.pi) * x * (1 - x * x / 3))
    return _slowly(math.erf, x, easy, (size > 2.0**-10) & (size < 5))


def _gelu_of(x: float) -> float:
    return 0.5 * x * math.erfc(-x * math.sqrt(0.5))


def _gelu(x: np.ndarray) -> np.ndarray:
    near = x * (0.5 + x * (1 - x * x / 6) / math.sqrt(2 * math.pi))
    easy = np.where(np.abs(x) < 1, near, x * (x > 0))
    return _slowly(_gelu_of, x, easy, (np.abs(x) > 2.0**-10) & (x < 7) & (x > -30))


EXACT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))),
    "erf": _erf,
    "gelu": _gelu,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
}

LONG: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
    "gelu": lambda x: x * mpmath.erfc(-x * mpmath.sqrt(mpmath.mpf(0.5))) / 2,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "pow": mpmath.power,
}


def worst_f64(name: str, *arrays: np.ndarray) -> tuple[float, tuple[float, ...]]:
    """The greatest error of a float64 function over finite results, by mpmath with 40 digits, and where."""
    got = function(name, "f64")(*arrays)
    found, at = 0.0, (0.0,)
    with mpmath.workdps(40):
        for y, *given in zip(got.tolist(), *(a.tolist() for a in arrays), strict=True):
            exact = LONG[name](*map(mpmath.mpf, given))
            if exact > mpmath.mpf(2) ** 1024 * (1 - mpmath.mpf(2) ** -54):
                assert y == math.inf, f"{name} at {given}: {y!r}"
                continue
            assert math.isfinite(y), f"{name} at {given}: {y!r}"
            error = float(abs(mpmath.mpf(y) - exact) / mpmath.mpf(math.ulp(float(exact))))
            if error > found:
                found, at = error, tuple(given)
    return found, at
