"""What borders, reductions and functions mean, in numpy: nothing of this is taken from the compiler."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rounding import ULPS, of_function, of_jump

Value = np.ndarray


def bordered(a: Value, where: tuple[Value, ...], rule: str) -> Value:
    """Reads outside the axes, by numpy's own definition of each rule, worked out element by element."""
    inside = np.logical_and.reduce([(w >= 0) & (w < n) for w, n in zip(where, a.shape, strict=True)])
    moved = tuple(_MOVES[rule](w, n) for w, n in zip(where, a.shape, strict=True))
    return a[moved] if rule in ("edge", "wrap", "mirror", "reflect") else np.where(inside, a[moved], a.dtype.type(rule))


def _mirror(w: Value, n: int) -> Value:
    m = w % (2 * n)
    return np.where(m < n, m, 2 * n - 1 - m)


def _reflect(w: Value, n: int) -> Value:
    if n == 1:
        return np.zeros_like(w)
    m = w % (2 * n - 2)
    return np.where(m < n, m, 2 * n - 2 - m)


def _clip(w: Value, n: int) -> Value:
    return np.clip(w, 0, n - 1)


def _logsumexp(a: Value, axes: tuple[int, ...]) -> Value:
    top = a.max(axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(all="ignore"):
        return np.log(np.exp(a - top).sum(axes, keepdims=True)) + top


def _none(a: Value, axes: tuple[int, ...], identity: float) -> Value:
    """What `max` and `min` give where the grid has no points."""
    shape = [1 if axis in axes else n for axis, n in enumerate(a.shape)]
    return np.full(shape, identity)


_MOVES = {"edge": _clip, "wrap": np.mod, "mirror": _mirror, "reflect": _reflect, "0": _clip, "-1.5": _clip}
FOLDS: dict[str, Callable[[Value, tuple[int, ...]], Value]] = {
    "sum": lambda a, axes: a.sum(axes, keepdims=True),
    "prod": lambda a, axes: a.prod(axes, keepdims=True),
    "max": lambda a, axes: a.max(axes, keepdims=True) if a.size else _none(a, axes, -np.inf),
    "min": lambda a, axes: a.min(axes, keepdims=True) if a.size else _none(a, axes, np.inf),
    "mean": lambda a, axes: a.mean(axes, keepdims=True),
    "logsumexp": _logsumexp,
    "argmax": lambda a, axes: np.argmax(a, axes[0], keepdims=True),
    "argmin": lambda a, axes: np.argmin(a, axes[0], keepdims=True),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function of one number: its values, and what a rounded argument does to them (see `rounding`)."""

    value: Callable[[Value], Value]
    slope: float = 1.0
    ulps: int = ULPS
    distance: Callable[[Value], Value] | None = None  # to the next jump

    def error(self, a: Value, ea: Value, value: Value) -> Value:
        if self.distance is not None:
            return of_jump(a, ea, self.distance(a))
        return of_function(a, ea, value, self.slope, self.ulps)


FUNCTIONS: dict[str, Function] = {
    "relu": Function(lambda a: np.maximum(a, 0), ulps=0),
    "tanh": Function(np.tanh),
    "abs": Function(np.abs, ulps=0),
    "sin": Function(np.sin),
    "sigmoid": Function(lambda a: 1 / (1 + np.exp(-a)), 0.25),
    "floor": Function(np.floor, distance=lambda a: np.abs(a - np.rint(a))),
    "sign": Function(np.sign, distance=np.abs),
    "ceil": Function(np.ceil, distance=lambda a: np.abs(a - np.rint(a))),
    "round": Function(np.rint, distance=lambda a: np.abs(np.abs(a - np.floor(a)) - 0.5)),
    "cos": Function(np.cos),
    "softplus": Function(lambda a: np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a)))),
}
