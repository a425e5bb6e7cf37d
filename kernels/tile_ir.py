"""LLVM code of the register-tiled contraction kernel. What it computes is told in `contract`.

The code is written with stack variables for everything that changes; LLVM turns them into registers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir

from indexlang.kernels.machine import machine

Value = Any  # of llvmlite.ir, whose classes carry too little type information to check
I1, I8, I32, I64, POINTER = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.PointerType()
ELEMENTS = {"f32": (ir.FloatType(), 4), "f64": (ir.DoubleType(), 8)}
ARGUMENTS = (
    "out",
    "out_row",
    "a",
    "a_row",
    "a_step",
    "w",
    "w_step",
    "offsets",
    "segments",
    "run",
    "columns",
    "adds",
    "ahead",
)
POINTERS = ("out", "a", "w", "offsets")
SETTLED = ("out_row", "a_row", "a_step", "w_step", "adds", "ahead")  # arguments that a tile may have been made for
# The accumulators move to a second-level sum after so many terms, or up to twice as many: see Note [Blocked sums].
BLOCK = 512
# Terms of the reduction in one turn of the innermost loop.
_UNROLL = 1
# Rows reached from one base pointer: at 0, 1 and 2 row strides, which addressing modes give for nothing.
_ROWS_A_BASE = 3
# With few rows there is little to do for each weight, and memory is the limit: weights are fetched ahead.
_FEW_ROWS = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """A register tile: `rows` x `vectors` vectors of `dtype` (f32 or f64).

    settled  arguments (of SETTLED) with the one value that every call gives: they become part of the addresses
    """

    rows: int
    vectors: int
    dtype: str
    settled: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """The symbol of its function: `tile_14x2_f32`, `tile_14x2_f32_a_step_1`."""
        settled = "".join(f"_{name}_{value}" for name, value in self.settled)
        return f"tile_{self.rows}x{self.vectors}_{self.dtype}{settled}"

    @property
    def lanes(self) -> int:
        """Elements of one vector of this machine."""
        return machine().lanes(ELEMENTS[self.dtype][1])


@cache
def tile_ir(tile: Tile) -> str:
    """LLVM text of a module that defines the function `tile.name` for this machine's vectors."""
    module = ir.Module(tile.name)
    kinds = [POINTER if name in POINTERS else I64 for name in ARGUMENTS]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), tile.name)
    for argument, name in zip(function.args, ARGUMENTS, strict=True):
        argument.name = name
    b = ir.IRBuilder(function.append_basic_block("entry"))
    full = b.icmp_signed(">=", function.args[ARGUMENTS.index("columns")], _int(tile.vectors * tile.lanes))
    with b.if_else(full, likely=True) as (whole, ragged):
        with whole:
            _Body(tile, b, masked=False).emit()
        with ragged:
            _Body(tile, b, masked=True).emit()
    b.ret_void()
    return str(module)


