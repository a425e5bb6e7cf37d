"""What a row needs twice and is costly: computed while a sum goes along the row, kept, and read again by the last loop.

Y[b,k:1000] = exp(X[b,k] - t1) / sum[m:1000] exp(X[b,m] - t1)

    for m:  e = exp(X[b,m] - t1);  row[m] = e;  t2 = t2 + e
    for k:  Y[b,k] = row[k] / t2
"""

from collections.abc import Iterator, Mapping

from indexlang.ir import ops
from indexlang.ir.equation import Equation
from indexlang.ir.expr import (
    Apply,
    Bound,
    Expr,
    Index,
    Read,
    Reduce,
    Select,
    children,
    free_indices,
    walk,
    with_indices,
)
from indexlang.ir.size import Extent, Named
from indexlang.nest.body import Kept, is_short, outermost
from indexlang.nest.steps import known
from indexlang.passes.fuse_rows import MOST_OF_A_ROW, is_row

_LEAST_ROOM = 64  # elements; more by powers of two, so that one kernel serves many extents


def kept(e: Equation, row: Bound, outer: set[str]) -> tuple[Kept, ...]:
    """What one of an equation's sums computes too of the values along its last index; `outer` is known before the row."""
    totals = [n for n in outermost(e.body) if _goes_along(n, row, outer)]
    if not totals or not is_row((row,)):
        return ()
    out: dict[Expr, Kept] = {}
    for late in _costly(e.body):
        inside = any(late in walk(k.late) for k in out.values())
        found = _found(late, totals, row) if not inside and _along(late, row, outer) else None
        if found is not None:
            out[late] = found
    return tuple(out.values())


def _along(late: Expr, row: Bound, outer: set[str]) -> bool:
    used = free_indices(late)
    return row.name in used and used <= outer | {row.name}


def _goes_along(n: Reduce, row: Bound, outer: set[str]) -> bool:
    one = len(n.over) == 1 and n.over[0].extent == row.extent and free_indices(n) <= outer
    return one and not is_short(n) and n.fold not in (ops.ARGMAX, ops.ARGMIN)


def _found(late: Expr, totals: list[Reduce], row: Bound) -> Kept | None:
    for n in totals:
        at = Index(n.over[0].name)
        early = with_indices(late, {row.name: at})
        if any(part == early for part in _costly(n.body)):
            return Kept(n, early, late, at, Index(row.name), _room(row.extent))
    return None


def _room(extent: Extent) -> int:
    """Named extents change: there is room for any row."""
    elements = MOST_OF_A_ROW if isinstance(extent, Named) else known(extent)
    room = _LEAST_ROOM
    while room < elements:
        room *= 2
    return room


def invariants(e: Expr, inside: set[str], done: Mapping[Expr, Expr]) -> Iterator[Apply]:
    """What is costly and known before a loop starts, the largest parts; sums are done, or wait for their indices."""
    if e in done:
        return
    if isinstance(e, Apply) and _is_costly(e) and free_indices(e) <= inside and _reads_something(e, done):
        yield e
        return
    for c in always(e):
        yield from invariants(c, inside, done)


def _reads_something(e: Expr, done: Mapping[Expr, Expr]) -> bool:
    if isinstance(e, Reduce):
        return e in done
    return isinstance(e, Read) or any(_reads_something(c, done) for c in children(e))


def _costly(e: Expr) -> Iterator[Apply]:
    """The costly parts of an expression that are computed whatever its conditions say, the largest first."""
    if isinstance(e, Apply) and _is_costly(e):
        yield e
    for c in always(e):
        yield from _costly(c)


def always(e: Expr) -> tuple[Expr, ...]:
    """The parts of an expression that are computed whatever its conditions say; sums and subscripts are looked at apart."""
    match e:
        case Select(cond=cond):
            return (cond,)
        case Apply(op=ops.AND | ops.OR, args=(first, _)):
            return (first,)
        case Reduce() | Read():
            return ()
        case _:
            return children(e)


def _is_costly(e: Apply) -> bool:
    return e.op.kind is ops.Kind.FLOAT
