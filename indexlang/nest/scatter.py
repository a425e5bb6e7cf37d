"""The schedule `scatter`: points that may meet at an element add to it in order, row-major.

Indices that keep elements apart are shared by the threads; each thread goes through all others in order:

    dE[tok[b,t],j] += dY[b,t,j]        parallel over blocks of j; for b, for t: a run of dE[tok[b,t],j]
"""

from collections.abc import Sequence
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Expr, Index
from indexlang.ir.lefts import separate_indices
from indexlang.ir.size import Extent
from indexlang.nest.body import Body
from indexlang.nest.nodes import For, Nest, Node, Store
from indexlang.nest.steps import known

_LEAST_RUN, _MOST_BLOCKS = 16, 32  # elements of a block of the last separate index; blocks


def scattered(e: Equation, body: Body) -> Nest:
    """The nest of an equation with `+=`, whatever its left side; on one thread where all points may meet."""
    separate = separate_indices(e)
    points = [b for b in e.indices if b not in separate]
    if not separate:
        return replace(body.nest(e, e, e.indices, _ordered(e, body, (), ()), "serial"), serial=True)
    *outer, last = separate
    size = max(_LEAST_RUN, -(-known(last.extent) // _MOST_BLOCKS))
    block = Bound(f"{last.name}_block", _count(last.extent, size))
    start = body.build.apply(ops.MUL, integer(size), Index(block.name))
    stop = body.build.apply(ops.MIN, body.build.apply(ops.ADD, start, integer(size)), integer(last.extent))
    nodes = _ordered(e, body, points, ((last, start, stop),))
    return body.nest(e, e, (*outer, block), nodes, "scatter")


def _ordered(
    e: Equation, body: Body, points: Sequence[Bound], run: Sequence[tuple[Bound, Expr, Expr]]
) -> tuple[Node, ...]:
    """Loops over the points, and in them along the run; what is known before a loop is computed before it."""
    bounds = [*((b, integer(0), integer(b.extent)) for b in points), *run]
    inside = {b.name for b in e.indices} - {b.name for b, _, _ in bounds}
    return _loops(e, body, bounds, inside, {})


def _loops(
    e: Equation, body: Body, bounds: Sequence[tuple[Bound, Expr, Expr]], inside: set[str], done: dict[Expr, Expr]
) -> tuple[Node, ...]:
    before = body.hoisted(e.body, inside, done)
    if not bounds:
        return (*before, Store(e.target, e.left, body.filled(e.body, done), ops.SUM))
    (b, start, stop), *rest = bounds
    return (*before, For(b.name, start, stop, _loops(e, body, rest, inside | {b.name}, dict(done))))


def _count(extent: Extent, size: int) -> Extent:
    return (extent + (size - 1)) // size
