"""How far a rounded result may be from the exact one: a bound for every piece of an expression, in units of the
round-off u (2^-24 for f32, 2^-53 for f64).

Each operation adds its own rounding, at most |result|, to what its operands bring; a sum of n terms in any order adds
at most n times the sum of their absolute values; a function with slopes up to L multiplies what comes in by L and adds
4 units in the last place. Where an error can cross a jump (floor, a comparison, argmax) the bound is infinite: any
result is right there. It is infinite too where f32 would overflow, at 1e30. The second order is covered by `SECOND`.
"""

import numpy as np

Value = np.ndarray
LARGEST = 1e30
ULPS = 4  # of a function that is not exact
SECOND = 1.01
UNITS = {"f32": 2.0**-24, "f64": 2.0**-53}
TINIEST = {"f32": 2.0**-140, "f64": 2.0**-1060}  # denormal results are rounded to a grid, not relatively


def settled(value: Value, error: Value, *given: Value) -> Value:
    """An error as it stands with a result: none where infinity or NaN is sure, no bound where numbers are huge."""
    sure = (
        np.isfinite(value)
        if not given
        else np.logical_and.reduce(np.broadcast_arrays(*(np.isfinite(e) for e in given)))
    )
    out = np.where(~np.isfinite(value) & sure, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf))
    return np.where(np.isfinite(value) & (np.abs(value) > LARGEST), np.inf, out)


def of_sum(a: Value, b: Value, ea: Value, eb: Value, value: Value) -> Value:
    return settled(value, ea + eb + np.abs(value), ea, eb)


def of_product(a: Value, b: Value, ea: Value, eb: Value, value: Value) -> Value:
    with np.errstate(all="ignore"):
        error = np.where(eb > 0, np.abs(a) * eb, 0) + np.where(ea > 0, np.abs(b) * ea, 0) + np.abs(value)
    return settled(value, error, ea, eb)


def of_function(a: Value, ea: Value, value: Value, slope: float, ulps: int) -> Value:
    return settled(value, slope * ea + ulps * np.abs(value), ea)


def of_jump(a: Value, ea: Value, distance: Value) -> Value:
    """Of a function that is constant but for jumps, the next of them at a distance."""
    crosses = (ea > 0) & ~(distance > UNITS["f32"] * ea * SECOND)
    return np.where(crosses, np.inf, 0.0)


def of_fold(name: str, a: Value, ea: Value, value: Value, axes: tuple[int, ...]) -> Value:
    """Of a reduction; `value` keeps the axes with extent 1."""
    count = float(np.prod([a.shape[axis] for axis in axes]))
    with np.errstate(all="ignore"):
        incoming = ea.sum(axes, keepdims=True)
        worst = ea.max(axes, keepdims=True, initial=0.0)
        size = np.abs(np.where(np.isfinite(a), a, 0)).sum(axes, keepdims=True)
        match name:
            case "sum":
                error = incoming + count * size
            case "mean":
                error = (incoming + count * size) / max(count, 1) + np.abs(value)
            case "prod":
                u = UNITS["f32"]
                grown = np.prod(np.abs(a) + u * ea, axes, keepdims=True) - np.prod(np.abs(a), axes, keepdims=True)
                error = grown / u + (count + 1) * np.abs(value)
            case "logsumexp":
                top = np.abs(np.where(np.isfinite(a), a, 0)).max(axes, keepdims=True, initial=0.0)
                error = worst + count + 3 * ULPS + (1 + ULPS) * np.abs(value) + 2 * top
            case "argmax" | "argmin":
                error = np.where(worst > 0, np.inf, 0.0)
            case _:
                error = worst
    error = np.broadcast_to(error, value.shape)
    huge = np.where(worst == np.inf, np.inf, 0.0)
    return settled(value, error, np.broadcast_to(huge, value.shape))


def allowed(error: Value, dtype: str) -> Value:
    """What a result may be off by."""
    with np.errstate(over="ignore"):
        return SECOND * UNITS[dtype] * error + TINIEST[dtype]


def assert_within(found: Value, value: Value, error: Value, dtype: str, name: str) -> None:
    """Every element is what it should be, within its own bound; infinities and NaN are the same."""
    assert found.shape == value.shape, f"{name} is {found.shape}, not {value.shape}"
    bounded = np.isfinite(error)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - value) <= allowed(np.where(bounded, error, 0), dtype)
    same = near | (found == value) | (np.isnan(found) & np.isnan(value))
    wrong = bounded & ~same
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        told = f"{found[place]!r}, not {value[place]!r} within {allowed(error[place], dtype)!r}"
        raise AssertionError(f"{name}{list(place)} is {told} ({int(wrong.sum())} of {wrong.size} are wrong)")
