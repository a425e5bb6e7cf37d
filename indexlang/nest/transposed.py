"""The schedule `transposed`: square blocks, where elements are read along another left index than the last.

Y[j,i] = A[i,j]

    for j_block, i_block:
        for i, j in the block:  block[33*i + j] = A[i,j]     read in order
        for j, i in the block:  Y[j,i] = block[33*i + j]     written in order

The copy lies in the nearest cache, where rows of a large tensor would push each other out: those a power of two apart share
few lines of it. Its own rows are one element longer than the block, for the same reason.
"""

from collections.abc import Iterator

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, reads, walk
from indexlang.nest.body import Body
from indexlang.nest.kept import always
from indexlang.nest.nodes import For, Nest, Node, Row, Store, local
from indexlang.nest.steps import FAR, step_cost

_BLOCK = 64  # elements along the side of a block: each page is read for several lines
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
    return _Blocks(e, near[-1], last, body).nest(original)


class _Blocks:
    def __init__(self, e: Equation, across: Bound, last: Bound, body: Body) -> None:
        self.e, self.across, self.last, self.make = e, across, last, body
        self.blocks = {b: Bound(f"{b.name}_block", (b.extent + (_BLOCK - 1)) // _BLOCK) for b in (across, last)}

    def nest(self, original: Equation) -> Nest:
        e, blocks = self.e, self.blocks
        copies: dict[Expr, Expr] = {}
        nodes = (*self._copies(copies), self._loops((self.across, self.last), self._store(copies)))
        outer = tuple(b for b in e.indices if b not in blocks)
        blocked = Equation(e.target, (*outer, *(Bound(b.name, _BLOCK) for b in blocks)), e.left, False, e.body)
        return self.make.nest(original, blocked, (*outer, *blocks.values()), nodes, "transposed")

    def _store(self, copies: dict[Expr, Expr]) -> Store:
        return Store(self.e.target, self.e.left, self.make.filled(self.e.body, copies))

    def _copies(self, copies: dict[Expr, Expr]) -> Iterator[Node]:
        """The blocks that are read across, and where they lie then."""
        found = dict.fromkeys(r for r in _always_read(self.e.body) if self._is_across(r))
        for k, r in enumerate(list(found)[:_MOST_COPIES]):
            row = local(f"block{k + 1}", r.dtype)
            yield Row(f"block{k + 1}", r.dtype, _BLOCK * (_BLOCK + 1))
            yield self._loops((self.last, self.across), Store(row.tensor, (self._place(),), r))
            copies[r] = Read(row.tensor, (self._place(),), None, r.dtype)

    def _is_across(self, r: Read) -> bool:
        program = self.make.program
        costs = [step_cost(r, b.name, program) for b in (self.across, self.last)]
        return costs == [1, FAR] and r.border is None and r.dtype.is_float

    def _place(self) -> Expr:
        apply = self.make.build.apply
        row = apply(ops.SUB, Index(self.last.name), self._start(self.last))
        column = apply(ops.SUB, Index(self.across.name), self._start(self.across))
        return apply(ops.ADD, apply(ops.MUL, integer(_BLOCK + 1), row), column)

    def _start(self, b: Bound) -> Expr:
        return self.make.build.apply(ops.MUL, integer(_BLOCK), Index(self.blocks[b].name))

    def _loops(self, order: tuple[Bound, Bound], store: Store) -> For:
        outer, inner = order
        return self._loop(outer, self._loop(inner, store))

    def _loop(self, b: Bound, body: Node) -> For:
        apply, start = self.make.build.apply, self._start(b)
        stop = apply(ops.MIN, apply(ops.ADD, start, integer(_BLOCK)), integer(b.extent))
        return For(b.name, start, stop, (body,))


def _always_read(e: Expr) -> Iterator[Read]:
    if isinstance(e, Read):
        yield e
    for c in always(e):
        yield from _always_read(c)
