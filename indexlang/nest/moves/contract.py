"""Contraction → tiles in vector registers: which indices become rows, columns, the run and the outer offsets."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.build import Builder, integer
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Expr, Index, Read, Select, reads, rewrite
from indexlang.ir.layout import layout
from indexlang.ir.show import show_equation
from indexlang.ir.size import Extent, Named
from indexlang.nest.nodes import For, Nest, Node, Store, TileLoop
from indexlang.passes.contraction import Contraction

_MAX_SEGMENTS = 1 << 20
_BLOCKS_WANTED = 32


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
    out = Read(e.target, e.left, None, c.total.dtype)
    a, w, o = (flat_steps(read, program) for read in (c.a, c.w, out))
    merged = _merged([_Run(_int(b.extent), a.get(b.name, 0), w.get(b.name, 0)) for b in c.total.over])
    run = max(merged, key=lambda r: (r.a == 1, r.extent))
    rest = [r for r in merged if r is not run]
    segments = prod(r.extent for r in rest)
    if segments > _MAX_SEGMENTS or w.get(c.column.name) != 1:
        return None
    table = tuple(x for at in product(*(range(r.extent) for r in rest)) for x in _offsets(rest, at))
    return _Tiling(e, c, program, target, out, run, segments, table, a, o).nest()


def _offsets(rest: list[_Run], at: tuple[int, ...]) -> tuple[int, int]:
    return sum(r.a * k for r, k in zip(rest, at, strict=True)), sum(r.w * k for r, k in zip(rest, at, strict=True))


def _merged(runs: list[_Run]) -> list[_Run]:
    """Two summed indices are one where both operands step through them as through one."""
    out = [r for r in runs if r.extent != 1] or runs[:1]
    changed = True
    while changed:
        changed = False
        for p, q in product(out, out):
            if p is not q and p.a == q.a * q.extent and p.w == q.w * q.extent:
                out = [r for r in out if r is not p and r is not q] + [_Run(p.extent * q.extent, q.a, q.w)]
                changed = True
                break
    return out


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
        table: tuple[int, ...], a: dict[str, int], o: dict[str, int],
    ) -> None:  # fmt: skip
        self.e, self.c, self.program, self.target, self.out = e, c, program, target, out
        self.run, self.segments, self.table, self.a, self.o = run, segments, table, a, o
        self.build = Builder(program.float_type)

    def nest(self) -> Nest:
        c, e = self.c, self.e
        row = c.row or Bound("row", 1)
        named_rows = isinstance(row.extent, Named)
        rows = 24 if named_rows else _int(row.extent)
        columns = 4096 if isinstance(c.column.extent, Named) else _int(c.column.extent)
        dtype = c.total.dtype
        tile_rows, vectors = self.target.choose_tile(rows, columns, dtype.value)
        lanes = self.target.lanes(dtype.size)
        width = vectors * lanes
        block = Bound(f"{c.column.name}_block", _blocks(c.column.extent, width))
        around = prod(_int(b.extent) for b in c.batches) * _int(block.extent)
        row_block, start, stop = self._row_blocks(row, tile_rows, around, named_rows)
        first: Expr = self.build.apply(ops.MUL, integer(width), Index(block.name))
        last = self.build.apply(ops.MIN, self.build.apply(ops.ADD, first, integer(width)), integer(c.column.extent))
        zero = {b.name for b in c.total.over}
        loop = TileLoop(
            _at_zero(self.out, zero, c.column.name, first), _at_zero(c.a, zero, "", first), _at_zero(c.w, zero, c.column.name, first),
            row.name, start, stop, tile_rows, vectors, lanes, c.column.name,
            c.column.extent, (self.o.get(row.name, 0), self.a.get(row.name, 0)), self.run.extent, (self.run.a, self.run.w),
            "offsets", self.segments, named_rows,
        )  # fmt: skip
        body: tuple[Node, ...] = (loop,)
        rest = rewrite(e.body, lambda n: self.out if n == c.total else n)
        if rest != self.out:
            store = Store(e.target, e.left, rest)
            inner = For(c.column.name, first, last, (store,))
            body = (loop, For(row.name, start, stop, (inner,)) if c.row else inner)
        iterations = (block, *c.batches, *((row_block,) if row_block else ()))
        return self._assembled(iterations, body, tile_rows, vectors)

    def _row_blocks(self, row: Bound, tile_rows: int, around: int, named: bool) -> tuple[Bound | None, Expr, Expr]:
        """Rows are shared out in blocks where the other indices do not keep all threads busy; the last block takes the rest."""
        rows = _int(row.extent)
        size = tile_rows * 8
        if not named and (around >= _BLOCKS_WANTED or rows < 2 * size):
            return None, integer(0), integer(row.extent)
        count: Extent = max(row.extent // size, Named(1)) if named else max(rows // size, 1)  # type: ignore[operator]
        block = Bound(f"{row.name}_block", count)
        start = self.build.apply(ops.MUL, integer(size), Index(block.name))
        inside = self.build.apply(ops.LT, Index(block.name), integer(count - 1))
        stop = Select(inside, self.build.apply(ops.ADD, start, integer(size)), integer(row.extent), start.dtype)
        return block, start, stop

    def _assembled(self, iterations: tuple[Bound, ...], body: tuple[Node, ...], tile_rows: int, vectors: int) -> Nest:
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
            {"offsets": self.table},
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


def _int(extent: Extent) -> int:
    assert isinstance(extent, int)
    return extent
