"""Sums, and maxima, without a matrix product in them → blocks of results in vector registers.

before   Y[x,y,j] = relu(sum[dx,dy] W[dx,dy,j]*X[x+dx,y+dy,j] + B[j])
after    for y by 6:  for j by 32, vectors of 16:        6 x 2 vectors of results
             for dx:  for dy:  each += W[dx,dy,j vector]*X[x+dx,y+dy+r,j vector]
             each of the block: Y[x,y+r,j vector] = relu(it + B[j vector])

The vectors go along the *column*, the left index that moves the target to the next element; the rows along the left
index that leaves most operands where they are, so that these are loaded once for all rows of a block. Which tests cannot
fail is known beforehand: points at a border are computed one row at a time, with the tests, the others without.
"""

from dataclasses import dataclass
from math import prod

from indexlang.ir import ops
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
    with_indices,
)
from indexlang.nest.body import Body, loops, outermost
from indexlang.nest.collapse import collapsed
from indexlang.nest.moves.block_inside import Inside, Range, inside, is_plain
from indexlang.nest.moves.block_shape import Shape, Size, choose_size, shape
from indexlang.nest.moves.contract import Target
from indexlang.nest.nodes import Add, Around, For, Lanes, Let, Nest, Node, Store, Strip, local
from indexlang.nest.steps import known

_SHARES = 48  # pieces of work that keep many threads busy
_SOME_ROWS = 24  # of a named extent
_NEAR = 24 << 10  # bytes that stay in the nearest cache beside all else


def blocked(original: Equation, program: Program, target: Target) -> Nest | None:
    """The nest of an equation in register blocks; None where its structure is another."""
    e = collapsed(original, program)
    found = shape(e, program)
    if found is None:
        return None
    area = inside(e)
    low, high = area.range(found.column)
    lanes = target.lanes(found.total.dtype.size)
    while lanes > high - low:
        lanes //= 2
    if lanes < 2 or _tests(area.body, found.column.name):
        return None
    return _Block(original, e, found, area, lanes, (low, high), Body(program)).nest()


