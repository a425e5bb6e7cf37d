"""Contraction → tiles in vector registers: which indices become rows, columns, the run and the outer offsets."""

from dataclasses import dataclass
from itertools import product
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Apply, Bound, Expr, Index, Read, Select, reads, rewrite
from indexlang.ir.layout import layout
from indexlang.ir.show import show_equation
from indexlang.ir.size import Extent, Named
from indexlang.nest.collapse import collapsed_rows
from indexlang.nest.cost import Product, pieces
from indexlang.nest.moves.pack import FEW_TERMS, MANY_ROWS, PANEL_ROWS, ROUND_TERMS
from indexlang.nest.moves.target import Target, scaled
from indexlang.nest.nodes import Aisle, Nest, Rounds, Store, TileLoop
from indexlang.nest.steps import known, steps, steps_along
from indexlang.passes.contraction import Contraction, beside_panels, contraction

_MAX_SEGMENTS = 1 << 20
_BLOCKS_WANTED = 32
_LONG_RUN = 8  # terms: longer runs are no better, but nearer ones are
_TILES_A_BLOCK = 8  # of rows
# Addresses so many bytes apart fall on the same lines of the nearest cache, which holds so many of them side by side.
_CACHE_PERIOD, _CACHE_WAYS = 4096, 8
_WIDE, _WIDE_PANEL = 8, 2048  # blocks of columns, and columns that go through together, where rows are written whole
_TALL = 4  # tiles of rows for which a packed copy of w is worth its making
_ROUND_BYTES = 768  # of a column in each round
_FEW_ROWS = 24  # as which a named extent is scheduled
_MANY_COLUMNS = 4096  # of a named extent that is larger than a vector
_NEAR = 1 << 17  # elements of w that stay near without being copied, where there are only so many
_ROW_TERMS, _ROW_PANEL = 8, 2048  # of one row: so many places in memory are read side by side, in long pieces
_ROW_ROUNDS = 512  # at most: each is an addition more to every sum, see Note [Blocked sums] in kernels/tile_ir.py
_FEW_PANEL, _FEW_SHARES = 512, 8  # columns, of at least so many panels, where w is read once from afar
_PIECES = 12  # of work, where rows can be cut so that several threads are done at about the same time
_PANEL = 128  # columns that go through the rounds together: they share copies in a cache, as PANEL_ROWS do


@dataclass(frozen=True, slots=True)
class _Run:
    """A summed index (or several merged): its extent and its steps in a and w."""

    extent: int
    a: int
    w: int


def contract(e: Equation, c: Contraction, program: Program, target: Target) -> Nest | None:
    """The tiled nest of a contraction, or None where the tables would be too large."""
    fewer = collapsed_rows(e, program)
    e, c = (fewer, contraction(fewer, program) or c) if fewer is not e else (e, c)
    out = Read(e.target, e.left, None, c.total.dtype)
    a, w, o = steps(c.a, program), _steps_of_w(c, program), steps(out, program)
    assert a is not None  # all are affine, or it would be no contraction
    assert w is not None
    assert o is not None
    merged = _merged([_Run(known(b.extent), a.get(b.name, 0), w.get(b.name, 0)) for b in c.total.over])
    run = max(merged, key=lambda r: (r.a == 1, min(r.extent, _LONG_RUN), -abs(r.a) - abs(r.w)))
    rest = sorted((r for r in merged if r is not run), key=lambda r: -abs(r.a) - abs(r.w))
    run, rest = _cut(run, rest)
    segments = prod(r.extent for r in rest)
    if segments > _MAX_SEGMENTS or w.get(c.column.name) != 1:
        return None
    table = tuple(x for at in product(*(range(r.extent) for r in rest)) for x in _offsets(rest, at))
    return _Tiling(e, c, program, target, out, run, segments, table, a, o, w).nest()


def _offsets(rest: list[_Run], at: tuple[int, ...]) -> tuple[int, int]:
    return sum(r.a * k for r, k in zip(rest, at, strict=True)), sum(r.w * k for r, k in zip(rest, at, strict=True))


