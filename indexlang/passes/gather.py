"""Additions to places that are computed, as sums over what comes from where: scatter → gather.

before   T[b, 2*x+dx] += P[b,x]*W[dx]                          for x of 0..X, dx of 0..3
after    T[b,u] = sum[e:2] P[b, u//2-e else 0]*W[2*e+u%2 else 0]

Each subscript is an equation for the indices in it. It is solved for one of them, so that few values of the others
are left to sum over; how each kind of subscript is solved is a function below, with its reason.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from math import gcd

from indexlang.ir import ops
from indexlang.ir.affine import Affine, Floor, affine, index
from indexlang.ir.bounds import Facts, Interval, span_of, stays_inside
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import (
    Apply,
    Border,
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Rule,
    free_indices,
    reads,
    rewrite,
    walk,
    with_indices,
)
from indexlang.ir.size import Extent, Size, at_least, floordiv
from indexlang.passes.products import Product
from indexlang.passes.tidy import as_expr, simplified, tidy

_UNKNOWN = 1 << 20  # what a named extent counts as when sums are compared


@dataclass(frozen=True, slots=True)
class Adds:
    """`target[subscripts] += product` for all values of the indices. The subscripts may leave the target's axes:
    what is added outside is lost."""

    subscripts: tuple[Expr, ...]
    product: Product
    indices: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Gather:
    """`target[left] = sum[over] product` for all values of the indices: one-to-one, and every element."""

    indices: tuple[Bound, ...]
    left: tuple[Expr, ...]
    over: tuple[Bound, ...]
    product: Product


def gathered(
    adds: Adds,
    extents: tuple[Extent, ...],
    letters: Sequence[str],
    shapes: Mapping[str, tuple[Extent, ...]],
    build: Builder,
    groups: bool = False,
) -> Gather | None:
    """The additions to a tensor of these extents as a gather; None where a subscript cannot be solved (data decide).

    letters  names for the target's axes where the subscripts suggest none
    shapes   the extents of every tensor that is read
    groups   whether an axis that is a group of indices may stay one on the left side
    """
    return _Solving(adds, extents, letters, shapes, build, groups).run()


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to solve an axis: how many values are left to sum over, the index that is found, and new indices."""

    cost: int
    found: Mapping[str, Expr]
    new: tuple[Bound, ...] = ()
    conditions: tuple[Expr, ...] = ()


