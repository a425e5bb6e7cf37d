"""Extents: Python integers, or polynomials over named extents while those have no value yet.

An extent is `int | Size`. Arithmetic on sizes gives an int again whenever the result is constant, so that a
program whose extents are all known never sees a Size. Comparisons are three-valued: True, False, or None for
"depends on the names"; what depends on them is decided when arguments bind them, before anything runs.
"""

from collections.abc import Callable, Mapping
from typing import Any, Union

from indexlang.text.values import immutable


@immutable
class Quotient:
    """An atom of a polynomial: `above // below`, rounded down."""

    above: "Extent"
    below: "Extent"

    def __str__(self) -> str:
        return f"{bracketed(self.above)}//{bracketed(self.below)}"


Atom = str | Quotient


@immutable
class Size:
    """A polynomial with integer coefficients: sorted pairs of (product of atoms, coefficient), none of them zero."""

    terms: tuple[tuple[tuple[Atom, ...], int], ...]

    def __add__(self, other: "Extent") -> "Extent":
        return _sum(self, other)

    __radd__ = __add__

    def __neg__(self) -> "Extent":
        return self * -1

    def __sub__(self, other: "Extent") -> "Extent":
        return _sum(self, other * -1)

    def __rsub__(self, other: "Extent") -> "Extent":
        return _sum(other, self * -1)

    def __mul__(self, other: "Extent") -> "Extent":
        if isinstance(other, int):
            return Size(tuple((atoms, a * other) for atoms, a in self.terms)) if other else 0
        out: dict[tuple[Atom, ...], int] = {}
        for left, a in self.terms:
            for right, b in other.terms:
                key = tuple(sorted((*left, *right), key=_order))
                out[key] = out.get(key, 0) + a * b
        return _make(out)

    __rmul__ = __mul__

    def __floordiv__(self, other: "Extent") -> "Extent":
        return floordiv(self, other)

    def __rfloordiv__(self, other: "Extent") -> "Extent":
        return floordiv(other, self)

    def __mod__(self, other: "Extent") -> "Extent":
        return self - floordiv(self, other) * other

    def __rmod__(self, other: "Extent") -> "Extent":
        return other - floordiv(other, self) * self

    def __str__(self) -> str:
        text = ""
        for atoms, factor in sorted(self.terms, key=lambda t: (not t[0], str(t[0]))):
            sign = ("-" if factor < 0 else "+") if text else ("-" if factor < 0 else "")
            parts = [str(abs(factor))] if abs(factor) != 1 or not atoms else []
            shown = "*".join(parts + [str(a) if isinstance(a, str) else f"({a})" for a in atoms])
            text += f" {sign} {shown}" if text else f"{sign}{shown}"
        return text

    def __repr__(self) -> str:
        return f"Size({self})"


class Named(int):
    """An int that was a named extent, or was computed from one: schedules do not depend on it.

    So the same kernels serve every batch size; see docs/architecture.md.
    """

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return _named(int.__add__(self, other))

    def __sub__(self, other: Any) -> Any:
        return _named(int.__sub__(self, other))

    def __rsub__(self, other: Any) -> Any:
        return _named(int.__rsub__(self, other))

    def __mul__(self, other: Any) -> Any:
        return _named(int.__mul__(self, other))

    def __floordiv__(self, other: Any) -> Any:
        return _named(int.__floordiv__(self, other))

    def __rfloordiv__(self, other: Any) -> Any:
        return _named(int.__rfloordiv__(self, other))

    def __neg__(self) -> "Named":
        return Named(int.__neg__(self))

    __radd__ = __add__
    __rmul__ = __mul__


def _named(value: Any) -> Any:
    return value if value is NotImplemented else Named(value)


Extent = Union[int, Size]  # noqa: UP007  (evaluated at run time, before Size is a type that takes `|`)


def symbol(name: str) -> Size:
    """The extent called `name`."""
    return Size((((name,), 1),))


