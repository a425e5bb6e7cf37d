"""Several sums of products in one equation: all but the largest become tensors, so that each is a contraction.

before   Y[b,j] = relu(sum[i] X[b,i]*W[i,j] + sum[k] H[b,k]*U[k,j])
after    Y_sum[b,j] = sum[k] H[b,k]*U[k,j];  Y[b,j] = relu(sum[i] X[b,i]*W[i,j] + Y_sum[b,j])

A register tile holds one sum. What is written and read again for the other is little beside its products.
"""

from collections.abc import Iterator
from dataclasses import replace

from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, free_indices, rewrite
from indexlang.passes.contraction import contraction
from indexlang.passes.growing import Growing
from indexlang.passes.pair_parts import elements

_LEAST_TERMS = 16  # of a sum that pays for its result in memory
_LEAST_WORK = 1 << 14  # multiply-adds: smaller equations are over at once


def separate_contractions(program: Program) -> Program:
    """The program with at most one such sum in an equation. Its extents are known."""
    return _Separation(program).run()


class _Separation(Growing):
    def run(self) -> Program:
        return self.grown(tuple(made for e in self.program.equations for made in self._separated(e)))

    def _separated(self, e: Equation) -> Iterator[Equation]:
        """The equation behind those of its sums."""
        sums = dict.fromkeys(_outermost(e.body))
        heavy = [s for s in sums if self._pays(s, e)] if len(sums) > 1 and not e.accumulates else []
        if heavy and len(heavy) == len(sums):
            heavy.remove(max(heavy, key=_terms))
        body = e.body
        for s in heavy:
            made = self.defined(f"{e.target}_sum", _own(s, e), s, e)
            yield made
            read = Read(made.target, made.left, None, s.dtype, s.span)
            body = rewrite(body, lambda n, s=s, read=read: read if n == s else n)
        yield replace(e, body=body)

    def _pays(self, s: Reduce, e: Equation) -> bool:
        """Whether a sum is a contraction by itself, of enough terms."""
        own = _own(s, e)
        alone = replace(e, indices=own, left=tuple(Index(b.name) for b in own), body=s, part=False)
        found = contraction(alone, self.program)
        if found is None or (found.row is None and not found.is_contiguous):
            return False
        work = elements(tuple(b.extent for b in (*own, *s.over)))
        return _terms(s) >= _LEAST_TERMS and work >= _LEAST_WORK


def _own(s: Reduce, e: Equation) -> tuple[Bound, ...]:
    """The indices of the equation that a sum depends on."""
    names = free_indices(s)
    return tuple(b for b in e.indices if b.name in names)


def _terms(s: Reduce) -> int:
    return elements(tuple(b.extent for b in s.over))


def _outermost(e: Expr) -> Iterator[Reduce]:
    """The reductions that stand in no other."""
    if isinstance(e, Reduce):
        yield e
    else:
        for c in children(e):
            yield from _outermost(c)