@dataclass
class _Solving:
    adds: Adds
    extents: tuple[Extent, ...]
    letters: Sequence[str]
    shapes: Mapping[str, tuple[Extent, ...]]
    build: Builder
    groups: bool
    bounds: list[Bound] = field(default_factory=list[Bound])  # of all indices, those that came with a solution too
    box: dict[str, Extent] = field(default_factory=dict[str, Extent])
    open: list[str] = field(default_factory=list[str])  # indices that are not found yet
    found: dict[str, Expr] = field(default_factory=dict[str, Expr])
    conditions: list[Expr] = field(default_factory=list[Expr])
    letter: dict[int, str] = field(default_factory=dict[int, str])  # of an axis, as the subscripts suggest it
    kept: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])  # groups that stay

    def run(self) -> Gather | None:
        self.box = {b.name: b.extent for b in self.adds.indices} | {_out(k): n for k, n in enumerate(self.extents)}
        self.open = [b.name for b in self.adds.indices]
        self.bounds = list(self.adds.indices)
        if self.groups:
            self._keep_groups()
        axes = [k for k in range(len(self.extents)) if k not in self.kept]
        while axes:
            ways = [(way.cost, k, way) for k in axes if (way := self._cheapest(k)) is not None]
            if not ways:
                return None
            _, k, way = min(ways, key=lambda w: w[:2])
            self._take(k, way)
            axes.remove(k)
        return self._result()

    # -- solving one axis

    def _subscript(self, axis: int) -> Expr:
        return self._filled(self.adds.subscripts[axis])

    def _filled(self, e: Expr) -> Expr:
        """An expression with the indices that have been found in their places."""
        return tidy(with_indices(e, self.found), self.box, self.build)

    def _cheapest(self, axis: int) -> _Way | None:
        return min(self._ways(axis), key=lambda w: w.cost, default=None)

    def _ways(self, axis: int) -> Iterator[_Way]:
        """Every way to solve `subscript = output index` for an axis."""
        s = self._subscript(axis)
        unknown = free_indices(s) & set(self.open)
        if not unknown:
            yield _Way(0, {}, conditions=(self.build.apply(ops.EQ, Index(_out(axis)), s),))
            return
        form, data = _linear(s, self.build)
        if form is None or (data is not None and free_indices(data) & set(self.open)):
            return
        place: Expr = Index(_out(axis))
        if data is not None:
            place = self.build.apply(ops.SUB, place, data)
        yield from self._solutions(form, place)

    def _solutions(self, form: Affine, place: Expr) -> Iterator[_Way]:
        """Ways to solve `form = place` for an open index of the form."""
        divisor = self._common_factor(form)
        known = Affine(form.constant, tuple((v, c) for v, c in form.terms if not _indices(v) & set(self.open)))
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
        factors = [c for v, c in form.terms if _indices(v) & set(self.open)]
        return reduce(gcd, factors) if all(isinstance(c, int) for c in factors) else 1  # type: ignore[arg-type]

    def _by(self, v: "str | Floor", c: Extent, rest: Affine, place: Expr) -> Iterator[_Way]:
        """Ways to solve `c*v + rest = place` for v."""
        others = rest.indices & set(self.open)
        if isinstance(v, Floor):
            if c in (1, -1) and not v.above.indices & rest.indices:
                yield from self._by_quotient(v, c, rest, place, others)
        elif v in rest.indices:
            yield from self._by_remainder(v, c, rest, place)
        elif c in (1, -1):
            value = self.build.apply(ops.SUB, place, as_expr(rest, self.build))
            yield _Way(self._count(others), {v: value if c == 1 else self.build.apply(ops.NEG, value)})
        elif isinstance(c, int):
            yield from self._by_division(v, c, rest, place, others)
        else:
            yield from self._by_digit(v, c, rest, place)

    def _by_division(self, v: str, c: int, rest: Affine, place: Expr, others: set[str]) -> Iterator[_Way]:
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
        yield _Way(self._count(others), {v: value}, conditions=(multiple,))

    def _by_residue(self, v: str, c: int, d: str, sign: Extent, left: Expr, others: set[str]) -> _Way:
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
        return _Way(cost, {v: value, d: digit}, (e,))

    def _by_digit(self, v: str, c: Extent, rest: Affine, place: Expr) -> Iterator[_Way]:
        """c*v + r = u with r in 0..c: v is u//c, and r = u%c is solved in turn (the digits of a group)."""
        lowest, highest = self._spread(rest) or (-1, -1)
        if lowest != 0 or not _at_most(highest, c - 1):
            return
        value = self.build.apply(ops.FLOORDIV, place, integer(c))
        below = self.build.apply(ops.MOD, place, integer(c))
        for way in self._solutions(rest, below) if rest.terms else ():
            yield replace(way, found={v: value, **way.found})

    def _by_quotient(self, v: Floor, c: Extent, rest: Affine, place: Expr, others: set[str]) -> Iterator[_Way]:
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
            check = () if a == 1 else (self.build.apply(ops.EQ, _with(again, x, found), block),)
            remaining = (others | v.above.indices) & set(self.open) - {x}
            yield _Way(self._count(remaining) * _weight(m.extent), {x: found}, (m,), check)

    def _by_remainder(self, x: str, c: Extent, rest: Affine, place: Expr) -> Iterator[_Way]:
        """(x+r)%k = u, r a constant: x = k*m + u - r. In affine form it is x + r - k*((x+r)//k)."""
        if c != 1 or len(rest.terms) != 1:
            return
        floor, factor = rest.terms[0]
        if not isinstance(floor, Floor) or factor != -floor.below or floor.above.terms != ((x, 1),):
            return
        r = floor.above.constant
        if _at_most(0, r) is False:
            return
        digit = self.build.apply(ops.ADD, place, integer(r))  # x - k*floor = place
        count = floordiv(self.box[x] - 1 + r, floor.below) + 1
        m = Bound(self._fresh(x), count)
        found = self.build.apply(ops.ADD, _times(floor.below, m, self.build), place)
        low = self.build.apply(ops.LE, integer(0), digit)
        high = self.build.apply(ops.LT, digit, integer(floor.below))
        yield _Way(_weight(count), {x: found}, (m,), (low, high))

    # -- what a way costs, and taking it

    def _count(self, names: set[str]) -> int:
        total = 1
        for name in names:
            total *= _weight(self.box[name])
        return total

    def _spread(self, form: Affine) -> Interval | None:
        return span_of(form, self.box)

    def _fresh(self, stem: str) -> str:
        name = stem
        while name in self.box or name in self.found:
            name += "'"
        return name

    def _take(self, axis: int, way: _Way) -> None:
        for b in way.new:
            self.box[b.name] = b.extent
            self.open.append(b.name)
            self.bounds.append(b)
        for name, value in way.found.items():
            self.open.remove(name)
            self.letter.setdefault(axis, name)
            value = self._filled(value)
            self.found = {n: tidy(_with(e, name, value), self.box, self.build) for n, e in self.found.items()}
            self.found[name] = value
            self.conditions = [tidy(_with(c, name, value), self.box, self.build) for c in self.conditions]
            del self.box[name]  # its range, perhaps empty, says nothing of what is left
        self.conditions += [self._filled(c) for c in way.conditions]

    def _keep_groups(self) -> None:
        """An axis that is a group of indices which stand nowhere else stays one."""
        for k, s in enumerate(self.adds.subscripts):
            form = affine(s)
            elsewhere = {n for m, other in enumerate(self.adds.subscripts) if m != k for n in free_indices(other)}
            if form is None or not form.is_plain or form.constant != 0 or len(form.terms) < 2:
                continue
            names = [str(v) for v, _ in form.terms]
            step: Extent = 1
            for name, c in reversed(form.terms):
                if c != step:
                    break
                step = step * self.box[str(name)]
            else:
                if step == self.extents[k] and not set(names) & elsewhere and set(names) <= set(self.open):
                    self.kept[k] = tuple(names)
                    self.open = [n for n in self.open if n not in names]

    # -- the end

    def _result(self) -> Gather:
        bordered, product = self.adds.product, self.adds.product.mapped(self._filled)
        tests = [c for c in self.conditions if not self._is_certain(c)]
        facts = _facts((*product.conditions, *tests))
        may_leave = not all(self._is_inside(r, facts) for t in tests for r in reads(t))
        for b in self.bounds:
            if b.name not in self.found or stays_inside(self.found[b.name], b.extent, self.box, facts) is True:
                continue
            if not may_leave and self._vanishes_outside(b):
                bordered = bordered.mapped(lambda e, b=b: _bordered(e, b))
            else:
                tests += [t for t in self._range_tests(b) if not self._is_certain(t)]
        return self._named(_under(tests, bordered.mapped(self._filled)))

    def _is_inside(self, r: Read, facts: Facts) -> bool:
        inside = (stays_inside(s, n, self.box, facts) for s, n in zip(r.subscripts, self.shapes[r.tensor], strict=True))
        return r.border is not None or all(answer is True for answer in inside)

    def _range_tests(self, b: Bound) -> tuple[Expr, Expr]:
        value = self.found[b.name]
        return (
            self.build.apply(ops.LE, integer(0), value),
            self.build.apply(ops.LT, value, integer(b.extent)),
        )

    def _vanishes_outside(self, b: Bound) -> bool:
        """Whether the product is 0 outside the range of an index once its reads are.

        The index stands in whole subscripts only; one read in the numerator has an axis of just this range.
        """
        product = self.adds.product
        if any(b.name in free_indices(e) for e in product.below):
            return False
        touched = [e for e in product.above if b.name in free_indices(e)]
        exact = any(isinstance(e, Read) and self._has_range(e, b) for e in touched)
        return exact and all(_reads_whole(e, b) for e in (*touched, *product.conditions))

    def _has_range(self, e: Read, b: Bound) -> bool:
        extents = self.shapes[e.tensor]
        return any(s == Index(b.name) and n == b.extent for s, n in zip(e.subscripts, extents, strict=True))

    def _is_certain(self, c: Expr) -> bool:
        """Whether a comparison holds everywhere."""
        match c:
            case Apply(op=ops.EQ, args=(a, b)):
                left, right = affine(a), affine(b)
                return left is not None and right is not None and simplified(left - right, self.box) == Affine(0)
            case Apply(op=ops.LE, args=(Const(value=0), b)):
                return stays_inside(b, _UNKNOWN**3, self.box, Facts()) is True
            case Apply(op=ops.LT, args=(a, Const(value=value))):
                form = affine(a)
                spread = self._spread(form) if form is not None else None
                return spread is not None and not isinstance(value, float) and _at_most(spread[1], value - 1)  # type: ignore[operator]
            case _:
                return False

    def _named(self, product: Product) -> Gather:
        """The result with letters for the outputs in place of numbers."""
        used = product.indices
        over = [n for n in self._order() if n in used or n in self.open]
        taken = {*over, *(n for names in self.kept.values() for n in names)}
        said = _names_of_extents(product, [self.box[n] for n in over])
        names: dict[str, Expr] = {}
        left: list[Expr] = []
        indices: list[Bound] = []
        for k, extent in enumerate(self.extents):
            if k in self.kept:
                left.append(self.adds.subscripts[k])
                indices += [Bound(n, self.box[n]) for n in self.kept[k]]
                continue
            letter = self.letter.get(k) or self.letters[k]
            while letter in taken or (letter.upper() in said and str(extent) != letter.upper()):
                letter += "'"
            taken.add(letter)
            names[_out(k)] = Index(letter)
            left.append(Index(letter))
            indices.append(Bound(letter, extent))
        renamed = product.mapped(lambda e: with_indices(e, names))
        return Gather(tuple(indices), tuple(left), tuple(Bound(n, self.box[n]) for n in over), renamed)

    def _order(self) -> list[str]:
        """Open indices as the equation has them; a new one stands where the one stood that it came from."""
        place = {b.name: k for k, b in enumerate(self.adds.indices)}
        return sorted(self.open, key=lambda n: place.get(n.rstrip("'"), len(place)))


