"""The schedule `transposed`: blocks, where elements are read along another left index than the last.

Y[j,i] = A[i,j]

    for j_block, i_block:
        block[64*j + i] = A[i,j] for i, j in the block      read in order, turned in registers
        for j, i in the block:  Y[j,i] = block[64*j + i]    written in order

The copy lies in a near cache, where rows of a large tensor would push each other out: those a power of two apart share few
lines of it. Blocks of a result that caches do not hold have longer rows, which are written past the caches (`moves/stream`).
"""

from collections.abc import Iterator
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, reads, walk, with_indices
from indexlang.nest.body import Body
from indexlang.nest.kept import always
from indexlang.nest.nodes import For, Nest, Node, Row, Store, Stream, Turn, local
from indexlang.nest.steps import FAR, known, points, step_cost, steps

_BLOCK = 64  # elements along the side of a block: each page is read for several lines
_LONG = 256  # elements along a row of what is written past the caches, whose ends are no whole lines
_MOST_COPIES = 2  # of blocks, in the nearest cache


def transposed(original: Equation, e: Equation, body: Body) -> Nest | None:
    """The nest of an equation; None where it reads along its last index, or reduces."""
    if len(e.indices) < 2 or any(isinstance(n, Reduce) for n in walk(e.body)):
        return None
    last = e.indices[-1]
    costs = {b.name: sum(step_cost(r, b.name, body.program) for r in reads(e.body)) for b in e.indices}
    far = [r for r in reads(e.body) if step_cost(r, last.name, body.program) == FAR]
    near = [b for b in e.indices[:-1] if any(step_cost(r, b.name, body.program) == 1 for r in far)]
    if not near or costs[near[-1].name] >= costs[last.name] + FAR:
        return None
    dtype = body.program.tensor(e.target).dtype
    large = points(e.indices) * dtype.size >= body.large and dtype.is_float and known(last.extent) >= _LONG
    return _Blocks(e, near[-1], last, body, streamed=large).nest(original)


class _Blocks:
    def __init__(self, e: Equation, across: Bound, last: Bound, body: Body, *, streamed: bool) -> None:
        self.e, self.across, self.last, self.make, self.streamed = e, across, last, body, streamed
        self.side = {across: _BLOCK, last: _LONG if streamed else _BLOCK}
        self.blocks = {b: Bound(f"{b.name}_block", (b.extent + (n - 1)) // n) for b, n in self.side.items()}

    def nest(self, original: Equation) -> Nest:
        e, blocks = self.e, self.blocks
        copies: dict[Expr, Expr] = {}
        nodes = (*self._copies(copies), *self._stores(copies))
        outer = tuple(b for b in e.indices if b not in blocks)
        sides = tuple(Bound(b.name, n) for b, n in self.side.items())
        blocked = Equation(e.target, (*outer, *sides), e.left, False, e.body)
        found = self.make.nest(original, blocked, (*outer, *blocks.values()), nodes, "transposed")
        name = "transposed past the caches" if self.streamed else "transposed"
        return replace(found, span=None, streamed=self.streamed, schedule=name)

    def _stores(self, copies: dict[Expr, Expr]) -> Iterator[Node]:
        """The rows of the result, each written at once or by way of a local row."""
        value, last = self.make.filled(self.e.body, copies), self.last
        if not self.streamed:
            yield self._loop(self.across, self._loop(last, Store(self.e.target, self.e.left, value)))
            return
        dtype = self.make.program.tensor(self.e.target).dtype
        row, place = local("line", dtype), self._away(last)
        yield Row("line", dtype, self.side[last])
        first = tuple(with_indices(s, {last.name: self._start(last)}) for s in self.e.left)
        count = self.make.build.apply(ops.SUB, self._stop(last), self._start(last))
        line = self._loop(last, Store(row.tensor, (place,), value))
        yield self._loop(self.across, line, Stream(self.e.target, first, "line", count))

    def _copies(self, copies: dict[Expr, Expr]) -> Iterator[Node]:
        """The blocks that are read across, and where they lie then."""
        found = dict.fromkeys(r for r in _always_read(self.e.body) if self._is_across(r))
        for k, r in enumerate(list(found)[:_MOST_COPIES]):
            row = local(f"block{k + 1}", r.dtype)
            yield Row(f"block{k + 1}", r.dtype, self.side[self.across] * self.side[self.last])
            yield self._turned(f"block{k + 1}", r)
            copies[r] = Read(row.tensor, (self._place(),), None, r.dtype)

    def _turned(self, row: str, r: Read) -> Turn:
        ends = (self.last, self.across)
        start = {b.name: self._start(b) for b in ends}
        origin = replace(r, subscripts=tuple(with_indices(s, start) for s in r.subscripts))
        apart = (steps(r, self.make.program) or {}).get(self.last.name, 0)
        rows, columns = (self.make.build.apply(ops.SUB, self._stop(b), self._start(b)) for b in ends)
        return Turn(row, self.side[self.last], origin, apart, (rows, columns))

    def _is_across(self, r: Read) -> bool:
        program = self.make.program
        costs = [step_cost(r, b.name, program) for b in (self.across, self.last)]
        is_plain = r.border is None and r.dtype.is_float and program.tensor(r.tensor).dtype is r.dtype
        return costs == [1, FAR] and is_plain and steps(r, program) is not None

    def _place(self) -> Expr:
        apply, side = self.make.build.apply, integer(self.side[self.last])
        return apply(ops.ADD, apply(ops.MUL, side, self._away(self.across)), self._away(self.last))

    def _away(self, b: Bound) -> Expr:
        return self.make.build.apply(ops.SUB, Index(b.name), self._start(b))

    def _start(self, b: Bound) -> Expr:
        return self.make.build.apply(ops.MUL, integer(self.side[b]), Index(self.blocks[b].name))

    def _stop(self, b: Bound) -> Expr:
        apply = self.make.build.apply
        return apply(ops.MIN, apply(ops.ADD, self._start(b), integer(self.side[b])), integer(b.extent))

    def _loop(self, b: Bound, *body: Node) -> For:
        return For(b.name, self._start(b), self._stop(b), body)


def _always_read(e: Expr) -> Iterator[Read]:
    if isinstance(e, Read):
        yield e
    for c in always(e):
        yield from _always_read(c)
