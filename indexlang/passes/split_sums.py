"""Long sums in stages: so that the error is that of blocked summation, and so that all threads share the work.

before   m = sum[i:1000003] X[i]
after    m_part[q:1954] = sum[m:512] (X[512*q+m] if 512*q+m < 1000003 else 0);  m = sum[q:1954] m_part[q]

and again until no stage is longer than a block. Sums over several indices split off the inner ones first.
"""

from collections.abc import Iterator
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import (
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Reduce,
    children,
    free_indices,
    reads,
    rewrite,
    with_children,
)
from indexlang.passes.contraction import contraction
from indexlang.passes.growing import Growing, other_name
from indexlang.passes.scans import scans

BLOCK = 2048
_LONG = 2 * BLOCK


def split_long_sums(program: Program) -> Program:
    """No float sum runs over more than `2*BLOCK` terms one by one. Contractions and scans have blocks of their own."""
    return _Splitting(program).run()


class _Splitting(Growing):
    scans: set[Reduce]  # of the equation at hand

    def run(self) -> Program:
        equations: list[Equation] = []
        for e in self.program.equations:
            equations.extend([e] if contraction(e, self.program) else self._split(e))
        return self.grown(tuple(equations))

    def _split(self, e: Equation) -> Iterator[Equation]:
        """The equation after those of its partial sums."""
        before: list[Equation] = []
        self.scans = {s.total for s in scans(e)}
        body = self._expr(e.body, e.indices, e, before)
        for part in before:
            yield from self._split(part)
        yield replace(e, body=body)

    def _expr(self, n: Expr, around: tuple[Bound, ...], e: Equation, before: list[Equation]) -> Expr:
        if isinstance(n, Reduce):
            if n.fold is ops.SUM and n.dtype.is_float and n not in self.scans and _length(n.over) > _LONG:
                return self._staged(n, around, e, before)
            return with_children(n, (self._expr(n.body, (*around, *n.over), e, before),))
        return with_children(n, tuple(self._expr(c, around, e, before) for c in children(n)))

    def _staged(self, n: Reduce, around: tuple[Bound, ...], e: Equation, before: list[Equation]) -> Expr:
        outer, inner = self._stages(n)
        used = {b.name for b in around} & free_indices(n)
        kept = tuple(b for b in around if b.name in used)
        body = inner.body
        indices = (*outer, *kept) if _is_beside(kept, body) else (*kept, *outer)
        name = self.fresh(f"{e.target}_part")
        self.tensors.append(Tensor(name, tuple(b.extent for b in indices), n.dtype, Role.COMPUTED, span=e.span))
        left = tuple(Index(b.name) for b in indices)
        before.append(Equation(name, indices, left, False, Reduce(ops.SUM, inner.over, body, n.dtype, n.span), e.span))
        return Reduce(ops.SUM, outer, Read(name, left, None, n.dtype, n.span), n.dtype, n.span)

    def _stages(self, n: Reduce) -> tuple[tuple[Bound, ...], Reduce]:
        """Which indices are summed last, and the sum that comes first."""
        length = 1
        for k in range(len(n.over) - 1, -1, -1):
            if length * int(str(n.over[k].extent)) > _LONG:
                if k < len(n.over) - 1 and length * 8 >= BLOCK:
                    return n.over[: k + 1], Reduce(n.fold, n.over[k + 1 :], n.body, n.dtype, n.span)
                return self._blocks(n, k, length)
            length *= int(str(n.over[k].extent))
        raise AssertionError("a long sum has a long range")

    def _blocks(self, n: Reduce, k: int, length: int) -> tuple[tuple[Bound, ...], Reduce]:
        """Split the index at `k` into blocks: i = block*q + m."""
        b = n.over[k]
        taken = {x.name for x in n.over} | free_indices(n)
        q, m = other_name(f"{b.name}_q", taken), other_name(f"{b.name}_m", taken)
        block = max(BLOCK // max(length, 1), 1)
        extent = b.extent
        assert isinstance(extent, int)
        place = self.build.apply(ops.ADD, self.build.apply(ops.MUL, integer(block), Index(q)), Index(m))
        term = rewrite(n.body, lambda x: place if isinstance(x, Index) and x.name == b.name else x)
        if extent % block or type(extent) is not int:
            inside = self.build.apply(ops.LT, place, integer(extent))
            term = self.build.select(inside, term, Const(0.0, n.dtype))
        outer = (*n.over[:k], Bound(q, (extent + block - 1) // block, b.span))
        inner = (Bound(m, block, b.span), *n.over[k + 1 :])
        return outer, Reduce(n.fold, inner, term, n.dtype, n.span)


def _is_beside(kept: tuple[Bound, ...], body: Expr) -> bool:
    """Whether the last index that is kept goes along the last axis of what is summed: then rows of it are summed."""
    last = [r.subscripts[-1] for r in reads(body) if r.subscripts]
    return bool(kept) and any(isinstance(s, Index) and s.name == kept[-1].name for s in last)


def _length(over: tuple[Bound, ...]) -> int:
    total = 1
    for b in over:
        total *= int(str(b.extent))
    return total
