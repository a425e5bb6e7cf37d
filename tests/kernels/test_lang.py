"""The names of generated workers: their values, and that LLVM makes vectors of them."""

import ctypes
import math

import numpy as np
import pytest

from indexlang.kernels.fallback import optimized
from indexlang.kernels.loader import LoadError, load
from indexlang.kernels.machine import machine, target_machine
from indexlang.kernels.toolchain import WorkerError, compile_worker

HEAD = """
import math
import numpy as np
from indexlang.kernels.lang import (atomic_min, max2, min2, plus, pointer_bool, pointer_f32, pointer_f64, pointer_i32,
    pointer_i64, pointer_u8, shift, times)
f32 = np.float32
def NAME(start, stop, args):
"""

SUM = """
    A = pointer_f32(args[0]); B = pointer_f32(args[1]); n = args[2]
    for i in range(start, stop):
        acc = f32(0)
        for j in range(n):
            acc = plus(acc, A[i*n+j]*A[i*n+j])
        B[i] = acc
"""
MAX = """
    A = pointer_f32(args[0]); B = pointer_f32(args[1]); n = args[2]
    for i in range(start, stop):
        acc = f32(-np.inf)
        for j in range(n):
            acc = max2(acc, A[i*n+j])
        B[i] = acc
"""
MIN = MAX.replace("max2", "min2").replace("-np.inf", "np.inf")
PRODUCT = MAX.replace("max2", "times").replace("-np.inf", "1")
RELU = """
    A = pointer_f32(args[0]); B = pointer_f32(args[1]); n = args[2]
    for i in range(start, stop):
        for j in range(n):
            B[i*n+j] = max2(A[i*n+j], f32(0))
"""

count = iter(range(10**6))


def compiled(body: str):
    name = f"lang{next(count)}"
    code = compile_worker(HEAD.replace("NAME", name) + body, "<test>", name)
    function = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(load(code, name))

    def run(iterations: int, *arrays_and_numbers) -> None:
        numbers = [v.ctypes.data if isinstance(v, np.ndarray) else v for v in arrays_and_numbers]
        args = np.array(numbers, np.int64)
        function(0, iterations, args.ctypes.data)

    return run


def assembly(body: str) -> str:
    space: dict = {}
    exec(compile(HEAD + body, "<test>", "exec"), space)
    return target_machine().emit_assembly(optimized(space["NAME"], "NAME"))


@pytest.mark.parametrize(("body", "expected"), [(MAX, np.max), (MIN, np.min), (PRODUCT, np.prod)])
@pytest.mark.parametrize("n", [1, 7, 100, 1000])
def test_reductions(body: str, expected, n: int):
    A = np.random.default_rng(n).uniform(0.9, 1.1, (3, n)).astype(np.float32) * np.float32(-1 if body == MAX else 1)
    B = np.zeros(3, np.float32)
    compiled(body)(3, A, B, n)
    assert np.allclose(B, expected(A, axis=1), rtol=1e-4)


@pytest.mark.parametrize("body", [MAX, MIN])
def test_nan_is_kept_at_every_position(body: str):
    n, run = 67, compiled(body)
    A = np.zeros((n, n), np.float32)
    np.fill_diagonal(A, np.nan)
    B = np.zeros(n, np.float32)
    run(n, A, B, n)
    assert np.isnan(B).all()


def test_nan_is_kept_elementwise():
    values = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 1, -1] * 7, np.float32)
    B = np.zeros_like(values)
    compiled(RELU)(1, values, B, len(values))
    assert np.array_equal(B, np.maximum(values, 0), equal_nan=True)


def test_sum_of_squares():
    A = np.random.default_rng(1).standard_normal((4, 1001)).astype(np.float32)
    B = np.zeros(4, np.float32)
    compiled(SUM)(4, A, B, 1001)
    assert np.allclose(B, (A.astype(np.float64) ** 2).sum(1), rtol=1e-5)


