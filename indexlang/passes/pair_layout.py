"""The order of the axes of a tensor that a pair of factors makes: so that it is made in tiles, and read along them."""

from collections.abc import Sequence

from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, free_indices, reads, walk
from indexlang.passes.pair_parts import Stored, columns, is_tiled


def laid_out(s: Stored, later: Sequence[Expr], last: str) -> tuple[int, ...]:
    """The axes in their best order: columns last, rows before them, what both operands have first.

    Which operand has the columns, the readers decide: their own columns, else what they sum, go along the last axis.
    `last` is the last index of the equation, the body of which is the last of the readers.
    """
    places = range(len(s.axes))
    total = next((n for n in walk(s.body) if isinstance(n, Reduce)), None)
    operands = children(total.body) if total is not None else ()
    match operands:
        case (Read() as a, Read() as b):
            pass
        case _:
            return tuple(places)
    if total is None or not is_tiled(total, s.axes):
        return _along(s.axes, (a, b))
    wanted = _wanted(s, later, last)
    ways = [(w, x, c) for x, w in ((a, b), (b, a)) for c in columns(w, x, s.axes)]
    if not ways:
        return tuple(places)

    def fit(way: tuple[Read, Read, object]) -> tuple[int, int, int]:
        w, _, column = way
        k = next(k for k in places if s.axes[k] is column)
        end = w.subscripts[-1]
        contiguous = isinstance(end, Index) and end.name == s.axes[k].name
        return (wanted[k], int(contiguous), int(str(s.axes[k].extent)))

    w, a, column = max(ways, key=fit)
    own, other = free_indices(w), free_indices(a)

    def rank(k: int) -> int:
        name = s.axes[k].name
        if s.axes[k] is column:
            return 3
        if name in own and name in other:
            return 0
        return 2 if name in other else 1

    return tuple(sorted(places, key=rank))


def _along(axes: tuple[Bound, ...], operands: tuple[Read, ...]) -> tuple[int, ...]:
    """The axis last along which most operands lie, the others as they are."""
    lasts = [free_indices(r.subscripts[-1]) for r in operands if r.subscripts]
    best = max(range(len(axes)), key=lambda k: (sum(axes[k].name in used for used in lasts), k), default=0)
    return tuple(k for k in range(len(axes)) if k != best) + ((best,) if axes else ())


def _wanted(s: Stored, later: Sequence[Expr], last: str) -> list[int]:
    """How well each axis of the tensor may be the last one, for who reads it."""
    out = [0] * len(s.axes)
    for body in later:
        sums = [n for n in walk(body) if isinstance(n, Reduce)]
        for total in sums:
            over = {b.name for b in total.over}
            others = {n for r in reads(total.body) if r.tensor != s.key for n in free_indices(r)}
            for r in reads(total.body):
                for k, place in enumerate(r.subscripts if r.tensor == s.key else ()):
                    used = free_indices(place)
                    is_column = isinstance(place, Index) and not used & (over | others)
                    out[k] = max(out[k], 2 if is_column else 1 if used & over else 0)
    inside = {r for total in walk(later[-1]) if isinstance(total, Reduce) for r in reads(total)}
    for r in reads(later[-1]):  # beside the sums, point by point
        for k, place in enumerate(r.subscripts if r.tensor == s.key and r not in inside else ()):
            out[k] = 3 if last in free_indices(place) else out[k]
    return out
