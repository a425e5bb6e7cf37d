"""Few columns of several groups side by side in one vector.

before   Y[x,8*g+j] = sum[dx,i] W[g,dx,i,j]*X[x+dx,8*g+i]          for g: vectors of 8, half of what a register holds
after    two g at a time, vectors of 16:  8 columns of g, 8 of g + 1

The columns are all of the last index, and those of the next group follow them in the result. A read that moves with them is
loaded in pieces; one that moves with the group alone has one element repeated in each piece.
"""

from dataclasses import dataclass

from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, reads
from indexlang.nest.body import here
from indexlang.nest.interior import is_plain
from indexlang.nest.moves.target import Target
from indexlang.nest.steps import known, steps


@dataclass(frozen=True, slots=True)
class Beside:
    """`pieces` values of the index `group` go side by side in a vector."""

    group: Bound
    pieces: int

    @property
    def blocks(self) -> Bound:
        """The index over so many values at a time."""
        return Bound(f"{self.group.name}_block", known(self.group.extent) // self.pieces)


def beside(
    e: Equation, total: Reduce, column: Bound, row: Bound | None, program: Program, target: Target
) -> Beside | None:
    """The groups of an equation whose columns fill no vector; None where they do, or cannot stand side by side."""
    lanes, columns = target.lanes(total.dtype.size), known(column.extent)
    if not is_plain(column.extent) or columns >= lanes or lanes % columns:
        return None
    left = steps(here(e, total.dtype), program) or {}
    group = next((b for b in e.indices if b is not row and left.get(b.name) == columns and is_plain(b.extent)), None)
    pieces = lanes // columns
    while group is not None and known(group.extent) % pieces:
        pieces //= 2
    if group is None or pieces < 2:
        return None
    both = {group.name, column.name}
    moves = [steps(r, program) or {} for r in reads(e.body)]
    if any(m.get(column.name, 0) not in (0, 1) for m in moves) or _elsewhere(e.body) & both:
        return None
    return Beside(group, pieces)


def _elsewhere(e: Expr) -> set[str]:
    """The indices that are used outside of subscripts: as numbers, or in tests."""
    match e:
        case Read():
            return set()
        case Index(name=name):
            return {name}
        case _:
            return set[str]().union(*(_elsewhere(c) for c in children(e)))
