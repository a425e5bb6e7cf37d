"""Which reductions are scans: limited by `j <= i + c` or `j >= i + c` alone, of terms that do not depend on `i`.

a scan     Y[n,i:N] = sum[j:N] (A[n,j] if j <= i else 0)      each value is the one before and one term more
not one    Y[n,i:N] = sum[j:N] (A[i,j] if j <= i else 0)      the terms of different i are not the same
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Apply, Bound, Const, Expr, Reduce, Select, children, free_indices
from indexlang.ir.size import Named

COMBINED = {
    ops.SUM: ops.ADD, ops.PROD: ops.MUL, ops.LARGEST: ops.MAX, ops.SMALLEST: ops.MIN, ops.ANY: ops.OR, ops.ALL: ops.AND,
}  # fmt: skip
"""Two parts of a reduction as one."""

_LEAST = 8  # terms: shorter reductions are written out
_MOST_AT_ONCE = 4096  # terms at one value of the scan's index, which are folded one by one: more are summed in stages


@dataclass(frozen=True, slots=True)
class Scan:
    """`total` at `index` folds the terms at `over` <= index + offset, counted from the end where `backwards`.

    term  at one value of `over`; a reduction over what else `total` runs over
    """

    total: Reduce
    index: Bound
    over: Bound
    term: Expr
    offset: int
    backwards: bool


def scans(e: Equation) -> tuple[Scan, ...]:
    """The scans of an equation along one of its left indices, in one direction; its extents are known."""
    if e.accumulates:
        return ()
    found = tuple(s for n in dict.fromkeys(_outermost(e.body)) if (s := _scan(n, e)) is not None)
    return tuple(s for s in found if (s.index, s.backwards) == (found[0].index, found[0].backwards))


def _outermost(e: Expr) -> Iterator[Reduce]:
    if isinstance(e, Reduce):
        yield e
    else:
        for c in children(e):
            yield from _outermost(c)


def _scan(n: Reduce, e: Equation) -> Scan | None:
    limited = _limited(n) if n.fold in COMBINED else None
    if limited is None:
        return None
    conditions, term = limited
    own = {b.name: b for b in e.indices}
    summed = {b.name: b for b in n.over}
    limits = [(t, c) for c in conditions if (t := at_least(c)) is not None and _joins(t, own, summed)]
    if len(limits) != 1:
        return None
    test, limit = limits[0]
    index = next(own[v] for v in test.indices if v in own)
    over = next(summed[v] for v in test.indices if v in summed)
    for c in conditions:
        if c is not limit:
            term = Select(c, term, _identity(n), n.dtype)
    if index.name in free_indices(term) or not _is_int(test.constant):
        return None
    rest = tuple(b for b in n.over if b is not over)
    if prod(int(str(b.extent)) for b in rest) > _MOST_AT_ONCE:
        return None
    term = Reduce(n.fold, rest, term, n.dtype, n.span) if rest else term
    backwards = test.coefficient(index.name) == -1
    offset: int = test.constant  # pyright: ignore[reportAssignmentType]
    if backwards:  # j >= i - offset, both counted from the end
        offset = over.extent - index.extent + offset  # pyright: ignore[reportAssignmentType, reportOperatorIssue]
    short = not isinstance(over.extent, Named) and int(str(over.extent)) <= _LEAST
    return None if short else Scan(n, index, over, term, offset, backwards)


def _limited(n: Reduce) -> tuple[list[Expr], Expr] | None:
    """The conditions under which a reduction has a term, and the term."""
    conditions: list[Expr] = []
    term = n.body
    while isinstance(term, Select) and is_identity(term.other, n):
        conditions += both(term.cond)
        term = term.then
    return (conditions, term) if conditions and term.dtype is n.dtype else None


def _identity(n: Reduce) -> Const:
    return Const(ops.identity(n.fold, n.dtype.is_float), n.dtype)


def is_identity(e: Expr, n: Reduce) -> bool:
    """Whether a value changes nothing in a reduction."""
    return isinstance(e, Const) and e.value == _identity(n).value


def both(e: Expr) -> Iterator[Expr]:
    """The conditions that must all hold."""
    match e:
        case Apply(op=ops.AND, args=(a, b)):
            yield from both(a)
            yield from both(b)
        case _:
            yield e


def at_least(e: Expr) -> Affine | None:
    """The affine form that a comparison says is not negative."""
    match e:
        case Apply(op=ops.LT | ops.LE | ops.GT | ops.GE as op, args=(a, b)):
            left, right = affine(a), affine(b)
            if left is None or right is None:
                return None
            above, below = (right, left) if op in (ops.LT, ops.LE) else (left, right)
            return above - below - Affine(1 if op in (ops.LT, ops.GT) else 0)
        case _:
            return None


def _joins(t: Affine, own: dict[str, Bound], summed: dict[str, Bound]) -> bool:
    """Whether a form is `i - j + c` or `j - i + c`."""
    names = [v for v in t.variables if isinstance(v, str)]
    mine = [v for v in names if v in own]
    theirs = [v for v in names if v in summed]
    if len(t.terms) != 2 or len(mine) != 1 or len(theirs) != 1 or not t.is_concrete:
        return False
    return (t.coefficient(mine[0]), t.coefficient(theirs[0])) in ((1, -1), (-1, 1))


def _is_int(value: object) -> bool:
    return isinstance(value, int)
