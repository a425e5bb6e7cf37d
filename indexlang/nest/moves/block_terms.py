"""The loops over the summed indices of a register block. Tests cut the loops; what is left of one stands outside the rest.

before   for dx: for dy: for i: each row r: t_r += W[dx,dy,i]*(X[x+dx-1,y+r+dy-1,i] if x+dx-1 >= 0 and y+r+dy-1 >= 0 else 0)
after    for dx where x+dx-1 >= 0:
             for dy where y+dy-1 >= 0, in all rows:  for i: each row r: t_r += W[dx,dy,i]*X[x+dx-1,y+r+dy-1,i]
             each row r by itself: for the other dy where its own test holds:  t_r += …
         for the other dx:  …, or nothing where the other terms change no sum
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import product

from indexlang.ir import ops
from indexlang.ir.affine import Affine, conjuncts, not_negative
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import (
    Bound,
    Expr,
    Reduce,
    Select,
    changes_nothing,
    children,
    free_indices,
    walk,
    with_children,
    with_indices,
)
from indexlang.nest.limits import narrower
from indexlang.nest.moves.slide import Slide, at_tap, has_tests
from indexlang.nest.nodes import Add, Around, Choice, For, Let, Node, local


@dataclass(frozen=True, slots=True)
class Sum:
    """One sum of a block: its local scalar, and where it is in the block, as places of rows and column."""

    name: str
    row: dict[str, Expr]
    column: dict[str, Expr]

    def at(self, e: Expr) -> Expr:
        """`e` for this sum."""
        return with_indices(e, {**self.row, **self.column})


@dataclass(frozen=True, slots=True)
class Terms:
    """Writes the loops that fold all terms into the sums of a block, whose rows have their first and last place in `rows`.

    slide   what several rows read while this index goes on is loaded once; None: there is no such index, or one row only
    """

    total: Reduce
    rows: dict[str, tuple[Expr, Expr]]
    build: Builder = field(repr=False)
    slide: Slide | None = None

    def loops(self, over: tuple[Bound, ...], known: Set[str], term: Expr, sums: tuple[Sum, ...]) -> tuple[Node, ...]:
        """The loops over `over`, inside of which `known` indices have values; the tests in `term` as far out as can be."""
        if changes_nothing(term, self.total):
            return ()
        test = _test(term, known)
        if test is not None:
            cond, then = self._joined(test, known)
            holds, fails = (self.loops(over, known, _with(term, test, part), sums) for part in (then, test.other))
            if holds:
                return (Choice(cond, holds, fails),)
            return (Choice(self.build.apply(ops.NOT, cond), fails, ()),) if fails else ()
        if not over:
            return tuple(Add(s.name, self.total.dtype, self.total.fold, s.at(term)) for s in sums)
        first, *others = over
        rest, within = tuple(others), known | {first.name}
        test = _test(term, within)
        if test is not None and _bounds(test.cond, first):
            cond, then = self._joined(test, within, first)
            sides = (self.loops(rest, within, _with(term, test, part), sums) for part in (then, test.other))
            return self._cut(first, cond, *sides)
        test = _test(term, within | self.rows.keys())
        if test is not None and _bounds(test.cond, first):
            return self._by_rows(first, rest, known, term, test, sums)
        if self.slide is not None and over == (self.slide.over,) and not has_tests(term):
            return self._slid(self.slide, term, sums)
        inner = self.loops(rest, within, term, sums)
        return (For(first.name, integer(0), integer(first.extent), inner),) if inner else ()

    def _slid(self, slide: Slide, term: Expr, sums: tuple[Sum, ...]) -> tuple[Node, ...]:
        """All terms of a sliding index, written out in the order of what they read."""
        places = list(dict.fromkeys(tuple(s.row.items()) for s in sums))
        rows = [[s for s in sums if tuple(s.row.items()) == place] for place in places]
        total = self.total
        return tuple(
            Add(s.name, total.dtype, total.fold, at_tap(s.at(term), slide, k))
            for r, k in slide.order(len(rows))
            for s in rows[r]
        )

    def _by_rows(
        self, first: Bound, rest: tuple[Bound, ...], known: Set[str], term: Expr, test: Select, sums: tuple[Sum, ...]
    ) -> tuple[Node, ...]:
        """All rows together where the test holds in all of them, which is where it holds in the outermost ones; then each
        row where it holds in this row alone, and where it does not.

        Blocks with sums for all values of an index have too many rows to be written one by one for the other terms.
        """
        within, moved = known | {first.name}, free_indices(test.cond) & self.rows.keys()
        cond, then = self._joined(test, within | moved, first)
        corners = product(*(dict.fromkeys(self.rows[n]) for n in sorted(moved)))
        at_corners = [with_indices(cond, dict(zip(sorted(moved), corner, strict=True))) for corner in corners]
        everywhere = reduce(partial(self.build.apply, ops.AND), at_corners)
        together = self.loops(rest, within, _with(term, test, then), sums)
        if len(self.rows) > 1:
            return self._cut(first, everywhere, together, self._tested(rest, term, sums))
        out = list(self._cut(first, everywhere, together, ()))
        low, high = (local(f"{first.name}_{end}", DType.INT) for end in ("low", "high"))
        for row, own in _rows(moved, sums):
            start, stop = self._range(with_indices(cond, row), first)
            start, stop = self._apply(ops.MIN, start, integer(first.extent)), self._apply(ops.MAX, stop, start)
            alone, besides = (
                self.loops(rest, within | moved, with_indices(_with(term, test, part), row), own)
                for part in (then, test.other)
            )
            a, b = (self._apply(ops.MIN, self._apply(ops.MAX, end, start), stop) for end in (low, high))
            out += [Around(first.name, start, a, b, stop, alone)] if alone else []
            out += [Around(first.name, integer(0), start, stop, integer(first.extent), besides)] if besides else []
        return tuple(out)

    def _cut(self, first: Bound, cond: Expr, then: tuple[Node, ...], other: tuple[Node, ...]) -> tuple[Node, ...]:
        """The loop over an index, in the range where the test holds, and around it."""
        low, high = self._range(cond, first)
        low = self.build.apply(ops.MIN, low, integer(first.extent))
        lets = [Let(f"{first.name}_low", DType.INT, low)]
        low = local(f"{first.name}_low", DType.INT)
        lets.append(Let(f"{first.name}_high", DType.INT, self.build.apply(ops.MAX, high, low)))
        high = local(f"{first.name}_high", DType.INT)
        around = (Around(first.name, integer(0), low, high, integer(first.extent), other),) if other else ()
        return (*lets, *((For(first.name, low, high, then),) if then else ()), *around)

    def _range(self, cond: Expr, first: Bound) -> tuple[Expr, Expr]:
        """From where to where a test holds; empty where the end lies before the start."""
        low: Expr = integer(0)
        high: Expr = integer(first.extent)
        for bound in _bounds(cond, first):
            low, high = narrower(bound, first, low, high, self.build)
        return low, high

    def _apply(self, op: ops.Op, a: Expr, b: Expr) -> Expr:
        return self.build.apply(op, a, b)

    def _tested(self, over: tuple[Bound, ...], term: Expr, sums: tuple[Sum, ...]) -> tuple[Node, ...]:
        """All rows with their tests inside the loops: short to write, for the few terms where a test can fail."""
        if over:
            first, *others = over
            inner = self._tested(tuple(others), term, sums)
            return (For(first.name, integer(0), integer(first.extent), inner),)
        return tuple(Add(s.name, self.total.dtype, self.total.fold, s.at(self._in_one(term))) for s in sums)

    def _in_one(self, e: Expr) -> Expr:
        """Tests inside tests that choose between the same, as one."""
        if isinstance(e, Select):
            cond, then = self._joined(e, free_indices(e))
            return replace(e, cond=cond, then=self._in_one(then), other=self._in_one(e.other))
        return with_children(e, tuple(self._in_one(c) for c in children(e)))

    def _joined(self, test: Select, known: Set[str], first: Bound | None = None) -> tuple[Expr, Expr]:
        """The tests inside a test that are known as well and choose between the same, as one; and what they choose.

        first   only tests that bound this index are joined: what is cut for them is cut for nothing else
        """
        cond, then = test.cond, test.then
        while isinstance(then, Select) and then.other == test.other and free_indices(then.cond) <= known:
            if first is not None and not _bounds(then.cond, first):
                break
            cond, then = self.build.apply(ops.AND, cond, then.cond), then.then
        return cond, then


def _test(term: Expr, known: Set[str]) -> Select | None:
    return next((n for n in walk(term) if isinstance(n, Select) and free_indices(n.cond) <= known), None)


def _with(e: Expr, old: Expr, new: Expr) -> Expr:
    return new if e is old else with_children(e, tuple(_with(c, old, new) for c in children(e)))


def _rows(moved: Set[str], sums: tuple[Sum, ...]) -> Iterator[tuple[dict[str, Expr], tuple[Sum, ...]]]:
    """Each place of the indices `moved` in a block, and its sums, which stand there already."""

    def place(s: Sum) -> tuple[tuple[str, Expr], ...]:
        return tuple((n, e) for n, e in s.row.items() if n in moved)

    for row in dict.fromkeys(place(s) for s in sums):
        rest = (replace(s, row={n: e for n, e in s.row.items() if n not in moved}) for s in sums if place(s) == row)
        yield dict(row), tuple(rest)


def _bounds(cond: Expr, first: Bound) -> tuple[Affine, ...]:
    """The forms that must not be negative, if all of them bound this index; else none."""
    found = [not_negative(c) for c in conjuncts(cond)]
    plain = tuple(f for f in found if f is not None and f.is_plain and f.is_concrete and f.coefficient(first.name) != 0)
    return plain if len(plain) == len(found) else ()
