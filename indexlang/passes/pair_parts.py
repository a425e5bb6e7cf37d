"""What an order of pairs is made of: parts of a product, each a value that is at hand or a tensor to be made.

A sum over indices that only two parts have turns them into one: `sum[k] B[j,k]*C[k,l]` is a part over j and l. Where a part
uses indices in one affine form only, that form is its axis: `sum[i] X[b,x+dx,i]*W[i,j]` is made once for each value of
x+dx, and read at x+dx.

Costs are in multiply-adds of a register tile. The weights are orders of magnitude that hold for processors with vectors:
a nest that no tile covers is a few times slower, and a number that comes from memory costs as much as several products.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import Affine, Variable, affine, expression
from indexlang.ir.bounds import span_of
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import (
    Apply,
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Reduce,
    Select,
    children,
    free_indices,
    reads,
    walk,
    with_children,
)
from indexlang.ir.size import Extent, Named
from indexlang.passes.products import Product, both

UNTILED = 2  # an operation in a nest that is not tiled
MOVED = 8  # an element that is read or written
NOMINAL = 256  # a named extent: an order must not depend on its value, for kernels are shared by all values
_LEAST_COLUMNS, _LEAST_ROWS, _LEAST_TERMS = 8, 4, 4  # of a product that is worth tiles

Form = tuple[tuple[Variable, Extent], ...]


def elements(extents: Iterator[Extent] | tuple[Extent, ...]) -> int:
    """How many elements extents have, for costs."""
    return prod(NOMINAL if isinstance(n, Named) else int(str(n)) for n in extents)


def operations(e: Expr, axes: tuple[Bound, ...]) -> int:
    """How many an expression has for a point, at least one; what is the same along the last axis leaves its loop."""
    last = axes[-1].name if axes else None
    own = (n for n in walk(e) if isinstance(n, Apply | Select) and n.dtype.is_float)
    return max(sum(last is None or last in free_indices(n) for n in own), 1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor to be made: `key[axes] = body`; the key stands for a name that is free."""

    key: str
    axes: tuple[Bound, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Part:
    """A factor, or what became of several.

    indices  those of the whole product that its value depends on
    cost     of all that has to be done to have it; `stored` what that is, in order
    axes     where the value is a sum: the indices of the tensor that it becomes, and where that is read
    """

    product: Product
    indices: frozenset[str]
    cost: int = 0
    stored: tuple[Stored, ...] = ()
    axes: tuple[Bound, ...] | None = None
    places: tuple[Expr, ...] = ()

    @property
    def plain(self) -> frozenset[str]:
        """The axes that are indices of the whole product themselves."""
        pairs = zip(self.axes or (), self.places, strict=True)
        return frozenset(b.name for b, s in pairs if isinstance(s, Index) and s.name == b.name)

    @property
    def read(self) -> Read | None:
        """The access that is its value, if it is nothing else."""
        p = self.product
        only = p.above[0] if len(p.above) == 1 and not p.below and p.number == 1 else None
        return only if isinstance(only, Read) else None


class Parts:
    """Makes parts of parts, for one sum: `bounds` are all its indices, in order."""

    def __init__(
        self, bounds: Mapping[str, Bound], extents: Mapping[str, tuple[Extent, ...]], dtype: DType, build: Builder
    ):
        self.bounds = bounds
        self.extents = dict(extents)
        self.dtype = dtype
        self.build = build
        self.keys = count()

    def size(self, names: Iterator[str] | frozenset[str] | set[str]) -> int:
        """How many values the named indices take together."""
        return elements(tuple(self.bounds[n].extent for n in names))

    # -- values

    def stored(self, part: Part) -> Part:
        """The part as a tensor that is read."""
        if part.read is not None and part.axes is None:
            return part
        body = part.product.expr(self.build)
        axes, places, cost = part.axes, part.places, part.cost
        if axes is None:
            axes, places, body = self._axes(body, part.indices, 1)
            cost += elements(tuple(b.extent for b in axes)) * UNTILED * operations(body, axes) + self._moved(body)
        key = f"({next(self.keys)})"
        extents = tuple(b.extent for b in axes)
        self.extents[key] = extents
        made = Product(above=(Read(key, places, None, self.dtype),))
        return Part(made, part.indices, cost + MOVED * elements(extents), (*part.stored, Stored(key, axes, body)))

    def beside(self, a: Part, b: Part) -> Part:
        """Both, multiplied, with nothing summed: into what is made already where that has all indices, else later."""
        for p, q in ((a, b), (b, a)):
            if p.axes is not None and q.axes is None and q.indices <= p.plain:
                more = elements(tuple(x.extent for x in p.axes)) * len(q.product.parts)
                return replace(
                    p,
                    product=times(p.product, q.product),
                    cost=p.cost + q.cost + more,
                    stored=(*q.stored, *p.stored),
                )
        a, b = (self.stored(p) if p.axes is not None else p for p in (a, b))
        return Part(times(a.product, b.product), a.indices | b.indices, a.cost + b.cost, (*a.stored, *b.stored))

    def sums(self, a: Part, b: Part | None, gone: frozenset[str], conditions: tuple[Expr, ...] = ()) -> Iterator[Part]:
        """The sum over `gone` of one or two parts, in the ways that it can be made."""
        if b is None:
            yield from self._summed(a, gone, conditions)
            return
        for left in self._ways(a):
            for right in self._ways(b):
                yield from self._summed(
                    Part(
                        times(left.product, right.product),
                        a.indices | b.indices,
                        left.cost + right.cost,
                        (*left.stored, *right.stored),
                    ),
                    gone,
                    conditions,
                )

    def _ways(self, part: Part) -> Iterator[Part]:
        yield self.stored(part)
        if part.axes is None and part.read is None:
            yield part

    def _summed(self, part: Part, gone: frozenset[str], conditions: tuple[Expr, ...]) -> Iterator[Part]:
        if part.axes is not None:
            part = self.stored(part)
        value = part.product.expr(self.build)
        if conditions:
            value = self.build.select(both(self.build, conditions), value, Const(0.0, value.dtype))
        over = tuple(b for n, b in self.bounds.items() if n in gone)
        used = part.indices | {n for c in conditions for n in free_indices(c)}
        kept = used - gone
        total = Reduce(ops.SUM, over, value, value.dtype)
        last: tuple[Bound, ...] | None = None
        for wider in (0, 1):
            axes, places, body = self._axes(total, kept, wider)
            if axes == last:
                continue
            last = axes
            assert isinstance(body, Reduce)
            tiled = not conditions and is_tiled(body, axes)
            points = elements(tuple(x.extent for x in axes)) * self.size(gone)
            each = 1 if tiled else UNTILED * operations(body.body, axes)
            cost = part.cost + points * each + self._moved(body)
            yield Part(Product(above=(body,)), frozenset(kept), cost, part.stored, axes, places)

    def _moved(self, e: Expr) -> int:
        """What it costs to read everything once."""
        return MOVED * sum(elements(self.extents[r.tensor]) for r in reads(e))

    # -- axes

    def _axes(self, e: Expr, kept: frozenset[str], wider: int) -> tuple[tuple[Bound, ...], tuple[Expr, ...], Expr]:
        """Axes for a value over the kept indices, where it is read, and the value over these axes.

        An affine form takes the place of the indices that occur in it alone, where its values are at most `wider` times
        as many; its axis has the name of the first of them.
        """
        seen: dict[str, set[Form]] = {}
        for form in _forms(e, kept):
            for name, _ in form:
                assert isinstance(name, str)
                seen.setdefault(name, set()).add(form)
        hidden: dict[Form, list[str]] = {}
        for name in self.bounds:
            forms = seen.get(name, set())
            if len(forms) == 1 and len(only := next(iter(forms))) > 1:
                hidden.setdefault(only, []).append(name)
        axes: dict[str, tuple[Bound, Expr]] = {}
        at: dict[Form, tuple[str, Extent]] = {}
        gone: set[str] = set()
        for form, names in hidden.items():
            spread = span_of(Affine(0, form), {n: b.extent for n, b in self.bounds.items()})
            if spread is None:
                continue
            low, high = spread
            bound = Bound(names[0], high - low + 1, self.bounds[names[0]].span)
            if elements((bound.extent,)) > wider * self.size(iter(names)):
                continue
            axes[names[0]] = bound, expression(Affine(-low, form))
            at[form] = names[0], low
            gone |= set(names)
        for name, bound in self.bounds.items():
            if name in kept and name not in gone:
                axes[name] = bound, Index(name)
        ordered = [axes[n] for n in self.bounds if n in axes]
        value = self._moved_to(e, at) if at else e
        return tuple(b for b, _ in ordered), tuple(s for _, s in ordered), value

    def _moved_to(self, e: Expr, at: Mapping[Form, tuple[str, Extent]]) -> Expr:
        """`e` with the axes of the forms in their places."""
        if not isinstance(e, Read):
            return with_children(e, tuple(self._moved_to(c, at) for c in children(e)))
        subscripts: list[Expr] = []
        for s in e.subscripts:
            form = affine(s)
            found = at.get(_ordered(form)) if form is not None and form.is_plain else None
            if form is None or found is None:
                subscripts.append(s)
                continue
            name, low = found
            subscripts.append(self.build.apply(ops.ADD, Index(name), integer(low + form.constant)))
        return with_children(e, (*subscripts, *children(e)[len(subscripts) :]))


def times(a: Product, b: Product) -> Product:
    """The product of two, each without conditions."""
    return Product(a.number * b.number, (*a.above, *b.above), (*a.below, *b.below))


def _ordered(form: Affine) -> Form:
    return tuple(sorted(form.terms, key=str))


def _forms(e: Expr, kept: frozenset[str]) -> Iterator[Form]:
    """How the kept indices occur: in affine subscripts of several of them, or alone."""
    match e:
        case Index(name=name):
            if name in kept:
                yield ((name, 1),)
        case Read(subscripts=subscripts):
            for s in subscripts:
                form = affine(s)
                fits = form is not None and form.is_plain and form.is_concrete and form.indices <= kept
                if form is not None and fits and len(form.terms) > 1:
                    yield _ordered(form)
                else:
                    yield from _forms(s, kept)
            for c in children(e)[len(subscripts) :]:
                yield from _forms(c, kept)
        case _:
            for c in children(e):
                yield from _forms(c, kept)


def is_tiled(total: Reduce, axes: tuple[Bound, ...]) -> bool:
    """Whether a sum over these axes is a product of matrices: large enough, and two plain accesses."""
    if elements(tuple(b.extent for b in total.over)) < _LEAST_TERMS:
        return False
    match children(total.body) if not isinstance(total.body, Select) else ():
        case (Read() as a, Read() as b):
            pass
        case _:
            return False
    if any(
        r.border is not None or any((f := affine(s)) is None or not f.is_plain for s in r.subscripts) for r in (a, b)
    ):
        return False
    return any(columns(w, x, axes) and _rows(x, w, axes) for x, w in ((a, b), (b, a)))


def columns(w: Read, a: Read, axes: tuple[Bound, ...]) -> tuple[Bound, ...]:
    """The axes that may be the columns of a product a*w."""
    alone = {s.name for s in w.subscripts if isinstance(s, Index)} - free_indices(a)
    return tuple(b for b in axes if b.name in alone and elements((b.extent,)) >= _LEAST_COLUMNS)


def _rows(a: Read, w: Read, axes: tuple[Bound, ...]) -> bool:
    alone = free_indices(a) - free_indices(w)
    return any(b.name in alone and elements((b.extent,)) >= _LEAST_ROWS for b in axes)
