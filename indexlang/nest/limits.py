"""Comparisons of indices around the term of a reduction, as the ends of its loops.

before   for j in 0..N:           t = t + (L[i,j]*x[j] if j <= i else 0)
after    for j in 0..min(i+1,N):  t = t + L[i,j]*x[j]

A condition ends the innermost loop whose index it has; the other indices are known there.
"""

from collections.abc import Iterator, Sequence

from indexlang.ir import ops
from indexlang.ir.affine import Affine, not_negative
from indexlang.ir.build import Builder, integer
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Reduce, Select
from indexlang.ir.size import Named


def limited(n: Reduce, over: Sequence[Bound]) -> tuple[tuple[Affine, ...], Expr]:
    """What must not be negative for a reduction to have a term, and the term with the conditions that are left.

    Nothing for argmax and argmin, whose result over an empty range is another.
    """
    names = {b.name for b in over}
    if n.fold in (ops.ARGMAX, ops.ARGMIN) or not isinstance(n.body, Select) or not _changes_nothing(n.body.other, n):
        return (), n.body
    limits: list[Affine] = []
    rest: list[Expr] = []
    for c in _conjuncts(n.body.cond):
        (test,) = not_negative(c)
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
        if b.name not in test.indices or test.indices & inside:
            continue
        factor = int(str(test.coefficient(b.name)))
        rest = _written(test - Affine(0, ((b.name, factor),)), build)
        if factor > 0:  # factor*b >= -rest
            least = build.apply(ops.NEG, build.apply(ops.FLOORDIV, rest, integer(factor)))
            start = build.apply(ops.MAX, least, start)
        else:
            behind = build.apply(ops.ADD, build.apply(ops.FLOORDIV, rest, integer(-factor)), integer(1))
            stop = build.apply(ops.MIN, behind, stop)
    return start, stop


def _changes_nothing(e: Expr, n: Reduce) -> bool:
    return isinstance(e, Const) and e.value == ops.identity(n.fold, n.dtype.is_float)


def _conjuncts(cond: Expr) -> Iterator[Expr]:
    match cond:
        case Apply(op=ops.AND, args=(a, b)):
            yield from _conjuncts(a)
            yield from _conjuncts(b)
        case _:
            yield cond


def _is_plain(test: Affine) -> bool:
    """Whether the multiples are of indices, and the same for every value of named extents."""
    return test.is_plain and test.is_concrete and not any(isinstance(c, Named) for _, c in test.terms)


def _written(form: Affine, build: Builder) -> Expr:
    out: Expr = integer(form.constant)
    for v, c in form.terms:
        out = build.apply(ops.ADD, build.apply(ops.MUL, integer(c), Index(str(v))), out)
    return out
