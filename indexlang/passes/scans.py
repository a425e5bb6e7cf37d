"""Running sums and maxima: reductions whose only bound on an index of the left side is where they end, or begin.

S[b,i] = sum[j] (A[b,j] if j <= i else 0)        each sum is the one before and a term
"""

from dataclasses import dataclass

from indexlang.ir import ops
from indexlang.ir.affine import not_negative
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Expr, Reduce, Select, changes_nothing, free_indices, walk
from indexlang.ir.size import Named

_FOLDS = (ops.SUM, ops.PROD, ops.LARGEST, ops.SMALLEST)
_LEAST = 8  # terms: shorter sums are written out


@dataclass(frozen=True, slots=True)
class Scan:
    """The reduction `total` folds `term` over all `over` up to `at + shift`; from there on, where it goes `backwards`."""

    total: Reduce
    at: Bound
    over: Bound
    shift: int
    term: Expr
    backwards: bool


def scan(e: Equation) -> Scan | None:
    """The running reduction of an equation, if it has one and no other."""
    totals = {n for n in walk(e.body) if isinstance(n, Reduce)}
    if e.accumulates or len(totals) != 1:
        return None
    total = totals.pop()
    body = total.body
    if total.fold not in _FOLDS or len(total.over) != 1 or not isinstance(body, Select):
        return None
    over, bound = total.over[0], not_negative(body.cond)
    if not changes_nothing(body.other, total):
        return None
    at = next((b for b in e.indices if bound is not None and bound.coefficient(b.name)), None)
    if bound is None or at is None or not bound.is_plain or not bound.is_concrete or at.name in free_indices(body.then):
        return None
    factors = dict(bound.terms)
    if (
        not _is_counted(at)
        or not _is_counted(over)
        or isinstance(bound.constant, Named)
        or int(str(over.extent)) < _LEAST
    ):
        return None
    constant = int(str(bound.constant))
    if factors == {at.name: 1, over.name: -1}:
        return Scan(total, at, over, constant, body.then, backwards=False)
    if factors == {at.name: -1, over.name: 1}:
        return Scan(total, at, over, -constant, body.then, backwards=True)
    return None


def _is_counted(b: Bound) -> bool:
    return isinstance(b.extent, int) and not isinstance(b.extent, Named)
