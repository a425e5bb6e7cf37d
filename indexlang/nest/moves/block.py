"""Sums, and maxima, without a matrix product in them → blocks of results in vector registers.

before   Y[x,y,j] = relu(sum[dx,dy] W[dx,dy,j]*X[x+dx,y+dy,j] + B[j])
after    for y by 6:  for j by 32, vectors of 16:        6 x 2 vectors of results
             for dx:  for dy:  each += W[dx,dy,j vector]*X[x+dx,y+dy+r,j vector]
             each of the block: Y[x,y+r,j vector] = relu(it + B[j vector])

The vectors go along the *column*, the left index that moves the target to the next element; the rows along the left
index that leaves most operands where they are, so that these are loaded once for all rows of a block. Tests at borders
stand before loops, not in them (`block_terms`); columns at a border are computed one at a time.
"""

from dataclasses import dataclass, replace
from itertools import product

from indexlang.ir import ops
from indexlang.ir.affine import expression
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import (
    Bound,
    Const,
    Expr,
    Index,
    Reduce,
    Select,
    children,
    free_indices,
    with_children,
)
from indexlang.nest.body import Body, outermost
from indexlang.nest.collapse import collapsed
from indexlang.nest.interior import Interior, Range, apart, inside, is_plain
from indexlang.nest.moves.beside import Beside, beside
from indexlang.nest.moves.block_shape import MOST_AT_ONCE, Shape, Size, choose_size, shape
from indexlang.nest.moves.block_terms import Sum, Terms
from indexlang.nest.moves.near import Near, near
from indexlang.nest.moves.target import Target
from indexlang.nest.nodes import Around, For, Lanes, Let, Nest, Node, Store, Strip, local
from indexlang.nest.steps import known, points

_LEAST_WORK = 1 << 17  # smaller equations are over before their blocks would have been compiled
_SHARES = 48  # pieces of work that keep many threads busy
_SOME_ROWS = 24  # of a named extent
_NEAR = 24 << 10  # bytes that stay in the nearest cache beside all else


def blocked(original: Equation, program: Program, target: Target) -> Nest | None:
    """The nest of an equation in register blocks; None where its structure is another."""
    e = collapsed(original, program)
    found = shape(e, program)
    if found is None or _work(e, found) < _LEAST_WORK:
        return None
    row, together, copied = found.row, None, None
    if row is not None and found.deep is None:
        together = beside(e, found.total, found.column, row, program, target)
        copied = near(e, found.total, row, found.column, together, program, target.lanes(found.total.dtype.size))
    if copied is not None:
        e, program = copied.equation, copied.program
    e = replace(e, body=apart(e.body))
    found = replace(found, total=total_of(e.body), pieces=together.pieces if together else 1)
    area = inside(e, (found.column,))
    if found.row is not None:
        by_row = inside(replace(e, body=area.body), (found.row,))
        low, high = by_row.range(found.row)
        if found.deep is None or known(found.row.extent) <= 2 * (high - low):
            area = Interior(by_row.body, {**area.ranges, **by_row.ranges})
    low, high = area.range(found.column)
    lanes = target.lanes_within((high - low) * found.pieces, found.total.dtype)
    if lanes < 2 or _tests(area.body, found.column.name) or (not found.again and high - low > MOST_AT_ONCE * lanes):
        return None
    return _Block(original, e, found, area, lanes, (low, high), Body(program), target, together, copied).nest()


def _work(e: Equation, found: Shape) -> int:
    """Terms of all sums."""
    return points((*e.indices, *found.total.over))


