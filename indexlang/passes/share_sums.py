"""Contractions with a small result and a long sum: cut into blocks, so that all threads find work.

before   W[i:64,j:64] = sum[b:32,x:99] X[b,x,i]*Y[b,x,j]
after    W_part[q:32,i:64,j:64] = sum[x:99] X[q,x,i]*Y[q,x,j];  W[i,j] = sum[q:32] W_part[q,i,j]

Blocks are of several values of an index where single ones are too short; what is left over is a part of its own. Their
number depends on the equation alone, so that the additions are the same for every number of threads.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, free_indices, rewrite, walk
from indexlang.ir.size import Extent, Named
from indexlang.passes.contraction import Contraction, contraction
from indexlang.passes.growing import Growing, other_name

_SHARES = 48  # pieces of work that keep many threads busy
_ROWS, _COLUMNS = 300, 128  # of the result that make one, as tiles are grouped
_FEW_ROWS, _FEW_COLUMNS = 64, 32  # the same where all rows make few tiles
_LEAST_TERMS = 1024  # of a block
_LEAST_WORK = 1 << 22  # multiply-adds: smaller equations are over at once


def share_long_sums(program: Program) -> Program:
    """The program with those contractions in blocks."""
    return _Sharing(program).run()


class _Sharing(Growing):
    def run(self) -> Program:
        equations = tuple(made for e in self.program.equations for made in self._shared(e))
        return self.grown(equations)

    def _shared(self, e: Equation) -> Iterator[Equation]:
        found = contraction(e, self.program)
        index = _cut(e, found) if found is not None and found.row is not None else None
        if found is None or index is None:
            yield e
            return
        (b, block), total = index, found.total
        taken = {n.name for n in walk(e.body) if isinstance(n, Index)} | {b.name for b in e.indices}
        q = other_name(f"{b.name}_q", taken)
        pieces: tuple[Extent, Extent] = (b.extent // block, b.extent % block)
        count: Extent = pieces[0] + (1 if pieces[1] else 0)
        name = self.fresh(f"{e.target}_part")
        own = tuple(b for b in e.indices if b.name in free_indices(total))
        extents = (count, *(b.extent for b in own))
        self.tensors.append(Tensor(name, extents, total.dtype, Role.COMPUTED, span=e.span))
        for first, number, length in ((0, pieces[0], block), (pieces[0], 1, pieces[1])):
            if length and number:
                yield self._part(name, own, total, (b, Bound(q, number), first, length, block), part=bool(pieces[1]))
        part = Read(name, (Index(q), *(Index(b.name) for b in own)), None, total.dtype)
        whole = Reduce(ops.SUM, (Bound(q, count),), part, total.dtype, total.span)
        yield replace(e, body=rewrite(e.body, lambda n: whole if n is total or n == total else n))

    def _part(
        self,
        name: str,
        own: tuple[Bound, ...],
        total: Reduce,
        cut: tuple[Bound, Bound, Extent, Extent, int],
        *,
        part: bool,
    ) -> Equation:
        """`W_part[first+q, …] = sum[b:length] …` with `block*(first+q) + b` in the place of b."""
        b, q, first, length, block = cut
        apply = self.build.apply
        place = apply(ops.ADD, Index(q.name), integer(first))
        at = apply(ops.MUL, place, integer(block))
        inner = Bound(b.name, length, b.span)
        term: Expr = apply(ops.ADD, at, Index(b.name)) if length != 1 else at
        body = rewrite(total.body, lambda n: term if isinstance(n, Index) and n.name == b.name else n)
        over = tuple(x for k in total.over for x in ((inner,) if k is b else (k,)) if k is not b or length != 1)
        left = (place, *(Index(k.name) for k in own))
        return Equation(
            name, (q, *own), left, False, Reduce(ops.SUM, over, body, total.dtype, total.span), total.span, part
        )


def _cut(e: Equation, found: Contraction) -> tuple[Bound, int] | None:
    """The summed index to be cut, and how many of its values make a block."""
    elements, over = _size(e.indices), found.total.over
    columns = max(_size((found.column,)), 1)
    rows = elements // columns
    shares = -(-rows // _ROWS) * -(-columns // (_COLUMNS if rows > _FEW_ROWS else _FEW_COLUMNS))
    if 2 * shares > _SHARES or elements * _size(over) < _LEAST_WORK:
        return None
    wanted = _SHARES // max(shares, 1)
    for k, b in enumerate(over):
        inner, n = _size(over[k + 1 :]), b.extent
        assert isinstance(n, int)
        least = -(-_LEAST_TERMS // max(inner, 1))
        block = least if isinstance(n, Named) else max(least, -(-n // wanted))
        if n >= 2 * block and _size(over[:k]) == 1:
            return b, block
        if n > 1:
            return None
    return None


def _size(bounds: tuple[Bound, ...]) -> int:
    return prod(int(str(b.extent)) for b in bounds)
