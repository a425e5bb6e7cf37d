"""The order of the axes of a tensor that a pair of factors makes: so that it is made in tiles, and read along them."""

from collections.abc import Sequence

from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, free_indices, reads, walk
from indexlang.passes.pair_parts import Stored, columns, is_tiled

Reader = tuple[Expr, str | None]  # a body, and the last index of its equation


def all_laid_out(stored: Sequence[Stored], value: Expr, last: str | None) -> list[tuple[int, ...]]:
    """The order of each tensor's axes; who reads comes first, for what it wants depends on its own last axis."""
    readers: list[Reader] = [(value, last)]
    out: list[tuple[int, ...]] = []
    for s in reversed(stored):
        order = _laid_out(s, readers)
        out.append(order)
        readers.append((s.body, s.axes[order[-1]].name if order else None))
    return out[::-1]


def _laid_out(s: Stored, readers: Sequence[Reader]) -> tuple[int, ...]:
    """The axes in their best order: columns last, rows before them, what both operands have first.

    Which operand has the columns, the readers decide: their own columns, else what they sum, go along the last axis.
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
    wanted = _wanted(s, readers)
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


def _wanted(s: Stored, readers: Sequence[Reader]) -> list[int]:
    """How well each axis of the tensor may be the last one, for who reads it."""
    out = [0] * len(s.axes)
    for body, last in readers:
        inside: set[Read] = set()
        for total in (n for n in walk(body) if isinstance(n, Reduce)):
            over = {b.name for b in total.over}
            inside |= set(reads(total))
            for r in reads(total.body):
                for k, place in enumerate(r.subscripts if r.tensor == s.key else ()):
                    used = free_indices(place)
                    out[k] = max(out[k], 2 if used == {last} else 1 if used & over else 0)
        for r in reads(body):  # beside the sums, point by point
            for k, place in enumerate(r.subscripts if r.tensor == s.key and r not in inside else ()):
                out[k] = 3 if last in free_indices(place) else out[k]
    return out