def _names_of_extents(product: Product, extents: Sequence[Extent]) -> set[str]:
    """The names in a product: `DY` there would be another number beside an index `dy` of another range."""
    values = [n.value for e in product.parts for n in walk(e) if isinstance(n, Const)]
    return {name for v in (*values, *extents) if isinstance(v, Size) for name in re.findall(r"[^\W\d]\w*", str(v))}


def _under(tests: Sequence[Expr], product: Product) -> Product:
    """A product where tests hold too. What is about indices alone comes first: reads of data rely on it."""
    first = [t for t in (*tests, *product.conditions) if not any(True for _ in reads(t))]
    conditions = dict.fromkeys((*first, *product.conditions, *tests))
    return replace(product, conditions=tuple(conditions))


def _reads_whole(e: Expr, b: Bound) -> bool:
    """Whether every read at the index may be given `else 0`: it is a subscript by itself, and there is no other rule.

    In a numerator the read must be all of the factor; comparisons of conditions may compute with it.
    """
    if b.name not in free_indices(e):
        return True
    match e:
        case Read(subscripts=subscripts, border=border):
            free = border is None or (isinstance(border.value, Const) and border.value.value == 0)
            return free and all(isinstance(s, Index) for s in subscripts if b.name in free_indices(s))
        case Apply(op=op, args=args) if op.kind in (ops.Kind.COMPARE, ops.Kind.LOGIC):
            return all(_reads_whole(a, b) for a in args)
        case _:
            return e.dtype is DType.INT and not any(True for _ in reads(e))