def _tests(e: Expr, index: str) -> bool:
    """Whether a test depends on an index."""
    match e:
        case Select(cond=cond) if index in free_indices(cond):
            return True
        case _:
            return any(_tests(c, index) for c in children(e))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of an iteration: `start..stop`, of which the tests hold in `low..high`; `middle - low` are whole blocks."""

    start: Expr
    low: Expr
    middle: Expr
    high: Expr
    stop: Expr


class _Block:
    def __init__(
        self, original: Equation, e: Equation, found: Shape, area: Inside, lanes: int, columns: Range,
        body: Body,
    ) -> None:  # fmt: skip
        self.original, self.e, self.found, self.area, self.lanes = original, e, found, area, lanes
        self.low, self.high = columns
        self.make, self.build = body, body.build
        self.row = found.row or Bound("row", 1)
        low, high = area.range(self.row)
        width = self.high - self.low if is_plain(self.high - self.low) else lanes
        self.size = choose_size(found, high - low if is_plain(high - low) else _SOME_ROWS, width, lanes)
        self.single = choose_size(found, 1, width, lanes)
        self.outer = tuple(b for b in e.indices if b not in (found.column, found.row))
        self.count = 0

    def nest(self) -> Nest:
        iterations = self.outer
        panels, start, stop = self._panels()
        iterations = (*iterations, *panels)
        blocks, rows, lets = self._rows(prod(known(b.extent) for b in iterations))
        iterations = (*iterations, *blocks)
        body = (*lets, *self._all(rows, start, stop))
        title = f"block {self.size.rows}x{self.size.vectors} of {self.lanes}"
        return self.make.nest(self.original, self.e, iterations, body, title)

    # -- which rows and columns an iteration has

    def _panels(self) -> tuple[tuple[Bound, ...], Expr, Expr]:
        """Columns as an outer loop where what all rows share would not stay in the nearest cache."""
        whole = (), integer(self.low), integer(self.high)
        width = self.size.vectors * self.lanes
        near = self.found.shared * (self.high - self.low) * self.found.total.dtype.size <= _NEAR
        if near or self.found.row is None or self.found.column.name in self.area.ranges:
            return whole
        panel = Bound(f"{self.found.column.name}_block", -(-self.high // width))
        last = integer(self.high - width)
        first = self._apply(ops.MIN, self._apply(ops.MUL, integer(width), Index(panel.name)), last)
        return (panel,), first, self._apply(ops.ADD, first, integer(width))

    def _rows(self, around: int) -> tuple[tuple[Bound, ...], _Rows, tuple[Node, ...]]:
        """Rows are shared out in blocks where the other indices are too few for all threads."""
        extent, step = known(self.row.extent), self.size.rows
        low, high = self.area.range(self.row)
        test = self._inside()
        pieces = min(-(-_SHARES // max(int(around), 1)), int(extent) // max(step, 4))
        if pieces < 2 and test is None:
            middle = low + (high - low) // step * step
            return (), _Rows(*(integer(n) for n in (0, low, middle, high, extent))), ()
        length = -(-extent // (max(pieces, 1) * step)) * step
        block = Bound(f"{self.row.name}_block", -(-extent // length)) if pieces > 1 else None
        return ((block,) if block else ()), *self._let(block, length, (low, high), test)

    def _let(self, block: Bound | None, length: int, area: Range, test: Expr | None) -> tuple[_Rows, tuple[Node, ...]]:
        extent, step = integer(self.row.extent), integer(self.size.rows)
        start: Expr = self._apply(ops.MUL, integer(length), Index(block.name)) if block else integer(0)
        stop = self._apply(ops.MIN, self._apply(ops.ADD, start, integer(length)), extent) if block else extent
        low, high = (self._apply(ops.MIN, self._apply(ops.MAX, integer(n), start), stop) for n in area)
        low = low if test is None else Select(test, low, stop, DType.INT)
        high = high if test is None else Select(test, high, stop, DType.INT)
        lets = [Let("low", DType.INT, low), Let("high", DType.INT, high)]
        first, last = local("low", DType.INT), local("high", DType.INT)
        whole = self._apply(ops.FLOORDIV, self._apply(ops.SUB, last, first), step)
        lets.append(Let("middle", DType.INT, self._apply(ops.ADD, first, self._apply(ops.MUL, whole, step))))
        return _Rows(start, first, local("middle", DType.INT), last, stop), tuple(lets)

    def _inside(self) -> Expr | None:
        """Whether the outer indices are in the interior; None where they always are."""
        out: Expr | None = None
        for b in self.outer:
            if b.name not in self.area.ranges:
                continue
            low, high = self.area.range(b)
            for test in (
                self._apply(ops.GE, Index(b.name), integer(low)),
                self._apply(ops.LT, Index(b.name), integer(high)),
            ):
                out = test if out is None else self._apply(ops.AND, out, test)
        return out

    # -- loops

    def _all(self, rows: _Rows, start: Expr, stop: Expr) -> tuple[Node, ...]:
        """Whole blocks; then, a row at a time, what is left of the rows inside and those at the borders."""
        tile = self._line(self.area.body, self.size, start, stop)
        if self.found.row is None:
            return (tile,)
        blocks = Strip(self.row.name, rows.low, rows.middle, self.size.rows, (tile,))
        column = self.found.column
        if not _tests(self.e.body, column.name):
            return (blocks, *self._around(rows, rows.middle, self._line(self.e.body, self.single, start, stop)))
        rest = For(self.row.name, rows.middle, rows.high, (self._line(self.area.body, self.single, start, stop),))
        points = self._points(integer(0), integer(column.extent))
        return (blocks, rest, *self._beside(rows), *self._around(rows, rows.high, points))

    def _around(self, rows: _Rows, high: Expr, line: Node) -> tuple[Node, ...]:
        if rows.start == rows.low and high == rows.stop:
            return ()
        return (Around(self.row.name, rows.start, rows.low, high, rows.stop, (line,)),)

    def _line(self, body: Expr, size: Size, start: Expr, stop: Expr) -> Node:
        """The rows of one block along all columns."""
        width = self.lanes * size.vectors
        return Lanes(self.found.column.name, start, stop, width, self.lanes, self._tile(body, size, self.lanes))

    def _beside(self, rows: _Rows) -> tuple[Node, ...]:
        """The columns before and behind those that need no tests."""
        column = self.found.column
        parts = ((integer(0), integer(self.low)), (integer(self.high), integer(column.extent)))
        inner = tuple(self._points(a, b) for a, b in parts if a != b)
        return (For(self.row.name, rows.low, rows.high, inner),) if inner else ()

    def _points(self, start: Expr, stop: Expr) -> Node:
        return For(self.found.column.name, start, stop, self._tile(self.e.body, Size(1, 1), 1))

    def _tile(self, body: Expr, size: Size, lanes: int) -> tuple[Node, ...]:
        """The sums of a block, one local scalar or vector each, and what becomes of them."""
        e, total = self.e, _total(body)
        zero = Const(ops.identity(total.fold, total.dtype.is_float), total.dtype)
        lets: list[Node] = []
        adds: list[Node] = []
        stores: list[Node] = []
        for r in range(size.rows):
            for v in range(size.vectors):
                self.count += 1
                name, here = f"t{self.count}", self._place(r, v * lanes)
                lets.append(Let(name, total.dtype, zero))
                adds.append(Add(name, total.dtype, total.fold, with_indices(total.body, here)))
                made = with_indices(_replaced(body, total, local(name, total.dtype)), here)
                stores.append(Store(e.target, tuple(with_indices(s, here) for s in e.left), made))
        return (*lets, loops(total.over, tuple(adds)), *stores)

    def _place(self, r: int, c: int) -> dict[str, Expr]:
        column, row = Index(self.found.column.name), Index(self.row.name)
        out: dict[str, Expr] = {} if c == 0 else {column.name: self._apply(ops.ADD, column, integer(c))}
        return out if r == 0 else {**out, row.name: self._apply(ops.ADD, row, integer(r))}

    def _apply(self, op: ops.Op, a: Expr, b: Expr) -> Expr:
        return self.build.apply(op, a, b)


def _total(body: Expr) -> Reduce:
    return next(outermost(body))


def _replaced(body: Expr, total: Reduce, by: Expr) -> Expr:
    return by if body is total else with_children(body, tuple(_replaced(c, total, by) for c in children(body)))
