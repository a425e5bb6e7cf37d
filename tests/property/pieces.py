"""Parts of random programs: indices, subscripts, expressions with their values on a grid and bounds of their rounding."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import rounding
from meaning import FOLDS, FUNCTIONS

Value = np.ndarray
AXES = 9  # of the grid


@dataclass(frozen=True)
class Index:
    """A letter with its extent, its grid axis, and what its range follows from: `written`, `bare` or `affine`."""

    name: str
    extent: int
    axis: int
    how: str

    @property
    def shown(self) -> str:
        return f"{self.name}:{self.extent}" if self.how == "written" else self.name

    @property
    def values(self) -> Value:
        """0, 1, … along the grid axis of the index."""
        shape = [1] * AXES
        shape[self.axis] = self.extent
        return np.arange(self.extent).reshape(shape)


@dataclass(frozen=True)
class Piece:
    """Part of an expression: its text, its value on the grid, and how far a rounded value may be from it."""

    text: str
    value: Value
    error: Value

    @property
    def is_int(self) -> bool:
        return self.value.dtype.kind in "iub"


@dataclass(frozen=True)
class Sub:
    """A subscript: its text, its values on the grid, and the extents that its axis may have."""

    text: str
    value: Value
    least: int
    exact: bool = False
    border: str = ""


@dataclass(frozen=True)
class Equation:
    """`name[left] sign body`; `left` as it is written, `indices` those of its axes where it has no groups."""

    name: str
    left: tuple[str, ...]
    sign: str
    body: str
    indices: tuple[Index, ...] = ()

    @property
    def text(self) -> str:
        return f"{self.name}{bracket(self.left)} {self.sign} {self.body}"


@dataclass
class Program:
    """A text, its inputs, and the results by name, with bounds of their rounding."""

    equations: list[Equation] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    inputs: dict[str, Value] = field(default_factory=dict)
    results: dict[str, Value] = field(default_factory=dict)
    errors: dict[str, Value] = field(default_factory=dict)
    bins: set[str] = field(default_factory=set)
    named: str = "no"
    layout: str = "C"
    is_special: bool = False

    @property
    def text(self) -> str:
        return self.text_of([e.text for e in self.equations])

    def text_of(self, equations: Iterable[str], declared: Iterable[str] = ()) -> str:
        """The program with other equations for its own."""
        lines = [*self.declared, *declared, *equations, f"output {', '.join(self.results)}"]
        return "\n".join(self.declarations() + lines) + "\n"

    def declarations(self) -> list[str]:
        """Declarations with extents in numbers, with named extents, or none: then the arguments say it."""
        if self.named == "no" or not self.inputs:
            return []
        count = iter(range(100))
        lines = []
        for name, a in self.inputs.items():
            axes = [str(n) if self.named == "numbers" else f"N{next(count)}" for n in a.shape]
            dtype = " : int" if a.dtype.kind == "i" else ""
            lines.append(f"input {name}{bracket(axes)}{dtype}")
        return lines

    def given(self, dtype: str) -> dict[str, Value]:
        """The inputs in a float type, as they are laid out in memory; equal ones are one array."""
        made: dict[int, Value] = {}
        out: dict[str, Value] = {}
        for name, a in self.inputs.items():
            if id(a) not in made:
                cast = a.astype(np.float32) if dtype == "f32" and a.dtype.kind == "f" else a
                made[id(a)] = laid_out(cast, self.layout)
            out[name] = made[id(a)]
        return out

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """A readable .idx: hypothesis prints the smallest program that fails."""
        printer.text(str(self))

    def __str__(self) -> str:
        shown = "\n".join(f"# {name} = {a.tolist()}" for name, a in self.inputs.items())
        return f"\n{self.text}{shown}\n# {self.layout}, {', '.join(sorted(self.bins))}\n"


LAYOUTS = ("C", "C", "C", "Fortran", "reversed", "every second", "transposed", "broadcast", "read-only")


def laid_out(a: Value, layout: str) -> Value:
    """The same values, otherwise in memory."""
    match layout if a.ndim else "C":
        case "Fortran":
            return np.asfortranarray(a)
        case "reversed":
            return np.ascontiguousarray(a[(slice(None, None, -1),) * a.ndim])[(slice(None, None, -1),) * a.ndim]
        case "every second":
            return np.repeat(a, 2, axis=-1)[..., ::2]
        case "transposed":
            return np.ascontiguousarray(a.transpose(range(a.ndim)[::-1])).transpose(range(a.ndim)[::-1])
        case "broadcast":
            same = [k for k in range(a.ndim) if a.shape[k] and _repeats(a, k)]
            return np.broadcast_to(a.take([0], axis=same[0]), a.shape) if same else a
        case "read-only":
            a = a.copy()
            a.flags.writeable = False
            return a
        case _:
            return a


def _repeats(a: Value, axis: int) -> bool:
    return bool(np.array_equal(np.broadcast_to(a.take([0], axis=axis), a.shape), a, equal_nan=a.dtype.kind == "f"))


# -- expressions


def number(value: float) -> Piece:
    return Piece(str(value) if value >= 0 else f"({value})", np.asarray(value).reshape([1] * AXES), nothing())


def nothing() -> Value:
    """No error."""
    return np.zeros([1] * AXES)


def joined(a: Piece, sign: str, b: Piece) -> Piece:
    """Two pieces under `+`, `-`, `*`, `max` or `min`."""
    with np.errstate(all="ignore"):
        match sign:
            case "+":
                return _added(f"({a.text} + {b.text})", a, b, a.value + b.value)
            case "-":
                return _added(f"({a.text} - {b.text})", a, b, a.value - b.value)
            case "*":
                value = a.value * b.value
                return _exact_if_int(
                    f"{a.text} * {b.text}", value, rounding.of_product(a.value, b.value, a.error, b.error, value)
                )
            case _:
                value = (np.maximum if sign == "max" else np.minimum)(a.value, b.value)
                error = rounding.settled(value, np.maximum(a.error, b.error), a.error, b.error)
                return _exact_if_int(f"{sign}({a.text}, {b.text})", value, error)


def _added(text: str, a: Piece, b: Piece, value: Value) -> Piece:
    return _exact_if_int(text, value, rounding.of_sum(a.value, b.value, a.error, b.error, value))


def _exact_if_int(text: str, value: Value, error: Value) -> Piece:
    return Piece(text, value, nothing() if value.dtype.kind in "iub" else error)


def applied(name: str, a: Piece) -> Piece:
    function = FUNCTIONS[name]
    with np.errstate(all="ignore"):
        value = function.value(a.value)
        return _exact_if_int(f"{name}({a.text})", value, function.error(a.value, a.error, value))


def chosen(n: Index, sign: str, edge: int, a: Piece, b: Piece) -> Piece:
    """`(a if n < edge else b)`."""
    holds = {"<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal, ">": np.greater}[sign]
    where = holds(n.values, edge)
    text = f"({a.text} if {n.name} {sign} {edge} else {b.text})"
    return Piece(text, np.where(where, a.value, b.value), np.where(where, a.error, b.error))


def reduced(name: str, bracketed: str, over: list[Index], body: Piece) -> Piece:
    """`(sum[i,j] (body))`."""
    shape = grid(over, body.value)
    full = np.broadcast_to(body.value, shape)
    axes = tuple(n.axis for n in over)
    with np.errstate(all="ignore"):
        value = FOLDS[name](full, axes)
    text = f"({name}{bracketed} ({body.text}))"
    broad = np.broadcast_shapes(body.error.shape, shape)
    error = rounding.of_fold(name, np.broadcast_to(full, broad), np.broadcast_to(body.error, broad), value, axes)
    return Piece(text, value, nothing() if value.dtype.kind in "iub" and body.is_int else error)


def grid(indices: Iterable[Index], value: Value) -> tuple[int, ...]:
    shape = list(value.shape)
    for n in indices:
        shape[n.axis] = n.extent
    return tuple(shape)


def collapsed(value: Value, order: Iterable[Index]) -> Value:
    """The grid value as an array over `order` alone."""
    order = list(order)
    full = np.broadcast_to(value, grid(order, value))
    axes = [n.axis for n in order]
    rest = [axis for axis in range(full.ndim) if axis not in axes]
    return full.transpose(axes + rest).reshape([n.extent for n in order])


# -- texts


def bracket(texts: Iterable[str]) -> str:
    listed = ", ".join(texts)
    return f"[{listed}]" if listed else ""


def product(c: int, name: str) -> str:
    return name if c == 1 else f"-{name}" if c == -1 else f"{c}*{name}"


def total(terms: list[str]) -> str:
    return "+".join(terms).replace("+-", "-")
