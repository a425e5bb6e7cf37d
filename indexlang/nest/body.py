"""What every general schedule is made of: reductions as scalars, hoisted as far out as their indices allow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import Affine
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import (
    Apply,
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Reduce,
    children,
    free_indices,
    reads,
    rewrite,
    walk,
    with_children,
    with_indices,
)
from indexlang.ir.layout import layout
from indexlang.ir.show import show_equation
from indexlang.ir.size import Named
from indexlang.nest.limits import ends, limited
from indexlang.nest.moves.stream import span
from indexlang.nest.nodes import Add, For, Let, Nest, Node, Row, Store, Track, local
from indexlang.nest.steps import known, step_cost

_UNROLLED_TERMS, _UNROLLED_NODES = 32, 600  # of a reduction that is written out term by term


@dataclass(frozen=True, slots=True)
class Kept:
    """`early` is what the sum `total` computes at its index `at`, `late` the same at the `place` in the row, later.

    room  elements of the row that there is room for
    """

    total: Reduce
    early: Expr
    late: Expr
    at: Index
    place: Index
    room: int


class Body:
    """The statements of one nest, as they are made: reductions get scalars of their own."""

    def __init__(self, program: Program, large: int = 2**62) -> None:
        self.program, self.large = program, large  # bytes of a result that is written past the caches
        self.build = Builder(program.float_type)
        self.locals = 0
        self.kept: tuple[Kept, ...] = ()

    def hoisted(self, body: Expr, inside: set[str], done: dict[Expr, Expr]) -> tuple[Node, ...]:
        """Statements for the reductions of `body` whose indices are all known now; `done` maps each to its scalar.

        Those that differ in the names of their indices alone are done once, and those that read the same in one loop,
        so that what their terms share is computed once.
        """
        out: list[Node] = []
        ready = [n for n in outermost(body) if n not in done and free_indices(n) <= inside]
        forms = {_anonymous(n): n for n in reversed(ready)}
        for form, n in reversed(forms.items()):
            if form in done:
                continue
            others = [m for f, m in reversed(forms.items()) if m != n and f not in done and self._go_together(n, m)]
            out.extend(self._together((n, *others), inside, done) if others else self._reduction(n, inside, done))
            done.update({_anonymous(m): done[m] for m in (n, *others)})
        done.update({n: done[_anonymous(n)] for n in ready})
        return tuple(out)

    def known(self, parts: Iterable[Expr], done: dict[Expr, Expr]) -> Iterator[Node]:
        """Statements that compute parts of a body, in order."""
        for n in parts:
            value = self.filled(n, done)
            done[n] = self._local("t", n.dtype)
            yield Let(_name(done[n]), n.dtype, value)

    def _local(self, stem: str, dtype: DType) -> Read:
        self.locals += 1
        return local(f"{stem}{self.locals}", dtype)

    def filled(self, body: Expr, done: Mapping[Expr, Expr], steady: Set[str] = frozenset()) -> Expr:
        """`body` with the reductions that are done replaced by their scalars; `steady` is what no step of the loop changes."""
        found = done.get(body)
        if found is not None:
            return found
        made = with_children(body, tuple(self.filled(c, done, steady) for c in children(body)))
        if isinstance(body, Apply) and body.op is ops.DIV and free_indices(body.args[1]) <= steady:
            return replace(made, op=ops.QUOTIENT)
        return made

    def _reduction(self, n: Reduce, inside: set[str], done: dict[Expr, Expr]) -> Iterator[Node]:
        over = self._loop_order(n)
        as_it_is = is_short(n) or any(k.total == n for k in self.kept)
        limits, term = ((), n.body) if as_it_is else limited(n, over)
        early: dict[Expr, Expr] = dict(done)
        yield from self.hoisted(term, inside, early)
        late = dict(early)
        within = self.hoisted(term, inside | {b.name for b in over}, late)
        for k in (k for k in self.kept if k.total == n):
            row = self._local("row", k.early.dtype)
            within += (*self.known((k.early,), late), Store(row.tensor, (k.at,), late[k.early]))
            done[k.late] = replace(row, subscripts=(k.place,))
            yield Row(_name(row), row.dtype, k.room)
        value = self.filled(term, late, inside | {b.name for b in over[:-1]})
        name = _name(self._local("t", n.dtype))
        if n.fold in (ops.ARGMAX, ops.ARGMIN):
            yield from _tracking(n, name, within, value, self.build)
        else:
            yield _first(n, name)
            if within or not is_short(n):
                yield loops(over, (*within, Add(name, n.dtype, n.fold, value)), limits, self.build)
            else:
                yield from (Add(name, n.dtype, n.fold, at) for at in written_out(over, value))
        done[n] = local(name, n.dtype)

    def _go_together(self, n: Reduce, m: Reduce) -> bool:
        """Whether one loop does both: over the same ranges, of something that both read, with nothing else to do in it."""
        one, other = self._loop_order(n), self._loop_order(m)
        same = [b.extent for b in one] == [b.extent for b in other] and self._is_plain(n) and self._is_plain(m)
        return same and not set(reads(n.body)).isdisjoint(reads(_put(m.body, other, one)))

    def _is_plain(self, n: Reduce) -> bool:
        own = {b.name for b in n.over}
        is_loop = not is_short(n) and n.fold not in (ops.ARGMAX, ops.ARGMIN) and all(k.total != n for k in self.kept)
        return is_loop and not limited(n, n.over)[0] and all(own.isdisjoint(free_indices(r)) for r in outermost(n.body))

    def _together(self, group: tuple[Reduce, ...], inside: set[str], done: dict[Expr, Expr]) -> Iterator[Node]:
        """Several reductions in one loop, that of the first."""
        over = self._loop_order(group[0])
        early: dict[Expr, Expr] = dict(done)
        for n in group:
            yield from self.hoisted(n.body, inside, early)
        adds: list[Node] = []
        for n in group:
            own = self._loop_order(n)
            value = self.filled(n.body, early, inside | {b.name for b in own[:-1]})
            done[n] = self._local("t", n.dtype)
            yield _first(n, _name(done[n]))
            adds.append(Add(_name(done[n]), n.dtype, n.fold, _put(value, own, over)))
        yield loops(over, tuple(adds), (), self.build)

    def _loop_order(self, n: Reduce) -> tuple[Bound, ...]:
        """The summed indices with the most contiguous one innermost; the others keep their order."""
        if len(n.over) < 2 or n.fold.name.startswith("arg"):
            return n.over
        costs = {b.name: sum(step_cost(r, b.name, self.program) for r in reads(n.body)) for b in n.over}
        best = min(reversed(n.over), key=lambda b: costs[b.name])
        return (*(b for b in n.over if b is not best), best)

    def nest(
        self, e: Equation, lowered: Equation, iterations: tuple[Bound, ...], body: tuple[Node, ...], schedule: str
    ) -> Nest:
        """A nest for `e`, made from `lowered`, which says the same in other indices."""
        names = tuple(dict.fromkeys(r.tensor for part in (*e.left, e.body) for r in reads(part)))
        own = (r.tensor for r in reads(lowered.body) if r.tensor not in names)
        tensors = (*names, e.target, *dict.fromkeys(own))
        strides = {n: layout(self.program, n).strides for n in tensors}
        dtypes = {n: self.program.tensor(n).dtype for n in tensors}
        work, written = operations(lowered, iterations), span(lowered, iterations, self.program)
        return Nest(
            show_equation(e), iterations, body, names, e.target, strides, dtypes, work, schedule=schedule, span=written
        )


def _name(e: Expr) -> str:
    assert isinstance(e, Read)
    return e.tensor[1:]


def _first(n: Reduce, name: str) -> Let:
    return Let(name, n.dtype, Const(ops.identity(n.fold, n.dtype.is_float), n.dtype))


def _put(term: Expr, own: Sequence[Bound], over: Sequence[Bound]) -> Expr:
    """A term with other indices in the place of its own."""
    return with_indices(term, {b.name: Index(c.name) for b, c in zip(own, over, strict=True)})


def _anonymous(n: Reduce) -> Reduce:
    """A reduction whose indices are numbered: the same for all that differ in their names alone."""
    numbered = tuple(replace(b, name=f"#{k}") for k, b in enumerate(n.over))
    return replace(n, over=numbered, body=_put(n.body, n.over, numbered))


def _tracking(n: Reduce, name: str, within: tuple[Node, ...], term: Expr, build: Builder) -> Iterator[Node]:
    fold = ops.LARGEST if n.fold is ops.ARGMAX else ops.SMALLEST
    yield Let(f"{name}_best", n.body.dtype, Const(ops.identity(fold, n.body.dtype.is_float), n.body.dtype))
    yield Let(name, DType.INT, integer(0))
    yield loops(n.over, (*within, Track(f"{name}_best", name, n.fold, n.over[0].name, term)), (), build)


def loops(over: Sequence[Bound], body: tuple[Node, ...], limits: Sequence[Affine], build: Builder) -> For:
    """Loops over `over`, the last innermost, around `body`; there is at least one. `limits` end them."""
    inner = body
    for b in reversed(over):
        inner = (For(b.name, *ends(b, limits, over, build), inner),)
    found = inner[0]
    assert isinstance(found, For)
    return found


def is_short(n: Reduce) -> bool:
    """Whether a reduction is written out, so that the loop around it can become vectors."""
    if any(isinstance(b.extent, Named) for b in n.over) or n.fold in (ops.ARGMAX, ops.ARGMIN):
        return False
    terms = prod(known(b.extent) for b in n.over)
    return terms <= _UNROLLED_TERMS and terms * sum(1 for _ in walk(n.body)) <= _UNROLLED_NODES


def written_out(over: Sequence[Bound], term: Expr) -> Iterator[Expr]:
    """The terms of a reduction, in order."""
    for at in product(*(range(known(b.extent)) for b in over)):
        places = {b.name: integer(k) for b, k in zip(over, at, strict=True)}
        yield rewrite(term, lambda n, places=places: places.get(n.name, n) if isinstance(n, Index) else n)


def outermost(e: Expr) -> Iterator[Reduce]:
    """The reductions of an expression that stand in no other."""
    if isinstance(e, Reduce):
        yield e
    else:
        for c in children(e):
            yield from outermost(c)


def operations(e: Equation, iterations: Sequence[Bound]) -> int:
    """Elementary operations an iteration: those of each element, and of each sum as often as it is done."""
    flattened = {b.name for b in iterations}
    own = tuple(b for b in e.indices if b.name not in flattened)
    return min(_work(e.body, own), 2**60)


def _work(body: Expr, around: tuple[Bound, ...]) -> int:
    """Operations of loops over `around`, with the sums of their body before the loops that they do not need."""
    own = set(outermost(body))
    sums = sum(_work(n.body, (*(b for b in around if b.name in free_indices(n)), *n.over)) for n in own)
    nodes = 1 + sum(1 for _ in _outside_sums(body))
    return nodes * prod(max(known(b.extent), 1) for b in around) + sums


def _outside_sums(e: Expr) -> Iterator[Expr]:
    if not isinstance(e, Reduce):
        yield e
        for c in children(e):
            yield from _outside_sums(c)


def here(e: Equation, dtype: DType) -> Read:
    """The element of the target that an equation defines, as a value."""
    return Read(e.target, e.left, None, dtype)
