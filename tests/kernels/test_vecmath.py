"""The mathematical functions of workers: errors in units in the last place, special values, and that they are vectors."""

import math
import re

import mpmath
import numpy as np
import pytest
from ulps import EXACT, LONG, NAMES, floats, function, greatest_error, source, worst, worst_f64

from indexlang.ir import ops
from indexlang.kernels.fallback import optimized
from indexlang.kernels.machine import machine, target_machine

ENDS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-45, -1e-45, 1e-310, 2e-39]
ENDS += [88.72, 88.73, -87.4, -103.9, -104.1, 3e38, -3e38, 709.78, 709.79, -744.4, -745.2, 1e308, -1e308]
DTYPES = {"f32": np.float32, "f64": np.float64}
KINDS = tuple(DTYPES)
# Greatest errors found are in docs/trust.md; these are the promises.
PROMISED = 2.0
PROMISED_F64 = {"gelu": 5.0, "expm1": 2.5}


@pytest.mark.parametrize("name", NAMES)
def test_error_over_all_exponents(name: str):
    """Four million floats: every 1021st."""
    error, at = worst(name, floats(step=1021))
    assert error <= PROMISED, f"{name}: {error:.3f} at {at!r}"


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_error_over_all_floats(name: str):
    """All 2^32 of them: some minutes a function."""
    error, at = worst(name, floats())
    print(f"{name}: {error:.3f} at {at!r}")
    assert error <= PROMISED, f"{name}: {error:.3f} at {at!r}"


def doubles(name: str, count: int) -> np.ndarray:
    """Numbers of every size that matters to a function."""
    random = np.random.default_rng(7)
    sizes = random.standard_normal(count) * 10.0 ** random.uniform(-20, 2.8, count)
    x = np.concatenate([random.uniform(-2, 2, count), random.uniform(-40, 40, count), sizes])
    if name in ("sin", "cos"):
        turns = np.round(random.uniform(-1e6, 1e6, count)) * (np.pi / 2)
        return np.concatenate([x, turns, random.uniform(-1, 1, count) * 10.0 ** random.uniform(0, 300, count)])
    if name == "log":
        return np.abs(np.concatenate([x, 10.0 ** random.uniform(-307, 308, count)]))
    return np.concatenate([np.abs(x), random.uniform(-0.999, 0, count)]) if name == "log1p" else x


@pytest.mark.parametrize("name", [n for n in LONG if n != "pow"])
def test_error_f64(name: str):
    error, at = worst_f64(name, doubles(name, 1500))
    assert error <= PROMISED_F64.get(name, PROMISED), f"{name}: {error:.3f} at {at}"


