"""Operands laid along the columns of a result, where a sum without a matrix product in it would read across them.

before   Y[i,j] = sum[c] abs(A[i,c] - B[j,c])
after    B_laid[c,j] = B[j,c];  Y[i,j] = sum[c] abs(A[i,c] - B_laid[c,j])

With the columns side by side in memory the sum goes into register blocks (`block.py`), which load each vector for several
rows; without, every element of the result is a sum by itself, whose lanes must be added at the end. The copy is small beside
the sum, and made once and for all where it is made from parameters. Subscripts such as i-j are read backwards. Few columns are
laid so too where those of groups go side by side (`beside.py`).
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir.affine import affine
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, free_indices, reads, rewrite, walk
from indexlang.ir.size import Named
from indexlang.nest.moves.block_shape import runs_along, shape
from indexlang.nest.steps import known, points
from indexlang.passes.contraction import contraction, follows
from indexlang.passes.growing import Growing

_LEAST_USES = 16  # of each element that is copied
_LEAST_COLUMNS = 32  # fewer are no vectors
_LEAST_WORK = 1 << 17  # terms; smaller equations are over at once


def lay_along_columns(program: Program) -> Program:
    """The program with copies of operands whose elements would be far apart along the columns."""
    return _Laying(program).run()


class _Laying(Growing):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.made: dict[tuple[str, int], str] = {}  # copies, by tensor and by the axis that comes last

    def run(self) -> Program:
        return self.grown(tuple(made for e in self.program.equations for made in self._laid(e)))

    def _laid(self, e: Equation) -> Iterator[Equation]:
        far = _far(e, self.program)
        if not far or contraction(e, self.program) is not None:
            yield e
            return
        wanted = dict.fromkeys((r.tensor, axis) for r, axis in far.items())
        copies = {key: self._copy(*key) for key in wanted if key not in self.made}
        names = {**self.made, **{key: copy.target for key, copy in copies.items()}}
        laid = {r: _laid_read(r, axis, names[r.tensor, axis]) for r, axis in far.items()}
        found = replace(e, body=rewrite(e.body, lambda n: laid.get(n, n) if isinstance(n, Read) else n))
        made = tuple(self._tensor(key, copy) for key, copy in copies.items())
        if shape(found, self.program.replace(tensors=(*self.tensors, *made))) is None:
            yield e
            return
        self.made, self.tensors = names, [*self.tensors, *made]
        yield from copies.values()
        yield replace(found, checks=e.checks or (e,))

    def _tensor(self, key: tuple[str, int], copy: Equation) -> Tensor:
        source = self.program.tensor(key[0])
        extents = tuple(b.extent for b in copy.indices)
        return Tensor(copy.target, extents, source.dtype, Role.COMPUTED, span=source.span)

    def _copy(self, tensor: str, axis: int) -> Equation:
        source, name = self.program.tensor(tensor), self.fresh(f"{tensor}_laid")
        bounds = [Bound(f"u{k}", n) for k, n in enumerate(source.extents)]
        order = (*(b for k, b in enumerate(bounds) if k != axis), bounds[axis])
        body = Read(tensor, tuple(Index(b.name) for b in bounds), None, source.dtype.read, source.span)
        return Equation(name, order, tuple(Index(b.name) for b in order), False, body, source.span)


def _laid_read(r: Read, axis: int, name: str) -> Read:
    others = (s for k, s in enumerate(r.subscripts) if k != axis)
    return Read(name, (*others, r.subscripts[axis]), None, r.dtype, r.span)


def _far(e: Equation, program: Program) -> dict[Read, int]:
    """The reads that cross the columns, each with the axis that should be the last one; none where that does not pay."""
    totals = [n for n in walk(e.body) if isinstance(n, Reduce)]
    column = e.indices[-1] if e.indices else None
    if (
        len(totals) != 1
        or column is None
        or not _is_last(e, column)
        or any(isinstance(b.extent, Named) for b in totals[0].over)
    ):
        return {}
    if isinstance(column.extent, Named) or not _are_crossed(e, totals[0], column, program):
        return {}
    work = points((*e.indices, *totals[0].over))
    crossing = [r for r in dict.fromkeys(reads(totals[0].body)) if column.name in free_indices(r)]
    found = {r: axis for r in crossing if (axis := _axis(r, column.name, program)) is not None}
    near = [r for r in crossing if r not in found and not _is_along(r, column.name)]
    elements = sum(prod(known(n) for n in program.tensor(t).extents) for t in {r.tensor for r in found})
    return found if not near and work >= max(_LEAST_WORK, _LEAST_USES * elements) else {}


def _are_crossed(e: Equation, total: Reduce, column: Bound, program: Program) -> bool:
    """Whether the columns fill vectors, by themselves or beside those of other groups, that would be read one by one."""
    if known(column.extent) >= _LEAST_COLUMNS:
        return runs_along(total, column, program)
    return known(column.extent) > 1 and any(follows(e, column, b) for b in e.indices)


def _is_last(e: Equation, column: Bound) -> bool:
    last = e.left[-1] if e.left else None
    return not e.accumulates and last is not None and _step(last, column.name) == 1


def _axis(r: Read, column: str, program: Program) -> int | None:
    """The one axis along which a read moves with the column, from element to element, if that is not the last one."""
    moved = [k for k, s in enumerate(r.subscripts) if column in free_indices(s)]
    t = program.tensor(r.tensor)
    plain = r.border is None and t.view is None and not any(isinstance(n, Named) for n in t.extents)
    one = (
        plain
        and len(moved) == 1
        and moved[0] < len(r.subscripts) - 1
        and _step(r.subscripts[moved[0]], column) in (1, -1)
    )
    return moved[0] if one else None


def _is_along(r: Read, column: str) -> bool:
    """Whether a read moves along its last axis only."""
    *others, last = r.subscripts
    return _step(last, column) in (1, -1) and not any(column in free_indices(s) for s in others)


def _step(s: Expr, column: str) -> int | None:
    form = affine(s)
    return None if form is None or not form.is_concrete else known(form.coefficient(column))