class _Body:
    """Emits the code of one tile; `masked` code reads and writes only the first `columns` columns."""

    def __init__(self, tile: Tile, builder: Any, *, masked: bool) -> None:
        self.tile, self.b = tile, builder
        self.arg = dict(zip(ARGUMENTS, builder.function.args, strict=True))
        self.arg |= {name: _int(value) for name, value in tile.settled}
        self.element, self.itemsize = ELEMENTS[tile.dtype]
        self.vector = ir.VectorType(self.element, tile.lanes)
        self.masks = [self._mask(v) for v in range(tile.vectors)] if masked else []
        self.sums = [[self._variable(self.vector) for _ in range(tile.vectors)] for _ in range(tile.rows)]
        self.totals = [[self._variable(self.vector) for _ in range(tile.vectors)] for _ in range(tile.rows)]
        self.bases = [self._variable(POINTER) for _ in range(0, tile.rows, _ROWS_A_BASE)]
        self.w, self.left, self.terms, self.flushed = (self._variable(kind) for kind in (POINTER, I64, I64, I1))

    def emit(self) -> None:
        """for each segment, for each piece of at most BLOCK terms: multiply and add, and flush when it is time."""
        b, arg = self.b, self.arg
        self._clear_sums()
        b.store(_int(0), self.terms)
        b.store(I1(0), self.flushed)
        with self._loop(arg["segments"]) as segment:
            self._start_segment(segment)
            with self._while_left():
                self._piece()
        self._store_all()

    def _start_segment(self, segment: Value) -> None:
        b, arg = self.b, self.arg
        pair = self._at(arg["offsets"], segment, 16)
        self._move(arg["a"], b.load(pair, typ=I64))
        at_w = b.load(self._at(pair, _int(1), 8), typ=I64)
        b.store(self._at(arg["w"], at_w, self.itemsize), self.w)
        b.store(arg["run"], self.left)

    def _move(self, a: Value, offset: Value) -> None:
        """Point the bases at element `offset` of `a` and at the rows further on."""
        first = self._at(a, offset, self.itemsize)
        for k, base in enumerate(self.bases):
            self.b.store(self._at(first, self.b.mul(self.arg["a_row"], _int(k * _ROWS_A_BASE)), self.itemsize), base)

    def _piece(self) -> None:
        b = self.b
        left = b.load(self.left, typ=I64)
        size = b.select(b.icmp_signed("<", left, _int(BLOCK)), left, _int(BLOCK))
        with self._loop(size):
            self._term()
        b.store(b.sub(left, size), self.left)
        terms = b.add(b.load(self.terms, typ=I64), size)
        b.store(terms, self.terms)
        with b.if_then(b.icmp_signed(">=", terms, _int(BLOCK))):
            self._flush()

    def _term(self) -> None:
        """sums[r][v] += a[row r] * w[vector v] for one value of the reduction indices; step the pointers on."""
        b, arg = self.b, self.arg
        w = b.load(self.w, typ=POINTER)
        bases = [b.load(base, typ=POINTER) for base in self.bases]
        weights = [
            self._load(self._at(w, _int(v * self.tile.lanes), self.itemsize), v) for v in range(self.tile.vectors)
        ]
        if self.tile.rows <= _FEW_ROWS:
            self._prefetch(self._at(w, arg["ahead"], self.itemsize))
        for r, row in enumerate(self.sums):
            along = b.mul(arg["a_row"], _int(r % _ROWS_A_BASE))
            spread = self._spread(b.load(self._at(bases[r // _ROWS_A_BASE], along, self.itemsize), typ=self.element))
            for v, sum_ in enumerate(row):
                b.store(self._fma(spread, weights[v], b.load(sum_, typ=self.vector)), sum_)
        b.store(self._at(w, arg["w_step"], self.itemsize), self.w)
        for base, pointer in zip(self.bases, bases, strict=True):
            b.store(self._at(pointer, arg["a_step"], self.itemsize), base)

    def _prefetch(self, w: Value) -> None:
        kind = ir.FunctionType(ir.VoidType(), [POINTER, I32, I32, I32])
        read, near, data = I32(0), I32(3), I32(1)
        for v in range(self.tile.vectors):
            place = self._at(w, _int(v * self.tile.lanes), self.itemsize)
            self.b.call(self._function("llvm.prefetch.p0", kind), [place, read, near, data])

    def _flush(self) -> None:
        """totals += sums; sums = 0. The first flush stores."""
        b = self.b
        with b.if_else(b.load(self.flushed, typ=I1)) as (again, first):
            with again:
                self._each(lambda sum_, total: b.store(self._plus(sum_, total), total))
            with first:
                self._each(lambda sum_, total: b.store(b.load(sum_, typ=self.vector), total))
        b.store(I1(1), self.flushed)
        b.store(_int(0), self.terms)
        self._clear_sums()

    def _store_all(self) -> None:
        """Write the tile: the sums, the totals when there are any, and with `adds` what stands there."""
        b = self.b
        with b.if_then(b.load(self.flushed, typ=I1)):
            self._each(lambda sum_, total: b.store(self._plus(sum_, total), sum_))
        with b.if_then(b.icmp_signed("!=", self.arg["adds"], _int(0))):
            for sum_, place, v in self._places():
                b.store(b.fadd(self._load(place, v), b.load(sum_, typ=self.vector)), sum_)
        for sum_, place, v in self._places():
            self._save(b.load(sum_, typ=self.vector), place, v)

    def _places(self) -> Iterator[tuple[Value, Value, int]]:
        """Every vector of sums, its address in `out`, and the number of its columns' mask."""
        for r, row in enumerate(self.sums):
            start = self._at(self.arg["out"], self.b.mul(self.arg["out_row"], _int(r)), self.itemsize)
            for v, sum_ in enumerate(row):
                yield sum_, self._at(start, _int(v * self.tile.lanes), self.itemsize), v

    def _each(self, act) -> None:
        for sums, totals in zip(self.sums, self.totals, strict=True):
            for sum_, total in zip(sums, totals, strict=True):
                act(sum_, total)

    def _plus(self, left: Value, right: Value) -> Value:
        return self.b.fadd(self.b.load(left, typ=self.vector), self.b.load(right, typ=self.vector))

    def _clear_sums(self) -> None:
        self._each(lambda sum_, _: self.b.store(ir.Constant(self.vector, None), sum_))

    def _load(self, pointer: Value, v: int) -> Value:
        if not self.masks:
            return self.b.load(pointer, align=self.itemsize, typ=self.vector)
        kind = ir.FunctionType(self.vector, [POINTER, I32, self.masks[v].type, self.vector])
        nothing = ir.Constant(self.vector, None)
        return self.b.call(
            self._intrinsic("masked.load", ".p0", kind), [pointer, I32(self.itemsize), self.masks[v], nothing]
        )

    def _save(self, value: Value, pointer: Value, v: int) -> None:
        if not self.masks:
            self.b.store(value, pointer, align=self.itemsize)
            return
        kind = ir.FunctionType(ir.VoidType(), [self.vector, POINTER, I32, self.masks[v].type])
        self.b.call(self._intrinsic("masked.store", ".p0", kind), [value, pointer, I32(self.itemsize), self.masks[v]])

    def _fma(self, x: Value, y: Value, z: Value) -> Value:
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        return self.b.call(self._intrinsic("fma", "", kind), [x, y, z])

    def _intrinsic(self, action: str, ending: str, kind: ir.FunctionType) -> ir.Function:
        return self._function(f"llvm.{action}.v{self.tile.lanes}{self.tile.dtype}{ending}", kind)

    def _function(self, name: str, kind: ir.FunctionType) -> ir.Function:
        module = self.b.module
        return module.globals.get(name) or ir.Function(module, kind, name)

    def _mask(self, v: int) -> Value:
        """Which lanes of vector `v` are columns of the result."""
        lanes = self.tile.lanes
        numbers = ir.Constant(ir.VectorType(I64, lanes), [v * lanes + lane for lane in range(lanes)])
        return self.b.icmp_signed("<", numbers, self._spread(self.arg["columns"]))

    def _spread(self, value: Value) -> Value:
        """A vector of which every lane is `value`."""
        kind = ir.VectorType(value.type, self.tile.lanes)
        single = self.b.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
        return self.b.shuffle_vector(single, single, ir.Constant(ir.VectorType(I32, self.tile.lanes), None))

    def _at(self, pointer: Value, index: Value, size: int) -> Value:
        """The address `index` elements of `size` bytes behind `pointer`."""
        return self.b.gep(pointer, [self.b.mul(index, _int(size))], source_etype=I8)

    def _variable(self, kind: ir.Type) -> Value:
        with self.b.goto_entry_block():
            variable: Any = self.b.alloca(kind)
        if isinstance(kind, ir.VectorType):
            variable.align = machine().vector_bytes
        return variable

    @contextmanager
    def _loop(self, count: Value) -> Iterator[Value]:
        """for i in range(count)"""
        b = self.b
        counter = self._variable(I64)
        b.store(_int(0), counter)
        head, body, end = (b.append_basic_block() for _ in range(3))
        b.branch(head)
        b.position_at_end(head)
        i = b.load(counter, typ=I64)
        b.cbranch(b.icmp_signed("<", i, count), body, end)
        b.position_at_end(body)
        yield i
        b.store(b.add(i, _int(1)), counter)
        b.branch(head)
        b.position_at_end(end)

    @contextmanager
    def _while_left(self) -> Iterator[None]:
        """While terms of this segment are left."""
        b = self.b
        head, body, end = (b.append_basic_block() for _ in range(3))
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(b.icmp_signed(">", b.load(self.left, typ=I64), _int(0)), body, end)
        b.position_at_end(body)
        yield
        b.branch(head)
        b.position_at_end(end)


def _int(value: int) -> ir.Constant:
    return ir.Constant(I64, value)


# Note [Blocked sums]
# A sum of n terms in f32, one after the other, may lose n units in the last place. Here the accumulators are added to
# a second-level sum whenever they hold BLOCK terms or more, so at most about 2 * BLOCK + n / BLOCK units are lost:
# for the 9216 terms of a fully connected layer 1042 in place of 9216, at a cost of a few parts in a hundred.
