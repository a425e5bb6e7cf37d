"""Ways to solve `subscript = place` for an index in the subscript, each with what is left to sum over.

before   2*x + dx = u            for x of 0..X, dx of 0..3
after    x = u//2 - e, dx = 2*e + u%2                     for e of 0..2

How each kind of subscript is solved is a function, with its reason. `gather` chooses among the ways.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import reduce
from math import gcd

from indexlang.ir import ops
from indexlang.ir.affine import Affine, Floor, affine, index
from indexlang.ir.bounds import span_of
from indexlang.ir.build import Builder, integer
from indexlang.ir.expr import Apply, Bound, Expr, Index, free_indices, with_indices
from indexlang.ir.size import Extent, at_least, floordiv
from indexlang.passes.tidy import as_expr

UNKNOWN = 1 << 20
"""What a named extent counts as when sums are compared."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to solve an axis.

    cost        how many values are left to sum over
    found       indices of the subscript, by the place and what is left
    new         indices that stand for those found, and are summed over
    conditions  what holds where a place is reached at all
    """

    cost: int
    found: Mapping[str, Expr]
    new: tuple[Bound, ...] = ()
    conditions: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Solver:
    """Solves subscripts for indices that are not found yet.

    box    the extents of all indices       open   those that are not found
    taken  names that a new index cannot have
    """

    box: Mapping[str, Extent]
    open: AbstractSet[str]
    taken: AbstractSet[str]
    build: Builder

    def ways(self, subscript: Expr, place: Index) -> Iterator[Way]:
        """Every way to solve `subscript = place`; none where data decide which index it is."""
        if not free_indices(subscript) & self.open:
            yield Way(0, {}, conditions=(self.build.apply(ops.EQ, place, subscript),))
            return
        form, data = _linear(subscript, self.build)
        if form is None or (data is not None and free_indices(data) & self.open):
            return
        yield from self._solutions(form, place if data is None else self.build.apply(ops.SUB, place, data))

    def _solutions(self, form: Affine, place: Expr) -> Iterator[Way]:
        """Ways to solve `form = place` for an open index of the form."""
        divisor = self._common_factor(form)
        known = Affine(form.constant, tuple((v, c) for v, c in form.terms if not _indices(v) & self.open))
        place = self.build.apply(ops.SUB, place, as_expr(known, self.build))
        form = form - known
        conditions: tuple[Expr, ...] = ()
        if divisor > 1:
            rest = self.build.apply(ops.MOD, place, integer(divisor))
            conditions = (self.build.apply(ops.EQ, rest, integer(0)),)
            place = self.build.apply(ops.FLOORDIV, place, integer(divisor))
            form = Affine(0, tuple((v, floordiv(c, divisor)) for v, c in form.terms))
        for v, c in form.terms:
            rest = form - Affine(0, ((v, c),))
            for way in self._by(v, c, rest, place):
                yield replace(way, conditions=(*conditions, *way.conditions))

    def _common_factor(self, form: Affine) -> int:
        factors = [c for v, c in form.terms if _indices(v) & self.open]
        return reduce(gcd, factors) if all(isinstance(c, int) for c in factors) else 1  # type: ignore[arg-type]

    def _by(self, v: "str | Floor", c: Extent, rest: Affine, place: Expr) -> Iterator[Way]:
        """Ways to solve `c*v + rest = place` for v."""
        others = rest.indices & self.open
        if isinstance(v, Floor):
            if c in (1, -1) and not v.above.indices & rest.indices:
                yield from self._by_quotient(v, c, rest, place, others)
        elif v in rest.indices:
            yield from self._by_remainder(v, c, rest, place)
        elif c in (1, -1):
            value = self.build.apply(ops.SUB, place, as_expr(rest, self.build))
            yield Way(self._count(others), {v: value if c == 1 else self.build.apply(ops.NEG, value)})
        elif isinstance(c, int):
            yield from self._by_division(v, c, rest, place, others)
        else:
            yield from self._by_digit(v, c, rest, place)

    def _by_division(self, v: str, c: int, rest: Affine, place: Expr, others: AbstractSet[str]) -> Iterator[Way]:
        """c*v + d + … = u with |c| > 1: as d runs, u-d-… is a multiple of c for every c-th d only.

        d = c*e + (u-…)%c, and v = (u-…)//c - e. Without such a d, the others run and most values are thrown away.
        """
        if c < 0:  # -c*v - rest = -u
            place, rest, c = self.build.apply(ops.NEG, place), rest.scaled(-1), -c
        yield from self._by_digit(v, c, rest, place)
        for d, sign in rest.terms:
            if isinstance(d, str) and d in self.open and sign in (1, -1) and d not in (rest - _one(d, sign)).indices:
                left = self.build.apply(ops.SUB, place, as_expr(rest - _one(d, sign), self.build))
                yield self._by_residue(v, c, d, sign, left, others)
        left = self.build.apply(ops.SUB, place, as_expr(rest, self.build))
        multiple = self.build.apply(ops.EQ, self.build.apply(ops.MOD, left, integer(c)), integer(0))
        value = self.build.apply(ops.FLOORDIV, left, integer(c))
        yield Way(self._count(others), {v: value}, conditions=(multiple,))

    def _by_residue(self, v: str, c: int, d: str, sign: Extent, left: Expr, others: AbstractSet[str]) -> Way:
        steps = floordiv(self.box[d] + (c - 1), c)
        e = Bound(self._fresh(d), steps)
        down = left if sign == 1 else self.build.apply(ops.NEG, left)
        digit = self.build.apply(ops.ADD, _times(c, e, self.build), self.build.apply(ops.MOD, down, integer(c)))
        quotient = self.build.apply(ops.FLOORDIV, down, integer(c))
        if sign != 1:
            quotient = self.build.apply(ops.NEG, quotient)
        sum_or_difference = ops.SUB if sign == 1 else ops.ADD
        value = self.build.apply(sum_or_difference, quotient, Index(e.name))
        cost = self._count(others - {d}) * _weight(steps)
        return Way(cost, {v: value, d: digit}, (e,))

    def _by_digit(self, v: str, c: Extent, rest: Affine, place: Expr) -> Iterator[Way]:
        """c*v + r = u with r in 0..c: v is u//c, and r = u%c is solved in turn (the digits of a group)."""
        lowest, highest = span_of(rest, self.box) or (-1, -1)
        if lowest != 0 or at_least(c - 1, highest) is not True:
            return
        value = self.build.apply(ops.FLOORDIV, place, integer(c))
        below = self.build.apply(ops.MOD, place, integer(c))
        for way in self._solutions(rest, below) if rest.terms else ():
            yield replace(way, found={v: value, **way.found})

    def _by_quotient(self, v: Floor, c: Extent, rest: Affine, place: Expr, others: AbstractSet[str]) -> Iterator[Way]:
        """(x+r)//k + … = u: x runs through the block k*(u-…)-r, …, k more. With a*x, through k/a of them."""
        inner = [(w, a) for w, a in v.above.terms if isinstance(w, str) and w in self.open]
        value = self.build.apply(ops.SUB, place, as_expr(rest, self.build))
        block = value if c == 1 else self.build.apply(ops.NEG, value)
        start = self.build.apply(ops.MUL, integer(v.below), block)
        for x, a in inner:
            left = v.above - Affine(0, ((x, a),))
            if x in left.indices or not isinstance(a, int) or a < 1:
                continue
            m = Bound(self._fresh(x), floordiv(v.below + (a - 1), a))
            first = self.build.apply(ops.SUB, start, as_expr(left, self.build))
            if a > 1:
                first = self.build.apply(ops.FLOORDIV, self.build.apply(ops.ADD, first, integer(a - 1)), integer(a))
            found = self.build.apply(ops.ADD, first, Index(m.name))
            again = self.build.apply(ops.FLOORDIV, as_expr(v.above, self.build), integer(v.below))
            check = () if a == 1 else (self.build.apply(ops.EQ, with_indices(again, {x: found}), block),)
            remaining = (others | v.above.indices) & self.open - {x}
            yield Way(self._count(remaining) * _weight(m.extent), {x: found}, (m,), check)

    def _by_remainder(self, x: str, c: Extent, rest: Affine, place: Expr) -> Iterator[Way]:
        """(x+r)%k = u, r a constant: x = k*m + u - r. In affine form it is x + r - k*((x+r)//k)."""
        if c != 1 or len(rest.terms) != 1:
            return
        floor, factor = rest.terms[0]
        if not isinstance(floor, Floor) or factor != -floor.below or floor.above.terms != ((x, 1),):
            return
        r = floor.above.constant
        if at_least(r, 0) is not True:
            return
        digit = self.build.apply(ops.ADD, place, integer(r))  # x - k*floor = place
        count = floordiv(self.box[x] - 1 + r, floor.below) + 1
        m = Bound(self._fresh(x), count)
        found = self.build.apply(ops.ADD, _times(floor.below, m, self.build), place)
        low = self.build.apply(ops.LE, integer(0), digit)
        high = self.build.apply(ops.LT, digit, integer(floor.below))
        yield Way(_weight(count), {x: found}, (m,), (low, high))

    def _count(self, names: AbstractSet[str]) -> int:
        total = 1
        for name in names:
            total *= _weight(self.box[name])
        return total

    def _fresh(self, stem: str) -> str:
        name = stem
        while name in self.taken:
            name += "'"
        return name


def _linear(s: Expr, build: Builder) -> tuple[Affine | None, Expr | None]:
    """An int expression as an affine form plus what depends on data."""
    form = affine(s)
    if form is not None:
        return form, None
    match s:
        case Apply(op=ops.ADD | ops.SUB as op, args=(a, b)):
            (left, data), (right, more) = _linear(a, build), _linear(b, build)
            if left is None or right is None:
                return None, None
            if more is not None and op is ops.SUB:
                more = build.apply(ops.NEG, more)
            both = more if data is None else data if more is None else build.apply(ops.ADD, data, more)
            return (left + right if op is ops.ADD else left - right), both
        case _:
            return Affine(0), s


def _one(name: str, c: Extent) -> Affine:
    return index(name).scaled(c)


def _times(c: Extent, b: Bound, build: Builder) -> Expr:
    return build.apply(ops.MUL, integer(c), Index(b.name))


def _indices(v: "str | Floor") -> set[str]:
    return {v} if isinstance(v, str) else v.above.indices


def _weight(extent: Extent) -> int:
    return extent if isinstance(extent, int) else UNKNOWN