@pytest.mark.skipif(machine().vector_bytes < 32, reason="narrow vectors")
@pytest.mark.parametrize("body", [SUM, MAX, MIN, PRODUCT, RELU], ids=["sum", "max", "min", "product", "relu"])
def test_loops_become_vectors(body: str):
    assert {64: "%zmm", 32: "%ymm"}[machine().vector_bytes] in assembly(body)


@pytest.mark.parametrize("kind", ["f32", "f64", "i64", "i32", "u8", "bool"])
def test_pointers(kind: str):
    dtype = {"f32": "f4", "f64": "f8", "i64": "i8", "i32": "i4", "u8": "u1", "bool": "?"}[kind]
    body = f"""
    A = pointer_{kind}(args[0]); B = shift(pointer_{kind}(args[1]), 2)
    for i in range(start, stop):
        B[i] = A[i]
        B[i - 2] = A[i]
"""
    A = np.array([1, 0, 1, 1, 0, 0, 1], dtype)
    B = np.zeros(9, dtype)
    compiled(body)(7, A, B)
    assert B.tolist() == [1, 0, 1, 1, 0, 0, 1, 0, 1]


def test_integers():
    body = """
    A = pointer_i64(args[0])
    A[0] = max2(A[1], A[2]); A[3] = min2(A[1], A[2]); A[4] = plus(A[1], A[2]); A[5] = times(A[1], A[2])
"""
    A = np.array([0, -3, 5, 0, 0, 0])
    compiled(body)(1, A)
    assert A.tolist() == [5, -3, 5, -3, 2, -15]


def test_atomic_min():
    body = """
    A = pointer_i64(args[0])
    for i in range(start, stop):
        atomic_min(A, 1, i - 5)
"""
    A = np.array([0, 100, 0])
    compiled(body)(10, A)
    assert A.tolist() == [0, -5, 0]


def test_functions_of_the_mathematics_library():
    body = """
    A = pointer_f64(args[0])
    A[1] = math.erf(A[0]); A[2] = math.exp(A[0]); A[3] = math.tanh(A[0]); A[4] = math.pow(A[0], 2.5)
"""
    A = np.array([0.3, 0, 0, 0, 0])
    compiled(body)(1, A)
    assert np.allclose(A[1:], [math.erf(0.3), math.exp(0.3), math.tanh(0.3), 0.3**2.5], rtol=1e-14)


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ("    for i in range(start, stop, args[0]):\n        args[1] = i\n", "raise"),
        ("    x = np.zeros(args[0])\n    args[1] = len(x)\n", "compile|calls|raise"),
        ("    args[0] = nowhere\n", "compile"),
        ("    print(args[0])\n", "compile|calls|raise"),
        ("    return 1\n", "compile"),
    ],
)
def test_what_is_no_worker_is_refused(body: str, because: str):
    with pytest.raises(WorkerError, match=because):
        compile_worker(HEAD.replace("NAME", "bad") + body, "<test>", "bad")


def test_division_of_integers_floors_and_never_traps():
    body = """
    A = pointer_i64(args[0])
    A[2] = A[0] // A[1]; A[3] = A[0] % A[1]
"""
    run = compiled(body)
    for a, b in [(-7, 2), (7, -2), (7, 0)]:
        A = np.array([a, b, 9, 9])
        run(1, A)
        if b:
            assert A[2:].tolist() == [a // b, a % b]


@pytest.mark.parametrize("code", [b"", b"nonsense"])
def test_other_bytes_are_no_object_code(code: bytes):
    with pytest.raises(LoadError):
        load(code, "f")


def test_the_symbol_must_be_there():
    code = compile_worker(HEAD.replace("NAME", "there") + "    args[0] = 1\n", "<test>", "there")
    assert load(code, "there") == load(code, "there")
    with pytest.raises(LoadError):
        load(code, "elsewhere")
