"""Open extents: a function's `features J = ?` is a symbol until some equation says what it must be."""

from dataclasses import dataclass, field

from indexlang.ir.size import Atom, Extent, Quotient, Size, names, substitute, symbol
from indexlang.text.source import Span

_MARK = "@"


def open_symbol(name: str, place: str) -> Size:
    """The symbol of the extent `name` of the call that defines `place`."""
    return symbol(f"{name}{_MARK}{place}")


def open_names(extent: Extent) -> set[str]:
    """The open extents that occur."""
    return {n for n in names(extent) if _MARK in n}


@dataclass(frozen=True, slots=True)
class Reason:
    """The fact that gave an open extent its value."""

    text: str
    span: Span


@dataclass
class Solutions:
    """What is known of open extents so far."""

    values: dict[str, Extent] = field(default_factory=dict[str, Extent])
    reasons: dict[str, Reason] = field(default_factory=dict[str, Reason])

    def now(self, extent: Extent) -> Extent:
        """`extent` with what is known filled in."""
        return substitute(extent, self.values) if self.values and not isinstance(extent, int) else extent

    def unify(self, a: Extent, b: Extent, why: str, span: Span) -> bool:
        """Learn from `a = b`: an open extent that occurs once, and with a factor that divides, has a value."""
        difference = self.now(a) - self.now(b)
        if isinstance(difference, int):
            return False
        for atoms, factor in difference.terms:
            found = _open_part(atoms[0]) if len(atoms) == 1 else None
            if found is None:
                continue
            name, below = found
            rest = difference - Size(((atoms, factor),))
            if name in names(rest):
                continue
            value = _divided(rest * -1, factor)
            value = value if value is None or below == 1 else value * below
            if value is not None and not (isinstance(value, int) and value < 0):
                self._learn(name, value, Reason(why, span))
                return True
        return False

    def _learn(self, name: str, value: Extent, reason: Reason) -> None:
        for other, known in self.values.items():
            self.values[other] = substitute(known, {name: value})
        self.values[name] = value
        self.reasons[name] = reason


def _open_part(atom: Atom) -> tuple[str, int] | None:
    """The open extent J of an atom `J` or `J//G`, and G: where `J//G` is known, J is taken to be a multiple of G."""
    match atom:
        case str() if _MARK in atom:
            return atom, 1
        case Quotient(above=Size(terms=((((str() as name,), 1),))), below=int() as below) if _MARK in name:
            return name, below
        case _:
            return None


def _divided(extent: Extent, factor: int) -> Extent | None:
    """`extent / factor`, if it leaves no remainder."""
    if isinstance(extent, int):
        return extent // factor if extent % factor == 0 else None
    if any(c % factor for _, c in extent.terms):
        return None
    return Size(tuple((atoms, c // factor) for atoms, c in extent.terms))
