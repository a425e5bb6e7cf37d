"""Comparisons of indices around the term of a reduction, as the ends of its loops.

before   for j in 0..N:           t = t + (L[i,j]*x[j] if j <= i else 0)
after    for j in 0..min(i+1,N):  t = t + L[i,j]*x[j]

A condition ends the innermost loop whose index it has; the other indices are known there.
"""

from collections.abc import Sequence

from indexlang.ir import ops
from indexlang.ir.affine import Affine, conjuncts, index, not_negative
from indexlang.ir.build import Builder, integer
from indexlang.ir.expr import Bound, Expr, Reduce, Select, changes_nothing
from indexlang.ir.size import Named
from indexlang.nest.steps import known
from indexlang.passes.tidy import as_expr


def limited(n: Reduce, over: Sequence[Bound]) -> tuple[tuple[Affine, ...], Expr]:
    """What must not be negative for a reduction to have a term, and the term with the conditions that are left.

    Nothing for argmax and argmin, whose result over an empty range is another.
    """
    names = {b.name for b in over}
    if n.fold in (ops.ARGMAX, ops.ARGMIN) or not isinstance(n.body, Select) or not changes_nothing(n.body.other, n):
        return (), n.body
    limits: list[Affine] = []
    rest: list[Expr] = []
    for c in conjuncts(n.body.cond):
        test = not_negative(c)
        if test is None or not _is_plain(test) or not test.indices & names:
            rest.append(c)
        else:
            limits.append(test)
    if not limits or n.body.then.dtype is not n.dtype:
        return (), n.body
    term = n.body.then
    for c in reversed(rest):
        term = Select(c, term, n.body.other, n.dtype)
    return tuple(limits), term


def ends(b: Bound, limits: Sequence[Affine], over: Sequence[Bound], build: Builder) -> tuple[Expr, Expr]:
    """Where the loop over `b` starts and stops; those of `over` behind it are inside it."""
    names = [x.name for x in over]
    inside = set(names[names.index(b.name) + 1 :])
    start, stop = integer(0), integer(b.extent)
    for test in limits:
        if b.name in test.indices and not test.indices & inside:
            start, stop = narrower(test, b, start, stop, build)
    return start, stop


def narrower(test: Affine, b: Bound, start: Expr, stop: Expr, build: Builder) -> tuple[Expr, Expr]:
    """`start` and `stop` of the values of `b` after `test >= 0`, in which it has a factor."""
    factor = known(test.coefficient(b.name))
    rest = as_expr(test - index(b.name).scaled(factor), build)
    if factor > 0:  # factor*b >= -rest
        return build.apply(ops.MAX, start, build.apply(ops.NEG, build.apply(ops.FLOORDIV, rest, integer(factor)))), stop
    behind = build.apply(ops.ADD, build.apply(ops.FLOORDIV, rest, integer(-factor)), integer(1))
    return start, build.apply(ops.MIN, stop, behind)


def _is_plain(test: Affine) -> bool:
    """Whether the multiples are of indices, and the same for every value of named extents."""
    return test.is_plain and test.is_concrete and not any(isinstance(c, Named) for _, c in test.terms)