def _merged(runs: list[_Run]) -> list[_Run]:
    """Two summed indices are one where both operands step through them as through one."""
    out = [r for r in runs if r.extent != 1] or runs[:1]
    changed = True
    while changed:
        changed = False
        for p, q in product(out, out):
            if p is not q and not _is_named(p, q) and p.a == q.a * q.extent and p.w == q.w * q.extent:
                out = [r for r in out if r is not p and r is not q] + [_Run(p.extent * q.extent, q.a, q.w)]
                changed = True
                break
    return out


def _cut(run: _Run, rest: list[_Run]) -> tuple[_Run, list[_Run]]:
    """A run among segments that is too long for a round, in equal pieces where there are such."""
    if not rest or _is_named(run) or run.extent <= ROUND_TERMS:
        return run, rest
    piece = next((n for n in range(ROUND_TERMS, ROUND_TERMS // 8, -1) if run.extent % n == 0), run.extent)
    if piece == run.extent:
        return run, rest
    return _Run(piece, run.a, run.w), [*rest, _Run(run.extent // piece, run.a * piece, run.w * piece)]


def _is_named(*runs: _Run) -> bool:
    return any(isinstance(r.extent, Named) for r in runs)


def _steps_of_w(c: Contraction, program: Program) -> dict[str, int] | None:
    """How far each index moves w in memory; the steps of a column are those within a panel."""
    if not c.panel:
        return steps(c.w, program)
    own = beside_panels(c.w)
    axes = zip(c.w.subscripts, layout(program, c.w.tensor).strides, strict=True)
    found = steps_along((s, stride) for s, stride in axes if s in own)
    return None if found is None else {**found, c.column.name: 1}


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a contraction is tiled.

    rows, vectors  of the register tile; `rest` rows are behind the last one
    panel          columns that go through the rounds together, as `rows_a_block` rows do
    copied_rows    of a, in every round: 0 where a is read as it is
    """

    way: str
    rows: int
    vectors: int
    lanes: int
    panel: int
    rows_a_block: int
    copied_rows: int
    rest: int


class _Tiling:
    def __init__(
        self, e: Equation, c: Contraction, program: Program, target: Target, out: Read, run: _Run, segments: int,
        table: tuple[int, ...], a: dict[str, int], o: dict[str, int], w: dict[str, int],
    ) -> None:  # fmt: skip
        self.e, self.c, self.program, self.target, self.out = e, c, program, target, out
        self.run, self.segments, self.table, self.a, self.o, self.w = run, segments, table, a, o, w
        self.build = Builder(program.float_type)

    def nest(self) -> Nest:
        c, row = self.c, self.c.row or Bound("row", 1)
        shape = self._shape(row)
        block = Bound(f"{c.column.name}_block", _blocks(c.column.extent, shape.panel))
        before = tuple(b for b in c.batches if self.w.get(b.name, 0))
        after = tuple(b for b in c.batches if b not in before)
        around = prod(known(b.extent) for b in c.batches) * known(block.extent)
        row_block, start, stop = (self._panels if shape.way else self._row_blocks)(row, shape.rows_a_block, around)
        aisle = None
        if shape.way and c.panel and not (shape.copied_rows or row_block):
            aisle, aisles = self._aisle(after, known(row.extent), around)
            after = (*after[:-1], *aisles) if aisle else after
        first = self.build.apply(ops.MUL, integer(shape.panel), Index(block.name))
        last = self.build.apply(
            ops.MIN, self.build.apply(ops.ADD, first, integer(shape.panel)), integer(c.column.extent)
        )
        rounds = self._rounds(shape, first, last, aisle) if shape.way else None
        loop = self._loop(shape, row, (start, stop), Index(rounds.at) if rounds else first, rounds)
        iterations = (*before, block, *after, *((row_block,) if row_block else ()))
        return self._assembled(iterations, loop, self._tables(rounds), shape.way)

    def _shape(self, row: Bound) -> _Shape:
        """The register tile, and how much goes through the rounds together."""
        c, named = self.c, isinstance(row.extent, Named)
        rows = (MANY_ROWS if c.panel else _FEW_ROWS) if named else known(row.extent)
        dtype, lanes = c.total.dtype, self.target.lanes(c.total.dtype.size)
        columns = known(c.column.extent)
        if isinstance(c.column.extent, Named):
            columns = lanes if columns <= lanes else _MANY_COLUMNS
        r, v = self.target.tile(rows, columns, dtype, c.panel // lanes)
        if r > (apart := self._apart(r, row, dtype)):
            r, v = self.target.tile(apart, columns, dtype, c.panel // lanes)
        way = self._way(max(rows, known(row.extent)), r, columns, v * lanes)
        is_short = self._terms() <= FEW_TERMS
        if way == "wide" and is_short:  # memory is the limit: long pieces of few rows
            r, v = self.target.tile(min(rows, _TALL), columns, dtype, c.panel // lanes)
        match way:
            case "":
                size = r * _TILES_A_BLOCK
            case "wide":
                size = r * (1 if is_short else _TALL)
            case _:
                size = PANEL_ROWS // r * r if named else _evenly(rows, r, PANEL_ROWS)
        panel = v * lanes * max(self._panel(way, columns) // (v * lanes), 1)
        copied = size if self.a.get(row.name) == 1 and way == "long" else 0
        if way in ("long", "short") and not (c.panel or named or copied or isinstance(c.column.extent, Named)):
            size, panel = pieces(self._product(rows, columns, (r, v * lanes), lanes))
        elif way and not named and not copied:
            size, panel = self._pieces(way, (rows, columns), (r, v * lanes), (size, panel))
        return _Shape(way, r, v, lanes, panel, size, copied, 0 if named else rows % r)

    def _product(self, rows: int, columns: int, tile: tuple[int, int], lanes: int) -> Product:
        terms, size, batches = self._terms(), self.c.total.dtype.size, prod(known(b.extent) for b in self.c.batches)
        at_once = terms if terms <= 2 * ROUND_TERMS else self._usual_round()
        return Product(rows, columns, terms, batches, at_once, tile, lanes, size, self.target.cores, self.target.near)

    def _usual_round(self) -> int:
        return scaled(_ROUND_BYTES, self.target.knobs.rounds) // self.c.total.dtype.size

    def _pieces(
        self, way: str, extents: tuple[int, int], tile: tuple[int, int], sizes: tuple[int, int]
    ) -> tuple[int, int]:
        """The rows and columns of a piece of work, fewer where there would be few pieces: columns first, for w is read once then.

        extents, tile, sizes   rows and columns: of the result, of the tile, of a piece
        """
        (rows, columns), (tile_rows, width), (size, panel) = extents, tile, sizes
        batches = prod(known(b.extent) for b in self.c.batches)
        if way == "wide":
            beside = -(-_PIECES // max(batches * -(-rows // size), 1))
            panel = min(panel, max(columns // beside // width, 1) * width)
        around = batches * -(-columns // panel)
        return min(size, max(rows * around // _PIECES // tile_rows, 1) * tile_rows), panel

    def _loop(self, shape: _Shape, row: Bound, rows: tuple[Expr, Expr], at: Expr, rounds: Rounds | None) -> TileLoop:
        c, e = self.c, self.e
        zero = {b.name for b in c.total.over}
        rest = rewrite(e.body, lambda n: self.out if n == c.total else n)
        return TileLoop(
            _at_zero(self.out, zero, c.column.name, at), _at_zero(c.a, zero, "", at), _at_zero(c.w, zero, c.column.name, at),
            row.name, *rows, shape.rows, shape.vectors, shape.lanes, c.column.name,
            c.column.extent, at, (self.o.get(row.name, 0), self.a.get(row.name, 0)), self.run.extent, (self.run.a, self.run.w),
            "offsets", self.segments, isinstance(row.extent, Named), rounds, shape.rest, c.panel > 0, e.accumulates,
            Store(e.target, e.left, rest) if rest != self.out else None,
        )  # fmt: skip

    def _aisle(self, after: tuple[Bound, ...], rows: int, around: int) -> tuple[Aisle | None, tuple[Bound, ...]]:
        """Several values of the last index around the rows go through together, where there are few rows; and its blocks."""
        if not after or isinstance(after[-1].extent, Named) or known(after[-1].extent) < 2:
            return None, ()
        b, extent = after[-1], known(after[-1].extent)
        concrete = around // max(prod(known(k.extent) for k in self.c.batches if isinstance(k.extent, Named)), 1)
        size = min(max(PANEL_ROWS // max(rows, 1), 1), extent)
        while size > 1 and concrete // extent * -(-extent // size) < _BLOCKS_WANTED:
            size = -(-size // 2)
        size = -(-extent // -(-extent // size))
        block = Bound(f"{b.name}_block", -(-extent // size))
        start, stop = self._piece(block, size, extent)
        return Aisle(b.name, start, stop), (block,)

    def _apart(self, rows: int, row: Bound, dtype: DType) -> int:
        """No more rows in a tile than a cache holds side by side where all of them fall on the same lines of it."""
        same = self.run.a == 1 and self.a.get(row.name, 0) * dtype.size % _CACHE_PERIOD == 0
        return min(rows, _CACHE_WAYS) if same else rows

    def _terms(self) -> int:
        return self.segments * self.run.extent

    def _way(self, rows: int, tile_rows: int, columns: int, width: int) -> str:
        """`long`: a sum in rounds; `wide`: a short sum, and so much result that its rows are best written as a whole;
        `short`: any other sum over panels that are there already; `few`: a long sum for too few rows to copy w for;
        `row`: a long sum for a single row, which reads all of w once: memory is the limit."""
        blocks = columns // width
        if self.c.panel:
            return "long" if self._is_long() else "wide" if blocks >= _WIDE else "short"
        if tile_rows == rows == 1 and blocks > 1 and self._terms() > ROUND_TERMS and not _is_named(self.run):
            return "row"
        is_cut = self.segments > 1 and (_is_named(self.run) or self.run.extent > ROUND_TERMS)
        if tile_rows > 1 and rows < _TALL * tile_rows and blocks >= _TALL and not is_cut and self._is_long():
            return "few"
        if rows < _TALL * tile_rows or (isinstance(self.c.row and self.c.row.extent, Named) and rows < MANY_ROWS):
            return ""
        row = self.c.row.name if self.c.row else ""
        is_near = columns <= width and self._terms() * width <= _NEAR and self.a.get(row) != 1
        if is_cut or is_near:
            return ""
        if self._terms() > 2 * ROUND_TERMS:
            return "long"
        if self._terms() <= FEW_TERMS or self.segments > 1:
            return "wide" if blocks >= _WIDE else ""
        return "short"

    def _panel(self, way: str, columns: int) -> int:
        """How many columns go through the rounds together."""
        match way:
            case "long" | "short":
                return _PANEL
            case "wide":
                return _WIDE_PANEL if self.c.panel else min(_WIDE_PANEL, _NEAR // 2 // max(self._terms(), 1))
            case "row":
                return min(_ROW_PANEL, columns // self.target.cores)
            case "few":  # long pieces of the rows of w, but work for several threads
                return min(_FEW_PANEL, columns // _FEW_SHARES)
            case _:
                return 0

    def _is_long(self) -> bool:
        return _is_named(self.run) or self._terms() > 2 * ROUND_TERMS

    def _rounds(self, shape: _Shape, first: Expr, last: Expr, aisle: Aisle | None) -> Rounds:
        is_row = shape.way == "row"
        terms = max(_ROW_TERMS, -(-self._terms() // _ROW_ROUNDS)) if is_row else self._usual_round()
        copied = 0 if self.c.panel or is_row else shape.vectors * shape.lanes
        named, one = _is_named(self.run), self.segments == 1
        if not is_row and self._terms() <= 2 * ROUND_TERMS and not (named and not copied):  # all in one
            size = (
                1 << max(self.run.extent - 1, 0).bit_length() if one else self.segments
            )  # one kernel for many extents
        else:
            size = terms if one else 1 if named else max(terms // max(self.run.extent, 1), 1)
        at = f"{self.c.column.name}_at"
        return Rounds(max(size, 1), shape.copied_rows, copied, shape.panel, "places", at, first, last, aisle)

    def _tables(self, rounds: Rounds | None) -> dict[str, tuple[int, ...]]:
        if rounds is None:
            return {"offsets": self.table}
        if self.segments == 1:
            return {"offsets": (0 if rounds.rows else self.table[0], 0)}
        inside = [k % rounds.size * self.run.extent for k in range(self.segments)]
        a = [k * rounds.rows for k in inside] if rounds.rows else self.table[::2]
        w = [k * rounds.width for k in inside] if rounds.width else self.table[1::2]
        return {"offsets": tuple(x for pair in zip(a, w, strict=True) for x in pair), "places": self.table}

    def _row_blocks(self, row: Bound, size: int, around: int) -> tuple[Bound | None, Expr, Expr]:
        """Rows are shared out in blocks where the other indices do not keep all threads busy; the last block takes the rest."""
        rows, named = known(row.extent), isinstance(row.extent, Named)
        if not named and (around >= _BLOCKS_WANTED or rows < 2 * size):
            return None, integer(0), integer(row.extent)
        count: Extent = max(row.extent // size, Named(1)) if named else max(rows // size, 1)  # type: ignore[operator]
        block = Bound(f"{row.name}_block", count)
        start = self.build.apply(ops.MUL, integer(size), Index(block.name))
        inside = self.build.apply(ops.LT, Index(block.name), integer(count - 1))
        stop = Select(inside, self.build.apply(ops.ADD, start, integer(size)), integer(row.extent), start.dtype)
        return block, start, stop

    def _panels(self, row: Bound, size: int, around: int) -> tuple[Bound | None, Expr, Expr]:
        """Blocks of at most `size` rows."""
        if known(row.extent) <= size and not isinstance(row.extent, Named):
            return None, integer(0), integer(row.extent)
        block = Bound(f"{row.name}_block", _blocks(row.extent, size))
        return block, *self._piece(block, size, row.extent)

    def _piece(self, block: Bound, size: int, extent: Extent) -> tuple[Expr, Expr]:
        """The first index of a block and the one behind its last. The size is an argument: kernels serve all sizes."""
        start = self.build.apply(ops.MUL, integer(Named(size)), Index(block.name))
        return start, self.build.apply(ops.MIN, self.build.apply(ops.ADD, start, integer(Named(size))), integer(extent))

    def _assembled(
        self, iterations: tuple[Bound, ...], loop: TileLoop, tables: dict[str, tuple[int, ...]], way: str
    ) -> Nest:
        e, c, program = self.e, self.c, self.program
        names = tuple(dict.fromkeys(r.tensor for r in reads(e.body)))
        tensors = (*names, e.target)
        strides = {n: layout(program, n).strides for n in tensors}
        dtypes = {n: program.tensor(n).dtype for n in tensors}
        total = prod(known(b.extent) for b in (*e.indices, *c.total.over))
        work = max(total // max(prod(known(b.extent) for b in iterations), 1) // 8, 1)
        schedule = " ".join(filter(None, (f"tile {loop.rows}x{loop.vectors}", way, "panels" if c.panel else "")))
        return Nest(
            show_equation(e), iterations, (loop,), names, e.target, strides, dtypes, work, tables, schedule=schedule
        )


def _at_zero(read: Read, zero: set[str], column: str, first: Expr) -> Read:
    """A read with its summed indices at 0 and its column at the first of the tile."""

    def place(n: Expr) -> Expr:
        match n:
            case Index(name=name) if name in zero:
                return integer(0)
            case Apply(op=ops.MOD):  # a tile begins where a panel begins
                return integer(0)
            case Index(name=name) if name == column:
                return first
            case _:
                return n

    subscripts = tuple(rewrite(s, place) for s in read.subscripts)
    return Read(read.tensor, subscripts, None, read.dtype, read.span)


def _blocks(extent: Extent, width: int) -> Extent:
    return (extent + (width - 1)) // width


def _evenly(rows: int, tile: int, most: int) -> int:
    """The rows of each block, whole tiles, so that no block is much smaller than the others."""
    blocks = max(-(-rows // most), 1)
    return -(-rows // (blocks * tile)) * tile
