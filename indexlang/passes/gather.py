"""Additions to places that are computed, as sums over what comes from where: scatter → gather.

before   T[b, 2*x+dx] += P[b,x]*W[dx]                          for x of 0..X, dx of 0..3
after    T[b,u] = sum[e:2] P[b, u//2-e else 0]*W[2*e+u%2 else 0]

Each subscript is an equation for the indices in it. It is solved for one of them (`solve`), so that few values of the
others are left to sum over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.bounds import Facts, span_of, stays_inside
from indexlang.ir.build import Builder, integer, zero_of
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
from indexlang.ir.size import Extent, Size, at_least
from indexlang.passes.products import Product
from indexlang.passes.solve import UNKNOWN, Solver, Way
from indexlang.passes.tidy import simplified, tidy


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

    def _filled(self, e: Expr) -> Expr:
        """An expression with the indices that have been found in their places."""
        return tidy(with_indices(e, self.found), self.box, self.build)

    def _cheapest(self, axis: int) -> Way | None:
        solver = Solver(self.box, set(self.open), self.box.keys() | self.found.keys(), self.build)
        ways = solver.ways(self._filled(self.adds.subscripts[axis]), Index(_out(axis)))
        return min(ways, key=lambda way: way.cost, default=None)

    # -- taking a way

    def _take(self, axis: int, way: Way) -> None:
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
                return stays_inside(b, UNKNOWN**3, self.box, Facts()) is True
            case Apply(op=ops.LT, args=(a, Const(value=value))):
                form = affine(a)
                spread = span_of(form, self.box) if form is not None else None
                return spread is not None and not isinstance(value, float) and at_least(value - 1, spread[1]) is True  # type: ignore[operator]
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
            return replace(n, border=Border(Rule.VALUE, zero_of(n.dtype)))
        return n

    return rewrite(e, zero)


def _facts(conditions: Sequence[Expr]) -> Facts:
    facts = Facts()
    for c in conditions:
        facts = facts.with_condition(c)
    return facts


def _with(e: Expr, name: str, value: Expr) -> Expr:
    return with_indices(e, {name: value})


def _out(axis: int) -> str:
    """The name of an axis's output index while it is being solved for; no text can write it."""
    return f"@{axis}"