def floordiv(above: "Extent", below: "Extent") -> "Extent":
    """`above // below`; exact where every coefficient divides. Raises ZeroDivisionError for a known zero."""
    if isinstance(above, int) and isinstance(below, int):
        return above // below
    if isinstance(below, int):
        if below == 0:
            raise ZeroDivisionError
        whole = {k: c // below for k, c in _terms(above) if c % below == 0}
        rest = {k: c for k, c in _terms(above) if c % below}
        left = _make(rest)
        if isinstance(left, int):
            return _make(whole) + left // below
        return _make(whole) + Size((((Quotient(left, below),), 1),))
    if above == below:
        return 1
    exact = _divide_by_atoms(above, below)
    return Size((((Quotient(above, below),), 1),)) if exact is None else exact


def _divide_by_atoms(above: "Extent", below: Size) -> "Extent | None":
    if len(below.terms) != 1:
        return None
    atoms, factor = below.terms[0]
    out: dict[tuple[Atom, ...], int] = {}
    for key, c in _terms(above):
        rest = list(key)
        for atom in atoms:
            if atom not in rest:
                return None
            rest.remove(atom)
        if c % factor:
            return None
        out[tuple(rest)] = c // factor
    return _make(out)


def names(extent: "Extent") -> set[str]:
    """The named extents that occur."""
    out: set[str] = set()
    for atoms, _ in _terms(extent):
        for atom in atoms:
            out |= {atom} if isinstance(atom, str) else names(atom.above) | names(atom.below)
    return out


def substitute(extent: "Extent", values: "Mapping[str, Extent]") -> "Extent":
    """`extent` with some of its names replaced."""
    if isinstance(extent, int):
        return extent
    return evaluate(extent, lambda name: values.get(name, symbol(name)))


def evaluate(extent: "Extent", value: "Callable[[str], Extent]") -> "Extent":
    """`extent` with every name given its value."""
    total: Extent = 0
    for atoms, factor in _terms(extent):
        product: Extent = factor
        for atom in atoms:
            product = product * _atom_value(atom, value)
        total = total + product
    return total


def _atom_value(atom: Atom, value: "Callable[[str], Extent]") -> "Extent":
    if isinstance(atom, str):
        return value(atom)
    return floordiv(evaluate(atom.above, value), evaluate(atom.below, value))


def at_least(extent: "Extent", bound: "Extent") -> bool | None:
    """Whether `extent >= bound`, given that all named extents are at least 0."""
    difference = extent - bound
    if isinstance(difference, int):
        return difference >= 0
    rest = [c for k, c in difference.terms if k]
    constant = sum(c for k, c in difference.terms if not k)
    if all(c > 0 for c in rest) and constant >= 0 and not _may_be_negative(difference):
        return True
    if all(c < 0 for c in rest) and constant < 0 and not _may_be_negative(difference):
        return False
    return None


def same(a: "Extent", b: "Extent") -> bool | None:
    """Whether two extents are equal."""
    if a == b:
        return True
    difference = a - b
    return difference == 0 if isinstance(difference, int) else None


def bracketed(extent: "Extent") -> str:
    """The text of an extent, in brackets if it is a sum."""
    text = str(extent)
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _may_be_negative(extent: Size) -> bool:
    return any(isinstance(a, Quotient) and at_least(a.above, 0) is not True for atoms, _ in extent.terms for a in atoms)


def _terms(extent: "Extent") -> tuple[tuple[tuple[Atom, ...], int], ...]:
    if isinstance(extent, Size):
        return extent.terms
    return (((), extent),) if extent else ()


def _sum(a: "Extent", b: "Extent") -> "Extent":
    out = dict(_terms(a))
    for key, c in _terms(b):
        out[key] = out.get(key, 0) + c
    return _make(out)


def _make(terms: dict[tuple[Atom, ...], int]) -> "Extent":
    kept = {k: c for k, c in terms.items() if c}
    if not kept:
        return 0
    if set(kept) == {()}:
        return kept[()]
    return Size(tuple(sorted(kept.items(), key=lambda t: tuple(_order(a) for a in t[0]))))


def _order(atom: Atom) -> tuple[int, str]:
    return (0, atom) if isinstance(atom, str) else (1, str(atom))
