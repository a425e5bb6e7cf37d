"""Two parts of a tensor in one kernel, where they share their loops: memory is written from front to back.

before   for bxy:  for j:64:  Y[bxy,j] = X[bxy,j]          and the same for   Y[bxy,64+j] = R[bxy,j]
after    for bxy:  both
"""

from dataclasses import replace

from indexlang.ir.equation import Equation
from indexlang.ir.expr import Reduce, walk
from indexlang.nest.moves.stream import joined
from indexlang.nest.nodes import For, Nest, Node, Span, Store

_MOST_LOOPS = 8  # of a kernel


def together(one: Nest, other: Nest) -> Nest | None:
    """Both nests in one; None where they do not fit. They write disjoint parts of one tensor, which neither may read."""
    same = one.writes == other.writes and _loops(one) == _loops(other) and one.schedule == other.schedule == "inner"
    bodies = (*one.body, *other.body)
    if not same or len(one.iterations) == 0 or one.writes in (*one.reads, *other.reads) or not _are_maps(bodies):
        return None
    return replace(
        one,
        title=f"{one.title}; {other.title}",
        body=_joined(one.body, other.body),
        reads=tuple(dict.fromkeys((*one.reads, *other.reads))),
        strides={**one.strides, **other.strides},
        dtypes={**one.dtypes, **other.dtypes},
        work=one.work + other.work,
        span=_side_by_side(one.span, other.span),
    )


def is_map(e: Equation) -> bool:
    """Whether an equation has no sums, so that its nest is loops of stores."""
    return not e.accumulates and not any(isinstance(n, Reduce) for n in walk(e.body))


def _joined(one: tuple[Node, ...], other: tuple[Node, ...]) -> tuple[Node, ...]:
    """The one behind the other, but in one loop where they meet in equal ones."""
    *before, last = one
    first, *behind = other
    match last, first:
        case For(), For() if (last.index, last.start, last.stop) == (first.index, first.start, first.stop):
            return (*before, replace(last, body=_joined(last.body, first.body)), *behind)
        case _:
            return (*one, *other)


def _side_by_side(one: Span | None, other: Span | None) -> Span | None:
    """What both write, if that is one piece."""
    if one is None or other is None or replace(other, first=one.first, size=one.size) != one:
        return None
    return joined(replace(one, size=one.size + other.size)) if one.first + one.size == other.first else None


def _loops(nest: Nest) -> tuple[tuple[str, object, type], ...]:
    return tuple((b.name, b.extent, type(b.extent)) for b in nest.iterations)


def _are_maps(bodies: tuple[Node, ...]) -> bool:
    """Whether there are loops of stores only, and not too many: locals of two nests could meet."""
    loops = all(isinstance(n, For) and _stores(n) for n in bodies)
    return loops and len(bodies) <= _MOST_LOOPS


def _stores(loop: For) -> bool:
    return all(isinstance(n, Store) or (isinstance(n, For) and _stores(n)) for n in loop.body)
