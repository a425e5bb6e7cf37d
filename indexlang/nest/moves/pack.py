"""Operands of contractions in panels: what a tile needs, one term after the other, lies side by side in memory.

before   C[i:784,k:256] = sum[j:1024] A[i,j]*B[j,k]
after    B_panels[q:8,j:1024,c:32] = B[j,32*q+c];  C[i,k] = sum[j] A[i,j]*B_panels[floor(k/32),j,k%32]

The copy is made once for all rows of tiles, and once and for all where it is made from parameters. It transposes too.
source   Goto & van de Geijn, TOMS 34(3), 2008: packed B; panels of the register tile's width
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Border, Bound, Const, Expr, Index, Read, Rule, free_indices, rewrite
from indexlang.ir.size import Named
from indexlang.nest.collapse import collapsed_rows
from indexlang.nest.moves.target import Target
from indexlang.nest.steps import known
from indexlang.passes.contraction import Contraction, contraction, is_heavy, used
from indexlang.passes.growing import Growing

MANY_ROWS = 256  # of a named extent: more are scheduled as many, fewer as few
FEW_TERMS = 32  # of a sum: with fewer, writing the result is what takes the time
PANEL_ROWS, ROUND_TERMS = 300, 192  # of a and of the sum that go through a round together, at most
_LEAST_USES = 4  # of each element, by different tiles of rows
_LEAST_WORK = 1 << 16  # multiply-adds: smaller equations are over at once


def pack_operands(program: Program, target: Target) -> Program:
    """The program with panels for those operands that many tiles of rows read."""
    return _Packing(program, target).run()


class _Packing(Growing):
    def __init__(self, program: Program, target: Target) -> None:
        super().__init__(program)
        self.target = target
        self.made: dict[tuple[str, int, int], tuple[str, int]] = {}  # panels and their width, by tensor, axis and place
        self.touched = self._elements_touched()

    def run(self) -> Program:
        return self.grown(tuple(made for e in self.program.equations for made in self._packed(e)))

    def _packed(self, e: Equation) -> Iterator[Equation]:
        found = contraction(e, self.program)
        width = self._width(e, found) if found is not None else 0
        if found is None or not width:
            yield e
            return
        w, column = found.w, found.column
        axis = next(k for k, s in enumerate(w.subscripts) if isinstance(s, Index) and s.name == column.name)
        at = self._first_inner(e, found)
        name, there = self.made.get((w.tensor, axis, at), ("", width))
        if not name or there > width:  # fewer vectors leave room for any number of rows, more may not
            name, there = self.fresh(f"{w.tensor}_panels"), width
            self.made[w.tensor, axis, at] = name, width
            yield self._copy(name, w, axis, at, width)
        width = there
        others = [s for k, s in enumerate(w.subscripts) if k != axis]
        place = Index(column.name)
        apply = self.build.apply
        which, within = apply(ops.FLOORDIV, place, integer(width)), apply(ops.MOD, place, integer(width))
        read = Read(name, (*others[:at], which, *others[at:], within), None, w.dtype, w.span)
        yield replace(e, body=rewrite(e.body, lambda n: read if n == w else n), checks=e.checks or (e,))

    def _width(self, e: Equation, found: Contraction) -> int:
        """The columns of a panel; 0 where packing does not pay."""
        row, column = found.row, found.column
        if row is None or isinstance(column.extent, Named) or is_heavy(e, found, self.program):
            return 0
        if isinstance(row.extent, Named) and known(row.extent) < MANY_ROWS:
            return 0
        if any(isinstance(n, Named) for n in self.program.tensor(found.w.tensor).extents):
            return 0
        whole = self._collapsed(e, found)
        rows, columns = _rows(whole), known(column.extent)
        dtype = found.total.dtype
        r, v = self.target.choose_tile(rows, columns, dtype.value)
        width = v * self.target.lanes(dtype.size)
        around = prod(
            known(b.extent)
            for b in found.batches
            if b.name in used(found.a) - used(found.w) and not isinstance(b.extent, Named)
        )
        if prod(known(n) for n in self.program.tensor(found.w.tensor).extents) > 2 * self.touched[found.w.tensor]:
            return 0
        terms = prod(known(b.extent) for b in found.total.over)
        work = rows * columns * terms
        if terms <= FEW_TERMS and columns >= 8 * width:
            return 0
        if (columns <= width and found.is_contiguous) or work * around < _LEAST_WORK:
            return 0
        if self._is_copied_on_the_way(whole, rows, r):
            return 0
        return width if known(row.extent) * around >= _LEAST_USES * r else 0

    def _elements_touched(self) -> Counter[str]:
        """Of each w, how many elements all contractions read together: a layer's stride makes several of its gradient."""
        out = Counter[str]()
        for e in self.program.equations:
            found = contraction(e, self.program)
            if found is not None:
                around = (*found.batches, *found.total.over, found.column)
                out[found.w.tensor] += prod(known(b.extent) for b in around if b.name in used(found.w))
        return out

    def _is_copied_on_the_way(self, found: Contraction, rows: int, tile: int) -> bool:
        """Whether a piece of work had better copy what it needs of w for itself: that stays in a cache, panels would not."""
        over = [known(b.extent) for b in found.total.over]
        is_read_again = any(b.name in used(found.a) - used(found.w) and b.extent != 1 for b in found.batches)
        is_made_once = self.program.tensor(found.w.tensor).role is Role.PARAM
        if is_read_again or is_made_once or rows < _LEAST_USES * tile:
            return False
        if sum(n != 1 for n in over) <= 1 and found.is_contiguous:
            return True
        return rows <= PANEL_ROWS and prod(over) > 2 * ROUND_TERMS and max(over) <= ROUND_TERMS

    def _collapsed(self, e: Equation, found: Contraction) -> Contraction:
        """With as many rows following each other as the schedule will see."""
        if found.a.border is not None:
            return found
        return contraction(collapsed_rows(e, self.program), self.program) or found

    def _first_inner(self, e: Equation, found: Contraction) -> int:
        """Before which axis of w, the columns' left out, the panels are counted: behind those that the left indices move."""
        left = {b.name for b in e.indices} - {found.column.name}
        others = [s for s in found.w.subscripts if not (isinstance(s, Index) and s.name == found.column.name)]
        return max((k + 1 for k, s in enumerate(others) if free_indices(s) & left), default=0)

    def _copy(self, name: str, w: Read, axis: int, at: int, width: int) -> Equation:
        source = self.program.tensor(w.tensor)
        columns = known(source.extents[axis])
        others = [Bound(f"u{k}", n) for k, n in enumerate(n for k, n in enumerate(source.extents) if k != axis)]
        q, c = Bound("q", -(-columns // width)), Bound("c", width)
        indices = (*others[:at], q, *others[at:], c)
        self.tensors.append(Tensor(name, tuple(b.extent for b in indices), source.dtype, Role.COMPUTED, span=w.span))
        apply = self.build.apply
        place = apply(ops.ADD, apply(ops.MUL, integer(width), Index("q")), Index("c"))
        subscripts: list[Expr] = [Index(b.name) for b in others]
        subscripts.insert(axis, place)
        border = Border(Rule.VALUE, Const(0.0, w.dtype)) if columns % width else None
        body = Read(w.tensor, tuple(subscripts), border, w.dtype, w.span)
        return Equation(name, indices, tuple(Index(b.name) for b in indices), False, body, w.span)


def _rows(found: Contraction) -> int:
    extent = found.row.extent if found.row else 1
    return MANY_ROWS if isinstance(extent, Named) else known(extent)
