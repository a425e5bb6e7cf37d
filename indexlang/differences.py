"""Gradients compared with central differences, element by element."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from indexlang.results import Array

RTOL, ATOL = 1e-3, 1e-5
MOST = 64  # elements of a tensor that are looked at; of a larger one a sample
Value = Callable[[str, Array], float]


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its gradient by the adjoint equations, and by differences.

    error    in units of what is allowed: 1e-5 + 1e-3 of the gradient
    is_kink  the differences to both sides disagree, and the gradient lies between them
    """

    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    is_kink: bool

    @property
    def is_right(self) -> bool:
        """Whether the two gradients agree within what is allowed; at a kink there is nothing to compare."""
        return self.is_kink or self.error <= 1


@dataclass(frozen=True, slots=True)
class Checked:
    """The elements of one tensor that were looked at."""

    name: str
    extents: tuple[int, ...]
    elements: tuple[Element, ...]

    @property
    def worst(self) -> Element | None:
        """The element whose gradient is the furthest off, kinks left out unless there is nothing else."""
        return max(self.elements, key=lambda e: (not e.is_kink, np.nan_to_num(e.error, nan=np.inf)), default=None)

    @property
    def kinks(self) -> int:
        """How many of the elements lie on a kink."""
        return sum(e.is_kink for e in self.elements)

    @property
    def ok(self) -> bool:
        """Whether every element that was looked at is right."""
        return all(e.is_right for e in self.elements)


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """What was found; printed, it is a table with the worst element of each tensor."""

    of: str
    tensors: tuple[Checked, ...]

    @property
    def ok(self) -> bool:
        """Whether every tensor is right."""
        return all(t.ok for t in self.tensors)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The table, its head first."""
        head = ("tensor", "elements", "kinks", "worst at", "gradient", "differences", "")
        return [head, *map(_row, self.tensors)]

    def __str__(self) -> str:
        widths = [max(len(row[k]) for row in self.rows) for k in range(len(self.rows[0]))]
        first, *rest = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in self.rows)
        said = "the gradients of `{}` are {}".format(self.of, "right" if self.ok else "WRONG")
        return "\n".join([first, "-" * len(first), *rest, said])


def _row(t: Checked) -> tuple[str, ...]:
    total = int(np.prod(t.extents, dtype=object)) if t.extents else 1
    count = f"{len(t.elements)}" if len(t.elements) == total else f"{len(t.elements)} of {total}"
    e = t.worst
    if e is None:
        return (t.name, count, "0", "", "", "", "ok")
    place = f"[{','.join(map(str, e.index))}]" if e.index else ""
    return (t.name, count, str(t.kinks), place, f"{e.analytic:.9g}", f"{e.numeric:.9g}", "ok" if t.ok else "WRONG")


def checked(value: Value, name: str, at: Array, gradient: Array, eps: float) -> Checked:
    """Compare `gradient` with differences of `value`, the loss for other values of the tensor `name`.

    cost  two values an element; at most MOST elements, drawn by the tensor's size alone
    """
    middle = value(name, at)
    elements = tuple(_element(value, name, at, gradient, index, middle, eps) for index in _sample(at.shape))
    return Checked(name, at.shape, elements)


def _sample(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    total = int(np.prod(shape, dtype=np.int64))
    chosen = range(total) if total <= MOST else sorted(np.random.default_rng(0).choice(total, MOST, replace=False))
    for flat in chosen:
        yield tuple(int(i) for i in np.unravel_index(int(flat), shape)) if shape else ()


def _element(
    value: Value, name: str, at: Array, gradient: Array, index: tuple[int, ...], middle: float, eps: float
) -> Element:
    analytic = float(gradient[index])
    left, right, numeric = _slopes(value, name, at, index, middle, eps)
    allowed = ATOL + RTOL * max(abs(analytic), abs(numeric))
    error = abs(analytic - numeric) / allowed
    is_kink = False
    if not error <= 1 and abs(right - left) > allowed:
        nearer_left, nearer_right, _ = _slopes(value, name, at, index, middle, eps / 10)
        stays = abs(nearer_right - nearer_left) > abs(right - left) / 2  # of a smooth function it would shrink
        is_kink = stays and min(left, right) - allowed <= analytic <= max(left, right) + allowed
    return Element(index, analytic, numeric, error, is_kink)


def _slopes(
    value: Value, name: str, at: Array, index: tuple[int, ...], middle: float, eps: float
) -> tuple[float, float, float]:
    """The differences to the left, to the right, and across."""
    up, down = at.copy(), at.copy()
    up[index] += eps
    down[index] -= eps
    above, below = value(name, up), value(name, down)
    h, g = float(up[index] - at[index]), float(at[index] - down[index])
    return (middle - below) / g, (above - middle) / h, (above - below) / (h + g)


def compared(
    of: str, value: Value, given: Mapping[str, Array], gradients: Mapping[str, Array], eps: float
) -> GradientCheck:
    """The check of all gradients, at the values given."""
    return GradientCheck(of, tuple(checked(value, n, given[n], g, eps) for n, g in gradients.items()))
