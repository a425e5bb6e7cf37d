"""The schedule `scatter`: points that may meet at an element add to it in order, row-major.

Indices that keep elements apart are shared by the threads; each thread goes through all others in order:

    dE[tok[b,t],j] += dY[b,t,j]        parallel over blocks of j; for b, for t: a run of dE[tok[b,t],j]

Where such indices are few and points many, the elements are cut into ranges: for each, a thread looks at all points and
adds those that fall into it. (Passes have seen to it that there are more elements than points then, so that the looking
costs no more than the clearing of the target.) A few points are over before threads could meet: they get one.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Expr, Index, Select, free_indices
from indexlang.ir.lefts import separate_indices
from indexlang.ir.size import Extent
from indexlang.nest.body import Body
from indexlang.nest.nodes import For, Nest, Node, Store
from indexlang.nest.steps import known

_Loop = tuple[Bound, Expr, Expr]  # an index, from where, to where

_MANY_POINTS, _ENOUGH = 4096, 256  # points that are worth ranges; separate elements that are enough by themselves
_RANGES = 16
_LEAST_RUN, _MOST_BLOCKS = 16, 32  # elements of a block of the last separate index; blocks


def scattered(e: Equation, body: Body) -> Nest:
    """The nest of an equation with `+=`, whatever its left side."""
    separate = separate_indices(e)
    points = [b for b in e.indices if b not in separate]
    many = prod(known(b.extent) for b in points) >= _MANY_POINTS and prod(known(b.extent) for b in separate) < _ENOUGH
    if many:
        return _in_ranges(e, body, separate, points)
    if not separate:
        return replace(body.nest(e, e, e.indices, _ordered(e, body, (), ()), "serial"), serial=True)
    *outer, last = separate
    block, run = _blocked(last, body)
    return body.nest(e, e, (*outer, block), _ordered(e, body, points, (run,)), "scatter")


def _blocked(last: Bound, body: Body) -> tuple[Bound, _Loop]:
    """The last separate index as blocks, and the loop in each."""
    size = max(_LEAST_RUN, -(-known(last.extent) // _MOST_BLOCKS))
    block = Bound(f"{last.name}_block", _count(last.extent, size))
    start = body.build.apply(ops.MUL, integer(size), Index(block.name))
    stop = body.build.apply(ops.MIN, body.build.apply(ops.ADD, start, integer(size)), integer(last.extent))
    return block, (last, start, stop)


def _in_ranges(e: Equation, body: Body, separate: Sequence[Bound], points: Sequence[Bound]) -> Nest:
    """For each range of elements: for all points, a run over the separate indices if the point is in the range."""
    build, names = body.build, {b.name for b in separate}
    axes = [
        (s, n)
        for s, n in zip(e.left, body.program.tensor(e.target).extents, strict=True)
        if not free_indices(s) & names
    ]
    place: Expr = integer(0)
    for s, n in axes:
        place = build.apply(ops.ADD, build.apply(ops.MUL, place, integer(n)), s)
    elements = prod(known(n) for _, n in axes)
    size = -(-max(elements, 1) // _RANGES)
    part = Bound("range", _RANGES)
    low = build.apply(ops.MUL, integer(size), Index(part.name))
    inside = build.apply(
        ops.AND, build.apply(ops.GE, place, low), build.apply(ops.LT, place, build.apply(ops.ADD, low, integer(size)))
    )
    once = (Bound("once", 1), integer(0), Select(inside, integer(1), integer(0), DType.INT))
    loops = [*_whole(points), once, *_whole(separate)]
    return body.nest(e, e, (part,), _loops(e, body, loops, {part.name}, {}), "scatter in ranges")


def _whole(bounds: Sequence[Bound]) -> list[_Loop]:
    return [(b, integer(0), integer(b.extent)) for b in bounds]


def _ordered(e: Equation, body: Body, points: Sequence[Bound], run: Sequence[_Loop]) -> tuple[Node, ...]:
    """Loops over the points, and in them along the run; what is known before a loop is computed before it."""
    bounds = [*_whole(points), *run]
    inside = {b.name for b in e.indices} - {b.name for b, _, _ in bounds}
    return _loops(e, body, bounds, inside, {})


def _loops(
    e: Equation, body: Body, bounds: Sequence[_Loop], inside: set[str], done: dict[Expr, Expr]
) -> tuple[Node, ...]:
    before = body.hoisted(e.body, inside, done)
    if not bounds:
        return (*before, Store(e.target, e.left, body.filled(e.body, done), ops.SUM))
    (b, start, stop), *rest = bounds
    return (*before, For(b.name, start, stop, _loops(e, body, rest, inside | {b.name}, dict(done))))


def _count(extent: Extent, size: int) -> Extent:
    return (extent + (size - 1)) // size