def _tests(e: Expr, index: str) -> bool:
    """Whether a test depends on an index."""
    match e:
        case Select(cond=cond) if index in free_indices(cond):
            return True
        case _:
            return any(_tests(c, index) for c in children(e))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of an iteration: `start..stop`, of which the tests hold in `low..high`; blocks go through `low..middle`."""

    start: Expr
    low: Expr
    middle: Expr
    high: Expr
    stop: Expr


class _Block:
    def __init__(
        self, original: Equation, e: Equation, found: Shape, area: Interior, lanes: int, columns: Range,
        body: Body, target: Target, together: Beside | None, copied: Near | None,
    ) -> None:  # fmt: skip
        self.original, self.e, self.found, self.area, self.lanes = original, e, found, area, lanes
        self.low, self.high = columns
        self.make, self.build = body, body.build
        self.together, self.copied = together, copied
        self.lines = copied.lines if copied else None
        self.row = found.row or Bound("row", 1)
        width = (self.high - self.low) * found.pieces if is_plain(self.high - self.low) else lanes
        low, high = area.range(self.row)
        self.size = choose_size(found, high - low if is_plain(high - low) else _SOME_ROWS, width, lanes, target)
        self.panel = self.size.vectors * lanes if self._has_panels() else 0
        single = self.panel or width  # one that is wider would leave its panel
        self.single = choose_size(found, 1, single, lanes, target)
        self.inner = (found.column, found.row, found.deep, together and together.group, self.lines and self.lines.index)
        self.outer = tuple(b for b in e.indices if b not in self.inner)
        self.count = 0

    def nest(self) -> Nest:
        panels, start, stop = self._panels()
        iterations = (*(self._shared(b) for b in self.e.indices if self._is_around(b)), *panels)
        blocks, rows, lets = self._rows(points(iterations))
        iterations = (*iterations, *blocks)
        body = self._around_all((*lets, *self._all(rows, start, stop)))
        title = f"block {self.size.rows}x{self.size.vectors} of {self.lanes}{' near' if self.copied else ''}"
        return self.make.nest(self.original, self.e, iterations, body, title)

    # -- what an iteration has of groups and lines

    def _is_around(self, b: Bound) -> bool:
        return b in self.outer or self._shared(b) is not b

    def _shared(self, b: Bound) -> Bound:
        """An outer index, or that which counts blocks of it."""
        if self.together is not None and b is self.together.group:
            return self.together.blocks
        return self.lines.block if self.lines is not None and b is self.lines.index else b

    def _around_all(self, body: tuple[Node, ...]) -> tuple[Node, ...]:
        """The loops over the lines that share a copy, and over the groups that stand side by side."""
        if self.lines is not None:
            start, size = expression(self.lines.start), integer(self.lines.size)
            stop = self._apply(ops.MIN, self._apply(ops.ADD, start, size), integer(self.lines.index.extent))
            body = (For(self.lines.index.name, start, stop, body),)
        body = (*(self.copied.nodes if self.copied else ()), *body)
        if self.together is not None:
            pieces = integer(self.together.pieces)
            start = self._apply(ops.MUL, pieces, Index(self.together.blocks.name))
            stop = self._apply(ops.ADD, start, pieces)
            body = (Strip(self.together.group.name, start, stop, self.together.pieces, body),)
        return body

    # -- which rows and columns an iteration has

    def _has_panels(self) -> bool:
        """Whether columns are an outer loop: where what all rows share would not stay in the nearest cache."""
        columns, found = self.high - self.low, self.found
        if self.together is not None:
            return False
        near = found.shared * columns * found.total.dtype.size <= _NEAR
        wider = found.row is not None and columns > self.size.vectors * self.lanes
        return wider and not near and found.column.name not in self.area.ranges

    def _panels(self) -> tuple[tuple[Bound, ...], Expr, Expr]:
        """The loop over panels of columns, if there is one, and the columns of an iteration."""
        if not self.panel:
            return (), integer(self.low), integer(self.high)
        bound = Bound(f"{self.found.column.name}_block", -(-self.high // self.panel))
        last = integer(self.high - self.panel)
        first = self._apply(ops.MIN, self._apply(ops.MUL, integer(self.panel), Index(bound.name)), last)
        return (bound,), first, self._apply(ops.ADD, first, integer(self.panel))

    def _rows(self, around: int) -> tuple[tuple[Bound, ...], _Rows, tuple[Node, ...]]:
        """Rows are shared out in blocks where the other indices are too few for all threads."""
        extent, step = known(self.row.extent), self.size.rows
        low, high = self.area.range(self.row)
        pieces = min(-(-_SHARES // max(int(around), 1)), int(extent) // max(step, 4))
        if pieces < 2 or self.copied is not None:
            middle = high if high - low >= step else low
            return (), _Rows(*(integer(n) for n in (0, low, middle, high, extent))), ()
        length = -(-extent // (pieces * step)) * step
        block = Bound(f"{self.row.name}_block", -(-extent // length))
        return (block,), *self._piece(block, length, (low, high))

    def _piece(self, block: Bound, length: int, inside: Range) -> tuple[_Rows, tuple[Node, ...]]:
        """The rows of one of several blocks."""
        start = self._apply(ops.MUL, integer(length), Index(block.name))
        stop = self._apply(ops.MIN, self._apply(ops.ADD, start, integer(length)), integer(self.row.extent))
        low, high = start, stop
        if self.row.name in self.area.ranges:
            low, high = (self._apply(ops.MIN, self._apply(ops.MAX, integer(n), start), stop) for n in inside)
        first, last = local("low", DType.INT), local("high", DType.INT)
        enough = self._apply(ops.GE, self._apply(ops.SUB, last, first), integer(self.size.rows))
        middle = Select(enough, last, first, DType.INT)
        lets = (Let("low", DType.INT, low), Let("high", DType.INT, high), Let("middle", DType.INT, middle))
        return _Rows(start, first, local("middle", DType.INT), last, stop), lets

    # -- loops

    def _all(self, rows: _Rows, start: Expr, stop: Expr) -> tuple[Node, ...]:
        """Whole blocks; then, a row at a time, those at borders, and the others where they are too few for a block."""
        tile = self._line(self.area.body, self.size, start, stop)
        if self.found.row is None:
            return (tile, *self._beside())
        blocks = Strip(self.row.name, rows.low, rows.middle, self.size.rows, (tile,))
        column = self.found.column
        if not _tests(self.e.body, column.name):
            return (blocks, *self._around(rows, rows.middle, self._line(self.e.body, self.single, start, stop)))
        rest = self._line(self.area.body, self.single, start, stop)
        few = (For(self.row.name, rows.middle, rows.high, (rest,)),) if rows.middle != rows.high else ()
        return (
            *(blocks, *few, *self._beside_rows(rows)),
            *self._around(rows, rows.high, self._points(integer(0), integer(column.extent))),
        )

    def _around(self, rows: _Rows, high: Expr, line: Node) -> tuple[Node, ...]:
        if rows.start == rows.low and high == rows.stop:
            return ()
        return (Around(self.row.name, rows.start, rows.low, high, rows.stop, (line,)),)

    def _line(self, body: Expr, size: Size, start: Expr, stop: Expr) -> Node:
        """The rows of one block along all columns."""
        tile, name = self._tile(body, size, self.lanes), self.found.column.name
        if self.together is not None:
            group, pieces = self.together.group.name, self.together.pieces
            return Lanes(name, start, stop, self.lanes // pieces, self.lanes, tile, group, pieces)
        return Lanes(name, start, stop, self.lanes * size.vectors, self.lanes, tile)

    def _beside_rows(self, rows: _Rows) -> tuple[Node, ...]:
        inner = self._beside()
        return (For(self.row.name, rows.low, rows.high, inner),) if inner else ()

    def _beside(self) -> tuple[Node, ...]:
        """The columns before and behind those that need no tests."""
        column = self.found.column
        parts = ((integer(0), integer(self.low)), (integer(self.high), integer(column.extent)))
        return tuple(self._points(a, b) for a, b in parts if a != b)

    def _points(self, start: Expr, stop: Expr) -> Node:
        return For(self.found.column.name, start, stop, self._tile(self.e.body, Size(1, 1), 1))

    def _tile(self, body: Expr, size: Size, lanes: int) -> tuple[Node, ...]:
        """The sums of a block, one local scalar or vector each, and what becomes of them."""
        e, total = self.e, total_of(body)
        zero = Const(ops.identity(total.fold, total.dtype.is_float), total.dtype)
        lets: list[Node] = []
        sums: list[Sum] = []
        stores: list[Node] = []
        for deep, r, v in product(self._deep(), range(size.rows), range(size.vectors)):
            self.count += 1
            made = Sum(
                f"t{self.count}",
                {**self._moved(self.row.name, r), **deep},
                self._moved(self.found.column.name, v * lanes),
            )
            lets.append(Let(made.name, total.dtype, zero))
            value = _replaced(body, total, local(made.name, total.dtype))
            stores.append(Store(e.target, tuple(made.at(s) for s in e.left), made.at(value)))
            sums.append(made)
        single = (*((self.row,) if size.rows == 1 else ()), *((self.found.column,) if lanes == 1 else ()))
        outer = (b for b in self.e.indices if b not in (self.found.column, self.found.row, self.found.deep))
        known = frozenset(b.name for b in (*outer, *single))
        slide = self.found.slide if size.rows > 1 else None
        over = total.over
        if slide is not None:
            over = (*(b for b in over if b.name != slide.over.name), slide.over)
        terms = Terms(total, self._ends(size.rows), self.build, slide).loops(over, known, total.body, tuple(sums))
        return (*lets, *terms, *stores)

    def _deep(self) -> list[dict[str, Expr]]:
        """The places of the index whose values all stand in a block."""
        deep = self.found.deep
        return [{deep.name: integer(k)} for k in range(known(deep.extent))] if deep else [{}]

    def _ends(self, rows: int) -> dict[str, tuple[Expr, Expr]]:
        """Where the rows of a block begin and end, by the indices they go along."""
        row, deep = Index(self.row.name), self._deep()
        ends: dict[str, tuple[Expr, Expr]] = {row.name: (row, self._apply(ops.ADD, row, integer(rows - 1)))}
        return {**ends, **{n: (first, deep[-1][n]) for n, first in deep[0].items()}}

    def _moved(self, index: str, by: int) -> dict[str, Expr]:
        return {index: self._apply(ops.ADD, Index(index), integer(by))} if by else {}

    def _apply(self, op: ops.Op, a: Expr, b: Expr) -> Expr:
        return self.build.apply(op, a, b)


def total_of(body: Expr) -> Reduce:
    """The one reduction of a body."""
    return next(outermost(body))


def _replaced(body: Expr, total: Expr, by: Expr) -> Expr:
    return by if body is total else with_children(body, tuple(_replaced(c, total, by) for c in children(body)))
