"""LLVM code that turns a block of a matrix: squares of one vector a side in registers, what is left element by element.

    for r < rows, c < columns:  to[c*to_step + r] = from[r*from_step + c]

cost    a load, a store and log2(lanes) shuffles for each vector of elements
source  the exchange of halves, quarters, … of Eklundh, IEEE Trans. Comput. C-21(7), 1972
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from llvmlite import ir

from indexlang.kernels.machine import machine
from indexlang.kernels.tile_ir import ELEMENTS, I32, I64, POINTER

TURNS = {f"turn_block_{kind}": kind for kind in ELEMENTS}
ARGUMENTS = (POINTER, I64, POINTER, I64, I64, I64)


@cache
def turn_ir(name: str) -> str:
    """LLVM text of `void turn_block_f32(ptr to, int64 to_step, ptr from, int64 from_step, int64 rows, int64 columns)`."""
    module = ir.Module(name)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), ARGUMENTS), name)
    _Turn(function, TURNS[name]).emit()
    return str(module)


class _Turn:
    def __init__(self, function: Any, kind: str) -> None:
        self.b = ir.IRBuilder(function.append_basic_block())
        self.element, self.size = ELEMENTS[kind]
        self.lanes = machine().lanes(self.size)
        self.to, self.to_step, self.source, self.from_step, self.rows, self.columns = function.args

    def emit(self) -> None:
        b, side = self.b, I64(self.lanes)
        whole_rows, whole_columns = (b.and_(n, I64(-self.lanes)) for n in (self.rows, self.columns))
        with self._loop(I64(0), whole_rows, side) as r, self._loop(I64(0), whole_columns, side) as c:
            self._square(r, c)
        with self._loop(I64(0), self.rows, I64(1)) as r:
            done = b.select(b.icmp_signed("<", r, whole_rows), whole_columns, I64(0))
            with self._loop(done, self.columns, I64(1)) as c:
                b.store(b.load(self._from(r, c), typ=self.element), self._to(r, c))
        b.ret_void()

    def _square(self, r: Any, c: Any) -> None:
        b, kind = self.b, ir.VectorType(self.element, self.lanes)
        lines = range(self.lanes)
        found: list[Any] = [b.load(self._from(b.add(r, I64(k)), c), align=self.size, typ=kind) for k in lines]
        half = 1
        while half < self.lanes:
            low, high = ([(k & ~half) + at + (self.lanes if k & half else 0) for k in lines] for at in (0, half))
            for k in (k for k in lines if not k & half):
                pair = found[k], found[k + half]
                found[k], found[k + half] = (b.shuffle_vector(*pair, self._order(order)) for order in (low, high))
            half *= 2
        for k in lines:
            b.store(found[k], self._to(r, b.add(c, I64(k))), align=self.size)

    def _order(self, order: list[int]) -> Any:
        return ir.Constant(ir.VectorType(I32, self.lanes), order)

    def _from(self, r: Any, c: Any) -> Any:
        return self._at(self.source, self.b.add(self.b.mul(r, self.from_step), c))

    def _to(self, r: Any, c: Any) -> Any:
        return self._at(self.to, self.b.add(self.b.mul(c, self.to_step), r))

    def _at(self, pointer: Any, place: Any) -> Any:
        return self.b.gep(pointer, [place], source_etype=self.element)

    @contextmanager
    def _loop(self, start: Any, stop: Any, step: Any) -> Iterator[Any]:
        b, before = self.b, self.b.block
        head, inside, done = (b.append_basic_block() for _ in range(3))
        b.branch(head)
        b.position_at_end(head)
        at = b.phi(I64)
        at.add_incoming(start, before)
        b.cbranch(b.icmp_signed("<", at, stop), inside, done)
        b.position_at_end(inside)
        yield at
        at.add_incoming(b.add(at, step), b.block)
        b.branch(head)
        b.position_at_end(done)
