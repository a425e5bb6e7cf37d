"""Several sums, or sums of sums, around which vectors go along the last index: windows of exponentials.

before   Y[x,y] = (sum[dx,dy] exp(A[x+dx,y+dy])*A[x+dx,y+dy]) / sum[dx,dy] exp(A[x+dx,y+dy])
after    for x:  for y by 16, vectors of 16:
             for dx:  for dy:  t1 += exp(A[x+dx,y+dy vector])*A[x+dx,y+dy vector];  t2 += the same exp
             Y[x,y vector] = t1/t2

What is one sum goes into register blocks instead (`block.py`). Columns at a border are computed one at a time.
"""

from collections.abc import Set
from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Apply, Bound, Expr, Index, Reduce, Select, children, free_indices, reads, walk
from indexlang.nest.body import Body, here, is_short, outermost
from indexlang.nest.collapse import collapsed
from indexlang.nest.interior import Interior, apart, inside, is_plain
from indexlang.nest.moves.block_shape import MOST_AT_ONCE, is_read_again, is_vectorial, runs_along
from indexlang.nest.moves.target import Target
from indexlang.nest.nodes import For, Lanes, Nest, Node, Store
from indexlang.nest.steps import known, points, steps

_LEAST_WORK = 1 << 14  # terms; smaller equations are over before anything is gained
_SHARES = 48  # pieces of work that keep many threads busy
_FOLDS = (ops.SUM, ops.PROD, ops.LARGEST, ops.SMALLEST)


def in_columns(original: Equation, program: Program, target: Target) -> Nest | None:
    """The nest of an equation in vectors along its last index; None where its structure is another."""
    e = collapsed(original, program)
    column = _column(e, program)
    if column is None or _work(e) < _LEAST_WORK:
        return None
    e = replace(e, body=apart(e.body))
    area = inside(e, (column,))
    low, high = area.range(column)
    lanes = target.lanes_within(high - low, program.tensor(e.target).dtype)
    if lanes < 2 or not _may_be_vectors(area.body, column.name, program):
        return None
    if high - low > MOST_AT_ONCE * lanes and _goes_in_rows(e):
        return None
    return _Columns(original, e, column, area, lanes, Body(program)).nest()


def _column(e: Equation, program: Program) -> Bound | None:
    """The index that vectors go along: where a sum in the innermost loop would keep that loop from becoming vectors."""
    dtype = program.tensor(e.target).dtype
    left = steps(here(e, dtype), program)
    column = e.indices[-1] if e.indices else None
    if column is None or e.accumulates or left is None or left.get(column.name) != 1 or not is_plain(column.extent):
        return None
    totals = [n for n in walk(e.body) if isinstance(n, Reduce)]
    moved = [n for n in outermost(e.body) if column.name in free_indices(n)]
    fits = all(n.fold in _FOLDS for n in totals) and all(n.dtype is dtype for n in walk(e.body) if n.dtype.is_float)
    if not fits or any(steps(r, program) is None for r in reads(e.body)):
        return None
    if not is_vectorial(e.body, program) or all(is_short(n) for n in moved):
        return None
    return None if any(runs_along(n, column, program) for n in totals) else column


def _goes_in_rows(e: Equation) -> bool:
    """Whether elements are read for one sum only: pieces of a vector from each row of a wide matrix are slow to read."""
    totals = [n for n in walk(e.body) if isinstance(n, Reduce)]
    return len(totals) == 1 and not any(is_read_again(r, totals[0]) for r in reads(totals[0].body))


def _work(e: Equation) -> int:
    """Terms of all sums."""
    return points((*e.indices, *(b for n in outermost(e.body) for b in n.over)))


def _may_be_vectors(e: Expr, column: str, program: Program) -> bool:
    """Whether each test that depends on the column compares floats that are there anyway, so that both sides can be computed."""
    if isinstance(e, Select) and column in free_indices(e.cond):
        seen = set(reads(e.cond))
        if not _is_mask(e.cond, column, program) or not all(seen.issuperset(reads(side)) for side in (e.then, e.other)):
            return False
        return all(_may_be_vectors(side, column, program) for side in (e.then, e.other))
    return all(_may_be_vectors(c, column, program) for c in children(e))


def _is_mask(cond: Expr, column: str, program: Program) -> bool:
    """Whether a test is one vector: all parts depend on the column, and none guards what another reads."""
    if not isinstance(cond, Apply) or column not in free_indices(cond):
        return False
    if cond.op.kind is ops.Kind.COMPARE:
        return any(a.dtype.is_float for a in cond.args) and all(is_vectorial(a, program) for a in cond.args)
    first, *others = cond.args
    guarded = any(not set(reads(a)) <= set(reads(first)) for a in others)
    return cond.op.kind is ops.Kind.LOGIC and not guarded and all(_is_mask(a, column, program) for a in cond.args)


class _Columns:
    def __init__(self, original: Equation, e: Equation, column: Bound, area: Interior, lanes: int, body: Body) -> None:
        self.original, self.e, self.column, self.area, self.lanes, self.make = original, e, column, area, lanes, body
        self.low, self.high = area.range(column)
        self.outer = e.indices[:-1]

    def nest(self) -> Nest:
        done: dict[Expr, Expr] = {}
        names = {b.name for b in self.outer}
        before = (*self.make.hoisted(self.area.body, names, done), *self.make.hoisted(self.e.body, names, done))
        pieces, start, stop = self._pieces()
        inner = self._element(self.area.body, names, done)
        vectors = Lanes(self.column.name, start, stop, self.lanes, self.lanes, inner)
        ends = ((0, self.low), (self.high, known(self.column.extent)))
        beside = tuple(self._points(a, b, names, done) for a, b in ends if a != b)
        title = f"columns of {self.lanes}"
        return self.make.nest(self.original, self.e, (*self.outer, *pieces), (*before, vectors, *beside), title)

    def _pieces(self) -> tuple[tuple[Bound, ...], Expr, Expr]:
        """Where there are too few rows for all threads, columns are shared out too."""
        rows = prod(known(b.extent) for b in self.outer)
        width = self.high - self.low
        count = min(-(-_SHARES // max(rows, 1)), width // (4 * self.lanes))
        if count < 2 or width != self.column.extent:
            return (), integer(self.low), integer(self.high)
        length = -(-width // (count * self.lanes)) * self.lanes
        piece, build = Bound(f"{self.column.name}_block", -(-width // length)), self.make.build
        first = build.apply(ops.MUL, integer(length), Index(piece.name))
        first = build.apply(ops.MIN, first, integer(width - length))
        return (piece,), first, build.apply(ops.ADD, first, integer(length))

    def _points(self, start: int, stop: int, names: Set[str], done: dict[Expr, Expr]) -> Node:
        return For(self.column.name, integer(start), integer(stop), self._element(self.e.body, names, done))

    def _element(self, body: Expr, names: Set[str], done: dict[Expr, Expr]) -> tuple[Node, ...]:
        """One element, or a vector of them."""
        now = dict(done)
        sums = self.make.hoisted(body, {*names, self.column.name}, now)
        return (*sums, Store(self.e.target, self.e.left, self.make.filled(body, now, names)))
