"""The order of the axes of a tensor that a pair of factors makes: so that it is made in tiles, and read along them."""

from collections.abc import Iterable

from indexlang.ir.expr import Expr, Index, Read, Reduce, children, free_indices, walk
from indexlang.passes.pair_parts import Stored, columns


def laid_out(s: Stored, later: Iterable[Expr]) -> tuple[int, ...]:
    """The axes in their best order: columns last, rows before them, what both operands have first.

    Which operand has the columns, the reader decides: its own columns, else what it sums, go along the last axis.
    """
    places = range(len(s.axes))
    total = next((n for n in walk(s.body) if isinstance(n, Reduce)), None)
    operands = children(total.body) if total is not None else ()
    match operands:
        case (Read() as a, Read() as b):
            pass
        case _:
            return tuple(places)
    wanted = _wanted(s, later)
    ways = [(w, x, c) for x, w in ((a, b), (b, a)) for c in columns(w, x, s.axes)]
    if not ways:
        return tuple(places)

    def fit(way: tuple[Read, Read, object]) -> tuple[int, int, int]:
        w, _, column = way
        k = next(k for k in places if s.axes[k] is column)
        last = w.subscripts[-1]
        contiguous = isinstance(last, Index) and last.name == s.axes[k].name
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


def _wanted(s: Stored, later: Iterable[Expr]) -> list[int]:
    """How well each axis of the tensor may be the last one, for who reads it."""
    out = [0] * len(s.axes)
    for body in later:
        for total in (n for n in walk(body) if isinstance(n, Reduce)):
            over = {b.name for b in total.over}
            found = [r for r in walk(total.body) if isinstance(r, Read) and r.tensor == s.key]
            others = {n for r in walk(total.body) if isinstance(r, Read) and r.tensor != s.key for n in free_indices(r)}
            for r in found:
                for k, place in enumerate(r.subscripts):
                    used = free_indices(place)
                    is_column = isinstance(place, Index) and not used & (over | others)
                    out[k] = max(out[k], 2 if is_column else 1 if used & over else 0)
    return out
