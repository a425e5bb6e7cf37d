"""Windows that slide along the rows of a register block: what several rows read is loaded once for all of them.

before   for dy: each row r: t_r += W[dy]*X[y+r+dy]                      3 times 14 loads of X for 14 rows
after    X[y]: t_0 with W[0];  X[y+1]: t_0 with W[1], t_1 with W[0];  X[y+2]: …     16 loads

The summed index that slides is the innermost one, and written out, in the order of the places that are read.
"""

from dataclasses import dataclass

from indexlang.ir.affine import affine, expression
from indexlang.ir.build import integer
from indexlang.ir.expr import Bound, Expr, Read, Select, rewrite, walk, with_indices
from indexlang.nest.interior import is_plain
from indexlang.nest.steps import known

_MOST_TAPS = 7  # as are written out


@dataclass(frozen=True, slots=True)
class Slide:
    """A read moves by `row_step` places with the row, and by `step` with the summed index `over`."""

    over: Bound
    row_step: int
    step: int

    @property
    def taps(self) -> int:
        """The values of the summed index."""
        return known(self.over.extent)

    def place(self, row: int, tap: int) -> int:
        """How far a row's read at a value of the index lies behind the first one's."""
        return self.row_step * row + self.step * tap

    def order(self, rows: int) -> list[tuple[int, int]]:
        """All pairs of row and value, those that read the same place behind each other."""
        pairs = [(r, k) for r in range(rows) for k in range(self.taps)]
        return sorted(pairs, key=lambda pair: (self.place(*pair), pair))

    def places(self, rows: int) -> int:
        """How many different places are read."""
        return len({self.place(r, k) for r in range(rows) for k in range(self.taps)})


def sliding(over: tuple[Bound, ...], row: Bound | None, found: tuple[Read, ...]) -> Slide | None:
    """The summed index along which a read slides as the row does; None where there is none of few values."""
    few = [b for b in over if row is not None and is_plain(b.extent) and 1 < known(b.extent) <= _MOST_TAPS]
    for b in reversed(few):
        for form in (affine(s) for r in found for s in r.subscripts):
            if form is None or row is None:
                continue
            by_row, by_tap = form.coefficient(row.name), form.coefficient(b.name)
            if type(by_row) is int and type(by_tap) is int and by_row and by_tap:
                made = Slide(b, by_row, by_tap)
                if 3 * made.places(8) <= 2 * 8 * made.taps:  # a third of the loads is saved, at least
                    return made
    return None


def at_tap(term: Expr, slide: Slide, tap: int) -> Expr:
    """A term at one value of the index, its subscripts in the form that is the same for the same place."""
    return rewrite(with_indices(term, {slide.over.name: integer(tap)}), _plain)


def _plain(n: Expr) -> Expr:
    if not isinstance(n, Read):
        return n
    forms = [affine(s) for s in n.subscripts]
    subscripts = tuple(s if f is None else expression(f) for s, f in zip(n.subscripts, forms, strict=True))
    return Read(n.tensor, subscripts, n.border, n.dtype, n.span)


def has_tests(term: Expr) -> bool:
    """Whether a term still chooses."""
    return any(isinstance(n, Select) for n in walk(term))
