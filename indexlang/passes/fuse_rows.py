"""What is known of a row moves into the equation that goes along it, so that each row is read from memory once.

before   m[b] = 1/768 * sum[k] X[b,k];  Y[b,k] = X[b,k] - m[b]
after    Y[b,k] = X[b,k] - 1/768 * sum[k'] X[b,k']

The schedule computes such a sum once a row, and what is costly and needed twice (the exp of a softmax) is kept for the
length of the row: see `nest/kept.py`. Only rows move that the nearest cache holds; longer ones go better in steps of
their own, which all threads share.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, free_indices, reads, walk, with_children
from indexlang.passes.contraction import contraction
from indexlang.passes.fuse import is_free_to_move, renamed
from indexlang.passes.growing import other_name, without

MOST_OF_A_ROW = 4096  # elements
_MOST_NODES = 250


def fuse_rows(program: Program) -> Program:
    """The program with the sums and maps of rows inside the only equation that reads them."""
    return _Fusing(program).run()


class _Fusing:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.readers: dict[str, set[str]] = {}  # the targets of the equations that read each tensor
        self.made: dict[str, list[Equation]] = {}
        for e in program.equations:
            self.made.setdefault(e.target, []).append(e)
            for part in (*e.left, e.body):
                for r in reads(part):
                    self.readers.setdefault(r.tensor, set()).add(e.target)

    def run(self) -> Program:
        waiting: dict[str, Equation] = {}
        gone: set[str] = set()
        out: list[Equation] = []
        for e in self.program.equations:
            while (name := self._next(e, waiting)) is not None:
                e = self._with(waiting.pop(name), e)
                gone.add(name)
            out.append(e)
            if self._may_move(e):
                waiting[e.target] = e
        if not gone:
            return self.program
        return without(self.program, tuple(e for e in out if e.target not in gone), gone)

    def _may_move(self, e: Equation) -> bool:
        inside = self.program.tensor(e.target).role is Role.COMPUTED and e.target not in self.program.outputs
        alone = inside and len(self.made[e.target]) == 1
        return alone and is_free_to_move(e, self.program) and contraction(e, self.program) is None

    def _next(self, e: Equation, waiting: dict[str, Equation]) -> str | None:
        """A waiting tensor that only `e` reads, along its rows."""
        names = dict.fromkeys(r.tensor for r in reads(e.body))
        if e.accumulates or e.starts is None or len(self.made[e.target]) != 1 or contraction(e, self.program):
            return None
        alone = (n for n in names if n in waiting and self.readers[n] == {e.target})
        return next((n for n in alone if fits(waiting[n], e)), None)

    def _with(self, moved: Equation, e: Equation) -> Equation:
        for r in reads(moved.body):
            self.readers[r.tensor].discard(moved.target)
            self.readers[r.tensor].add(e.target)
        return replace(e, body=_put(e.body, moved, _own_names(moved, e)))


def fits(moved: Equation, e: Equation) -> bool:
    """Whether every read of `moved` is of the row that `e` is at, and nothing costly would be done again and again."""
    found = list(_accesses(e.body, moved.target, ()))
    outer = _outer(moved, e, [r for r, _ in found])
    names = {b.name for b in outer}
    own = [n for n in walk(moved.body) if isinstance(n, Reduce)]
    kept = {b.name for b in moved.indices[: len(outer)]}
    if not outer or any(not free_indices(n) - _bound(own) <= kept for n in own):
        return False
    everywhere = sum(1 for r in reads(e.body) if r.tensor == moved.target)
    if everywhere > len(found) or not all(_is_whole(r, moved, e, around, len(outer)) for r, around in found):
        return False
    if any(not free_indices(n) <= names for _, around in found for n in around):
        return False
    within = [n for n in walk(e.body) if isinstance(n, Reduce)]
    rows = (e.indices[len(outer) :], moved.indices[len(outer) :], *(n.over for n in (*own, *within)))
    nodes = sum(1 for _ in walk(e.body)) + len(found) * sum(1 for _ in walk(moved.body))
    return all(is_row(bounds) for bounds in rows) and nodes <= _MOST_NODES


def is_row(bounds: tuple[Bound, ...]) -> bool:
    """Whether so many elements stay in the nearest cache."""
    return prod(int(str(b.extent)) for b in bounds) <= MOST_OF_A_ROW


def _bound(found: list[Reduce]) -> set[str]:
    return {b.name for n in found for b in n.over}


def _accesses(n: Expr, tensor: str, around: tuple[Reduce, ...]) -> Iterator[tuple[Read, tuple[Reduce, ...]]]:
    """The reads of a tensor that are in no subscript, each with the reductions it stands in."""
    if isinstance(n, Read):
        if n.tensor == tensor:
            yield n, around
        return
    inner = (*around, n) if isinstance(n, Reduce) else around
    for c in children(n):
        yield from _accesses(c, tensor, inner)


def _outer(moved: Equation, e: Equation, found: list[Read]) -> tuple[Bound, ...]:
    """The leading indices of `e` at which all accesses stand, in order."""
    k = 0
    while k < min(len(moved.indices), len(e.indices)) and all(
        isinstance(s := r.subscripts[k], Index) and s.name == e.indices[k].name for r in found
    ):
        k += 1
    return e.indices[:k]


def _is_whole(r: Read, moved: Equation, e: Equation, around: tuple[Reduce, ...], outer: int) -> bool:
    """Whether the access goes through all of a row, by indices of its own."""
    extents = {b.name: b.extent for b in (*e.indices, *(b for n in around for b in n.over))}
    names = [s.name if isinstance(s, Index) else "" for s in r.subscripts]
    rest = zip(names[outer:], moved.indices[outer:], strict=True)
    return r.border is None and len(set(names)) == len(names) and all(extents.get(n) == b.extent for n, b in rest)


def _own_names(moved: Equation, e: Equation) -> dict[str, str]:
    """Names for what `moved` sums over that mean nothing else in `e`: the same for every access, so that it is done once."""
    taken = {b.name for b in e.indices} | _bound([n for n in walk(e.body) if isinstance(n, Reduce)])
    names: dict[str, str] = {}
    for b in (b for n in walk(moved.body) if isinstance(n, Reduce) for b in n.over):
        if b.name not in names:
            names[b.name] = other_name(b.name, taken)
            taken.add(names[b.name])
    return names


def _put(n: Expr, moved: Equation, names: dict[str, str]) -> Expr:
    """`n` with the body of `moved` in the place of each access to its target."""
    if isinstance(n, Read) and n.tensor == moved.target:
        places = {b.name: s.name for b, s in zip(moved.indices, n.subscripts, strict=True) if isinstance(s, Index)}
        return renamed(moved.body, {**places, **names})
    return with_children(n, tuple(_put(c, moved, names) for c in children(n)))