def _bordered(e: Expr, b: Bound) -> Expr:
    """Reads at the index, with `else 0`."""

    def zero(n: Expr) -> Expr:
        if isinstance(n, Read) and n.border is None and Index(b.name) in n.subscripts:
            return replace(n, border=Border(Rule.VALUE, _zero(n.dtype)))
        return n

    return rewrite(e, zero)


def _facts(conditions: Sequence[Expr]) -> Facts:
    facts = Facts()
    for c in conditions:
        facts = facts.with_condition(c)
    return facts


def _zero(dtype: DType) -> Const:
    return Const(False if dtype is DType.BOOL else 0.0 if dtype.is_float else 0, dtype)


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


def _with(e: Expr, name: str, value: Expr) -> Expr:
    return with_indices(e, {name: value})


def _one(name: str, c: Extent) -> Affine:
    return index(name).scaled(c)


def _times(c: Extent, b: Bound, build: Builder) -> Expr:
    return build.apply(ops.MUL, integer(c), Index(b.name))


def _indices(v: "str | Floor") -> set[str]:
    return {v} if isinstance(v, str) else v.above.indices


def _weight(extent: Extent) -> int:
    return extent if isinstance(extent, int) else _UNKNOWN


def _at_most(a: Extent, b: Extent) -> bool:
    return at_least(b, a) is True


def _out(axis: int) -> str:
    """The name of an axis's output index while it is being solved for; no text can write it."""
    return f"@{axis}"
