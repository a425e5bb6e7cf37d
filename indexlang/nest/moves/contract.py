"""Contraction → tiles in vector registers: which indices become rows, columns, the run and the outer offsets."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Const, Expr, Index, Read, Select, reads, rewrite
from indexlang.ir.layout import layout
from indexlang.ir.show import show_equation
from indexlang.ir.size import Extent, Named
from indexlang.nest.collapse import collapsed_rows
from indexlang.nest.nodes import For, Nest, Node, Rounds, Store, TileLoop
from indexlang.passes.contraction import Contraction, contraction

_MAX_SEGMENTS = 1 << 20
_BLOCKS_WANTED = 32
_LONG_RUN = 8  # terms: longer runs are no better, but nearer ones are
_TILES_A_BLOCK = 8  # of rows
_CACHE_PERIOD, _CACHE_WAYS = (
    4096,
    8,
)  # bytes after which addresses fall on the same lines of the nearest cache; of how many
_WIDE, _WIDE_PANEL = 8, 2048  # blocks of columns, and columns that go through together, where rows are written whole
_MANY_ROWS = 256  # of a named extent: more are scheduled as many, fewer as few
_TALL = 4  # tiles of rows for which a packed copy of w is worth its making
_ROUND_TERMS, _ROUND_BYTES = 256, 1024  # of the sum in each round: terms of segments, bytes of a column
_PANEL, _PANEL_ROWS = 128, 300  # columns and rows that go through the rounds together: they share copies in a cache


@dataclass(frozen=True, slots=True)
class Target:
    """What the schedule needs to know of the machine.

    lanes        elements of a vector register, by bytes an element
    choose_tile  (rows, columns, dtype) → R, V of the register tile that loses least
    """

    lanes: Callable[[int], int]
    choose_tile: Callable[[int, int, str], tuple[int, int]]


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
    a, w, o = (flat_steps(read, program) for read in (c.a, c.w, out))
    merged = _merged([_Run(_int(b.extent), a.get(b.name, 0), w.get(b.name, 0)) for b in c.total.over])
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
    if not rest or _is_named(run) or run.extent <= _ROUND_TERMS:
        return run, rest
    piece = next((n for n in range(_ROUND_TERMS, _ROUND_TERMS // 8, -1) if run.extent % n == 0), run.extent)
    if piece == run.extent:
        return run, rest
    return _Run(piece, run.a, run.w), [*rest, _Run(run.extent // piece, run.a * piece, run.w * piece)]


def _is_named(*runs: _Run) -> bool:
    return any(isinstance(r.extent, Named) for r in runs)


def flat_steps(read: Read, program: Program) -> dict[str, int]:
    """How far each index moves an affine read in memory, in elements."""
    out: dict[str, int] = {}
    for s, stride in zip(read.subscripts, layout(program, read.tensor).strides, strict=True):
        form = affine(s)
        assert form is not None
        for v, k in form.terms:
            assert isinstance(v, str)
            out[v] = out.get(v, 0) + _int(k) * _int(stride)
    return out


class _Tiling:
    def __init__(
        self, e: Equation, c: Contraction, program: Program, target: Target, out: Read, run: _Run, segments: int,
        table: tuple[int, ...], a: dict[str, int], o: dict[str, int], w: dict[str, int],
    ) -> None:  # fmt: skip
        self.e, self.c, self.program, self.target, self.out = e, c, program, target, out
        self.run, self.segments, self.table, self.a, self.o, self.w = run, segments, table, a, o, w
        self.build = Builder(program.float_type)

    def nest(self) -> Nest:
        c, e = self.c, self.e
        row = c.row or Bound("row", 1)
        named_rows = isinstance(row.extent, Named)
        rows = 24 if named_rows else _int(row.extent)
        columns = 4096 if isinstance(c.column.extent, Named) else _int(c.column.extent)
        dtype = c.total.dtype
        tile_rows, vectors = self.target.choose_tile(self._apart(rows, row, dtype), columns, dtype.value)
        lanes = self.target.lanes(dtype.size)
        width = vectors * lanes
        way = self._way(max(rows, _int(row.extent)), tile_rows, columns // width)
        panel = width * max({"long": _PANEL // width, "wide": _WIDE_PANEL // width}.get(way, 1), 1)
        block = Bound(f"{c.column.name}_block", _blocks(c.column.extent, panel))
        around = prod(_int(b.extent) for b in c.batches) * _int(block.extent)
        if way == "long":
            size = _PANEL_ROWS // tile_rows * tile_rows if named_rows else _evenly(rows, tile_rows, _PANEL_ROWS)
        else:
            size = tile_rows * (_TALL if way == "wide" else _TILES_A_BLOCK)
        row_block, start, stop = (self._panels if way else self._row_blocks)(row, size, around)
        first: Expr = self.build.apply(ops.MUL, integer(panel), Index(block.name))
        last = self.build.apply(ops.MIN, self.build.apply(ops.ADD, first, integer(panel)), integer(c.column.extent))
        copied = size if self.a.get(row.name) == 1 and way == "long" else 0
        rounds = self._rounds(first, last, copied) if way else None
        at = Index(rounds.at) if rounds else first
        zero = {b.name for b in c.total.over}
        adds = e.accumulates or way == "long"
        loop = TileLoop(
            _at_zero(self.out, zero, c.column.name, at), _at_zero(c.a, zero, "", at), _at_zero(c.w, zero, c.column.name, at),
            row.name, start, stop, tile_rows, vectors, lanes, c.column.name,
            c.column.extent, (self.o.get(row.name, 0), self.a.get(row.name, 0)), self.run.extent, (self.run.a, self.run.w),
            "offsets", self.segments, named_rows, rounds, rows % tile_rows, "_add" if adds else "",
        )  # fmt: skip

        def each(value: Expr) -> Node:
            inner = For(c.column.name, first, last, (Store(e.target, e.left, value),))
            return For(row.name, start, stop, (inner,)) if c.row else inner

        clear = (each(Const(0.0, dtype)),) if adds and not e.accumulates else ()
        rest = rewrite(e.body, lambda n: self.out if n == c.total else n)
        finish = (each(rest),) if rest != self.out else ()
        before = tuple(b for b in c.batches if self.w.get(b.name, 0))
        after = tuple(b for b in c.batches if b not in before)
        iterations = (*before, block, *after, *((row_block,) if row_block else ()))
        return self._assembled(iterations, (*clear, loop, *finish), self._tables(rounds, width), tile_rows, vectors)

    def _apart(self, rows: int, row: Bound, dtype: DType) -> int:
        """No more rows in a tile than a cache holds side by side where all of them fall on the same lines of it."""
        same = self.run.a == 1 and self.a.get(row.name, 0) * dtype.size % _CACHE_PERIOD == 0
        return min(rows, _CACHE_WAYS) if same else rows

    def _way(self, rows: int, tile_rows: int, blocks: int) -> str:
        """`long`: a sum in rounds; `wide`: a short sum, and so much result that its rows are best written as a whole."""
        if rows < _TALL * tile_rows or (isinstance(self.c.row and self.c.row.extent, Named) and rows < _MANY_ROWS):
            return ""
        if self.segments > 1 and (isinstance(self.run.extent, Named) or self.run.extent > _ROUND_TERMS):
            return ""
        if self.segments * self.run.extent > 2 * _ROUND_TERMS:
            return "long"
        return "wide" if blocks >= _WIDE else ""

    def _rounds(self, first: Expr, last: Expr, rows: int) -> Rounds:
        terms = _ROUND_BYTES // self.c.total.dtype.size
        if self.segments * self.run.extent <= 2 * _ROUND_TERMS:  # all in one
            size = 2 * _ROUND_TERMS if self.segments == 1 else self.segments  # whatever the extent: one kernel for many
        else:
            size = terms if self.segments == 1 else max(terms // max(self.run.extent, 1), 1)
        return Rounds(size, rows, "places", f"{self.c.column.name}_at", first, last)

    def _tables(self, rounds: Rounds | None, width: int) -> dict[str, tuple[int, ...]]:
        if rounds is None:
            return {"offsets": self.table}
        if self.segments == 1:
            return {"offsets": (0 if rounds.rows else self.table[0], 0)}
        inside = [k % rounds.size * self.run.extent for k in range(self.segments)]
        a = [k * rounds.rows for k in inside] if rounds.rows else self.table[::2]
        pairs = zip(a, (k * width for k in inside), strict=True)
        return {"offsets": tuple(x for pair in pairs for x in pair), "places": self.table}

    def _row_blocks(self, row: Bound, size: int, around: int) -> tuple[Bound | None, Expr, Expr]:
        """Rows are shared out in blocks where the other indices do not keep all threads busy; the last block takes the rest."""
        rows, named = _int(row.extent), isinstance(row.extent, Named)
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
        if _int(row.extent) <= size and not isinstance(row.extent, Named):
            return None, integer(0), integer(row.extent)
        block = Bound(f"{row.name}_block", _blocks(row.extent, size))
        start = self.build.apply(ops.MUL, integer(size), Index(block.name))
        return (
            block,
            start,
            self.build.apply(ops.MIN, self.build.apply(ops.ADD, start, integer(size)), integer(row.extent)),
        )

    def _assembled(
        self,
        iterations: tuple[Bound, ...],
        body: tuple[Node, ...],
        tables: dict[str, tuple[int, ...]],
        tile_rows: int,
        vectors: int,
    ) -> Nest:
        e, c, program = self.e, self.c, self.program
        names = tuple(dict.fromkeys(r.tensor for r in reads(e.body)))
        tensors = (*names, e.target)
        strides = {n: layout(program, n).strides for n in tensors}
        dtypes = {n: program.tensor(n).dtype for n in tensors}
        total = prod(_int(b.extent) for b in (*e.indices, *c.total.over))
        work = max(total // max(prod(_int(b.extent) for b in iterations), 1) // 8, 1)
        schedule = f"tile {tile_rows}x{vectors}"
        return Nest(
            show_equation(e),
            iterations,
            body,
            names,
            e.target,
            strides,
            dtypes,
            work,
            tables,
            schedule=schedule,
        )


def _at_zero(read: Read, zero: set[str], column: str, first: Expr) -> Read:
    """A read with its summed indices at 0 and its column at the first of the tile."""

    def place(n: Expr) -> Expr:
        match n:
            case Index(name=name) if name in zero:
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


def _int(extent: Extent) -> int:
    assert isinstance(extent, int)
    return extent
