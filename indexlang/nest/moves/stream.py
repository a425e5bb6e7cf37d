"""Large results go past the caches: what a few iterations make is collected near by, and written in whole lines.

before   for n:  Y[n] = f(X[n])
after    for n by 4096:  for the n of these:  row[n] = f(X[n])
             Y[these] = row, by stores that leave the caches alone

An ordinary store reads the line that it writes into, and pushes another out of the caches; a result that they do not hold
anyway costs a third less memory traffic without. It is done where iterations write one piece of the result after the other,
and compute so little that memory is what they wait for.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from indexlang.ir.affine import affine
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Expr
from indexlang.ir.layout import layout
from indexlang.ir.size import Extent
from indexlang.nest.nodes import Nest, Span
from indexlang.nest.steps import known, steps_along

_LIGHT = 8  # operations for each element: where there are more, they hide that lines are read
_ROOM = 1 << 17  # bytes that an iteration may write, at most: they wait in the second cache


def streamed(nest: Nest, least: int) -> Nest:
    """The nest, written past the caches if its result is of at least that many bytes and it writes it piece after piece."""
    written = nest.span
    dtype = nest.dtypes.get(nest.writes)
    if nest.streamed or written is None or dtype is None or not dtype.is_float or nest.writes in nest.reads:
        return nest
    whole = prod(known(b.extent) for b in nest.iterations) * written.size * dtype.size
    in_order = written.first == 0 and written.step == written.size and not written.pieces
    light = nest.work <= _LIGHT * written.size
    fits = in_order and light and whole >= least and written.size * dtype.size <= _ROOM
    return replace(nest, streamed=True, schedule=f"{nest.schedule} past the caches") if fits else nest


def span(e: Equation, iterations: Sequence[Bound], program: Program) -> Span | None:
    """What each iteration of an equation writes, where iterations are evenly apart."""
    found = tuple(zip(e.left, layout(program, e.target).strides, strict=True))
    moves = steps_along(found)
    inside = [b for b in reversed(e.indices) if b not in iterations]
    if moves is None or e.accumulates or len(inside) + len(iterations) != len(e.indices):
        return None
    step = moves.get(iterations[-1].name, 0) if iterations else 0
    at = step
    for b in reversed(iterations):
        if moves.get(b.name, 0) != at:
            return None
        at *= known(b.extent)
    return joined(Span(_first(found), 1, step, tuple((known(b.extent), moves.get(b.name, 0)) for b in inside)))


def joined(s: Span) -> Span:
    """The same with pieces in one where they touch."""
    while s.pieces and s.pieces[0][1] == s.size:
        s = replace(s, size=s.size * s.pieces[0][0], pieces=s.pieces[1:])
    return s


def _first(axes: Sequence[tuple[Expr, Extent]]) -> int:
    """Where the first element lies."""
    return sum(known(form.constant) * known(stride) for s, stride in axes if (form := affine(s)) is not None)
