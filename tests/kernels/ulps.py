"""Errors of the mathematical functions of workers, in units in the last place, against float64 or mpmath."""

import ctypes
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

import mpmath
import numpy as np

from indexlang.kernels.loader import load
from indexlang.kernels.toolchain import compile_worker

CHUNK = 1 << 16
NAMES = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "silu", "softplus", "erf", "gelu", "sin", "cos", "sqrt")
_count = count()


def source(name: str, kind: str) -> str:
    """A worker NAME that applies a function to every element of its first arrays, into the last."""
    arity = 2 if name == "pow" else 1
    arguments = ", ".join(f"args_{k}[n]" for k in range(arity))
    lines = [
        f"from indexlang.kernels.lang import input_{kind}, output_{kind}",
        f"from indexlang.kernels.scalar import {name}_{kind}",
        "def NAME(start, stop, args):",
        *(f"    args_{k} = input_{kind}(args[{k}])" for k in range(arity)),
        f"    result = output_{kind}(args[{arity}])",
        "    for n in range(start, stop):",
        f"        result[n] = {name}_{kind}({arguments})",
    ]
    return "\n".join(lines) + "\n"


def function(name: str, kind: str) -> Callable[..., np.ndarray]:
    """The function as compiled for this machine, on arrays."""
    symbol = f"ulps{next(_count)}_{name}"
    code = compile_worker(source(name, kind).replace("NAME", symbol), "<ulps>", symbol)
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
            errors = ulps(ours(x), exact(x.astype(np.float64)), x)
            k = int(errors.argmax())
            if errors[k] > found:
                found, at = float(errors[k]), float(x[k])
    return found, at


def ulps(got: np.ndarray, exact: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Errors of float32 results; what is infinite where it should be finite counts as the next power of two."""
    y = got.astype(np.float64)
    is_nan = np.isnan(exact)
    ends = is_nan | np.isinf(exact) | (exact == 0)
    if ends.any():
        a, b, where = y[ends], exact[ends], x[ends]
        bad = ~((np.isnan(a) & np.isnan(b)) | ((a == b) & (np.signbit(a) == np.signbit(b))))
        assert not bad.any(), f"at {where[bad][0]!r}: {a[bad][0]!r}, not {b[bad][0]!r}"
    y = np.where(np.isinf(y), np.copysign(2.0**128, y), y)
    exact = np.where(np.abs(exact) > 2.0**128, np.copysign(2.0**128, exact), exact)
    exponents = (exact.view(np.int64) >> 52 & 0x7FF) - 1023
    unit = (np.maximum(exponents, -126) + (1023 - 23) << 52).view(np.float64)
    unit = np.minimum(unit, 2.0**104)
    errors = np.abs(y - exact) / unit
    assert not np.isnan(errors[~ends]).any(), f"NaN at {x[~ends][np.isnan(errors[~ends])][0]!r}"
    return np.where(ends, 0.0, errors)


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