def powers(count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(8)
    near_one = 1 + random.standard_normal(count) * 10.0 ** random.uniform(-8, -1, count)
    x = np.concatenate([random.uniform(0, 40, count), 10.0 ** random.uniform(-40, 38, count), np.abs(near_one)])
    y = np.concatenate(
        [random.uniform(-9, 9, 2 * count), random.standard_normal(count) * 10.0 ** random.uniform(0, 6, count)]
    )
    return x, y


def test_error_of_powers():
    x, y = powers(1500)
    with np.errstate(all="ignore"):
        usual = np.isfinite(np.power(x, y)) & (np.power(x, y) > 0)
    error, at = worst_f64("pow", x[usual], y[usual])
    assert error <= PROMISED, f"{error:.3f} at {at}"
    x, y = (a.astype(np.float32) for a in powers(300_000))
    with np.errstate(all="ignore"):
        at, error = greatest_error(function("pow", "f32")(x, y), np.power(x.astype(np.float64), y.astype(np.float64)))
    assert error <= PROMISED, f"{error:.3f} at {x[at]!r}, {y[at]!r}"


@pytest.mark.parametrize("kind", KINDS)
def test_ends_of_powers(kind: str):
    """As C and numpy have them, for each pair."""
    largest = float(np.finfo(DTYPES[kind]).max)
    values = [0.0, 1.0, 0.5, 2.0, 3.0, 2.5, 1e9 + 1, math.inf, largest, 1 + 2.0**-20]
    both = np.array([*values, *(-v for v in values), math.nan], DTYPES[kind])
    x, y = (a.ravel() for a in np.meshgrid(both, both))
    with np.errstate(all="ignore"):
        wanted = np.power(x, y)
    got = function("pow", kind)(x, y)
    assert np.allclose(got, wanted, rtol=1e-6 if kind == "f32" else 1e-14, atol=0, equal_nan=True)
    numbers = ~np.isnan(wanted)
    assert np.array_equal(np.signbit(got[numbers]), np.signbit(wanted[numbers]))


@pytest.mark.parametrize("name", [n for n in LONG if n != "pow"])
@pytest.mark.parametrize("kind", KINDS)
def test_ends(name: str, kind: str):
    """As the table of operations has them, signs of zeros too."""
    with np.errstate(all="ignore"):
        x = np.array(ENDS).astype(DTYPES[kind])
        wanted = (EXACT[name] if kind == "f32" else ops.FUNCTIONS[name].value)(x.astype(np.float64)).astype(x.dtype)
    got = function(name, kind)(x)
    # the table rounds a denormal before it multiplies (silu); ours does not
    spacing = (2 if kind == "f32" else 1000) * float(np.finfo(x.dtype).smallest_subnormal)
    assert np.allclose(got, wanted, rtol=1e-6 if kind == "f32" else 1e-14, atol=spacing, equal_nan=True)
    numbers = ~np.isnan(wanted)
    assert np.array_equal(np.signbit(got[numbers]), np.signbit(wanted[numbers]))


@pytest.mark.parametrize("name", ["sin", "cos"])
@pytest.mark.parametrize("kind", KINDS)
def test_large_arguments(name: str, kind: str):
    """Far beyond what parts of pi can reduce, beside small ones in the same vector."""
    x = np.array([1e30, 0.5, -1e22, 3e38, 1e5, np.inf, 2.0**28 + 1, np.nan, 1e9] * 5, DTYPES[kind])
    got = function(name, kind)(x)
    with mpmath.workdps(400):
        wanted = [float(LONG[name](mpmath.mpf(v))) if math.isfinite(v) else math.nan for v in x.tolist()]
    assert np.allclose(got, wanted, rtol=3 * np.finfo(x.dtype).eps, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", [*(n for n in LONG if n != "pow"), "pow"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_element_does_not_depend_on_its_neighbours(name: str, kind: str):
    f = function(name, kind)
    x = np.random.default_rng(3).uniform(-3, 3, 67).astype(DTYPES[kind])
    x[[5, 20, 40]] = 1e9, np.nan, np.inf
    arguments = (np.abs(x), x[::-1].copy()) if name == "pow" else (x,)
    together = f(*arguments)
    alone = np.concatenate([f(*(a[k : k + 1] for a in arguments)) for k in range(len(x))])
    assert np.array_equal(np.isnan(together), np.isnan(alone))
    assert np.nan_to_num(together).tobytes() == np.nan_to_num(alone).tobytes()


@pytest.mark.parametrize(
    "name", [*(n for n in LONG if n != "pow"), "pow", "sqrt", "quotient", "floor", "ceil", "round"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_called_by_name_have_the_bits_of_single_numbers(name: str, kind: str):
    random = np.random.default_rng(4)
    x = np.concatenate([random.uniform(-50, 50, 200), random.standard_normal(94) * 10.0 ** random.uniform(-30, 30, 94)])
    with np.errstate(all="ignore"):
        x = np.concatenate([x, ENDS]).astype(DTYPES[kind])
    x = x[: len(x) // 32 * 32].copy()
    arguments = (x, random.permutation(x)) if name in ("pow", "quotient") else (x,)
    alone = function(name, kind)(*arguments)
    for width in (2, machine().lanes(DTYPES[kind]().itemsize), 32):
        found = function(name, kind, width)(*arguments)
        assert np.array_equal(np.isnan(found), np.isnan(alone))
        assert np.nan_to_num(found).tobytes() == np.nan_to_num(alone).tobytes(), width


@pytest.mark.skipif(machine().vector_bytes < 32, reason="narrow vectors")
@pytest.mark.parametrize("name", list(LONG))
@pytest.mark.parametrize("kind", KINDS)
def test_loops_become_vectors(name: str, kind: str):
    """The widest vectors are there; nothing is called but our functions, and the C library beyond a limit."""
    space: dict = {}
    exec(compile(source(name, kind), "<test>", "exec"), space)
    module = optimized(space["NAME"], "NAME")
    called = {c for c in re.findall(r"call [^@\n]*@([\w.]+)", str(module)) if not c.startswith("llvm.")}
    library = {name, name + "f"} if name in ("sin", "cos") else set()
    ours = {c for c in called if c.startswith(f"indexlang_{name}_{kind}")}
    assert called - ours <= library
    lanes = machine().vector_bytes // np.dtype(DTYPES[kind]).itemsize
    assert not ours or f"indexlang_{name}_{kind}x{lanes}" in ours
    assert {64: "%zmm", 32: "%ymm"}[machine().vector_bytes] in target_machine().emit_assembly(module)
