"""A row of the equation table, the little language of its inputs, and what the numpy lines are written with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator], np.ndarray]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One program, its inputs, and the numpy line that says the same.

    inputs  name → shape (floats drawn from a normal), or one of the specs below; in order, as `expect` takes them
    expect  numpy on float64 (ints as int64, u8 too): the value of the one output, or a dict of several
    oracle  False where plain Python loops would take more than about a second
    loose   a factor on the tolerance, with its reason beside the row
    """

    name: str
    text: str
    inputs: Mapping[str, Any]
    expect: Callable[..., Any]
    oracle: bool = True
    loose: float = 1.0

    def draw(self) -> dict[str, np.ndarray]:
        """The inputs, the same on every run: seeded by the name of the case."""
        rng = np.random.default_rng(list(self.name.encode()))
        return {name: _draw(spec, rng) for name, spec in self.inputs.items()}


def _draw(spec: Any, rng: np.random.Generator) -> np.ndarray:
    drawn: Any = spec(rng) if callable(spec) else rng.standard_normal(spec)
    return np.asarray(drawn)


def ints(shape: Shape, low: int, high: int) -> Draw:
    """Integers of the half-open range low..high."""
    return lambda rng: rng.integers(low, high, shape, dtype=np.int64)


def bools(shape: Shape) -> Draw:
    return lambda rng: rng.random(shape) < 0.5


def u8(shape: Shape) -> Draw:
    return lambda rng: rng.integers(0, 256, shape, dtype=np.uint8)


def f32(shape: Shape) -> Draw:
    """Floats that stay f32, whatever the program's float type."""
    return lambda rng: np.asarray(rng.standard_normal(shape), np.float32)


def pos(shape: Shape) -> Draw:
    """Floats in 0.1..2, for logarithms and roots."""
    return lambda rng: rng.uniform(0.1, 2.0, shape)


def span(low: float, high: float, shape: Shape) -> Draw:
    return lambda rng: rng.uniform(low, high, shape)


def these(*values: Any) -> Draw:
    """Exactly these values, along one axis."""
    return lambda rng: np.asarray(values)


def just(value: Any) -> Draw:
    """One scalar."""
    return lambda rng: np.asarray(value)


def win(a: np.ndarray, width: int, stride: int = 1, dilate: int = 1, axis: int = 0) -> np.ndarray:
    """Valid windows: axis x of `a` becomes two axes, (window, tap)."""
    count = max(0, (a.shape[axis] - 1 - dilate * (width - 1)) // stride + 1)
    where = stride * np.arange(count)[:, None] + dilate * np.arange(width)[None, :]
    return np.take(a, where, axis=axis)


def win2(a: np.ndarray, width: int, stride: int = 1, dilate: int = 1, axis: int = 1) -> np.ndarray:
    """Windows over two neighbouring axes: (…, x, dx, y, dy, …)."""
    return win(win(a, width, stride, dilate, axis), width, stride, dilate, axis + 2)


def padded(a: np.ndarray, p: int, mode: Any = "constant", axes: Shape = (1, 2), **options: Any) -> np.ndarray:
    """numpy's own padding, p elements on both sides of `axes`."""
    return np.pad(a, [(p, p) if axis in axes else (0, 0) for axis in range(a.ndim)], mode, **options)


def softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    e = np.exp(a - a.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def logsumexp(a: np.ndarray, axis: Any = None) -> Any:
    top = a.max(axis, keepdims=True)
    return (np.log(np.exp(a - top).sum(axis, keepdims=True)) + top).squeeze(axis)


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))
