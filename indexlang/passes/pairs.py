"""Long products under a sum: pair by pair in the best order, each pair an equation of its own.

before   y[i:300] = sum[j:200,k:400,l:100] A[i,j]*B[j,k]*C[k,l]*v[l]
after    y_pair[k:400] = sum[l:100] C[k,l]*v[l];  y_pair2[j:200] = sum[k:400] B[j,k]*y_pair[k]
         y[i:300] = sum[j:200] A[i,j]*y_pair2[j]

What is free of the summed indices leaves the sum; what only one factor has is summed first. A condition is asked where
everything comes together, at the last pair, for where it holds nowhere the result is 0 whatever the factors are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from indexlang.ir import ops
from indexlang.ir.affine import conjuncts
from indexlang.ir.bounds import Facts, gathers, stays_inside
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import (
    Apply,
    Bound,
    Const,
    Expr,
    Read,
    Reduce,
    Select,
    children,
    free_indices,
    reads,
    rewrite,
    walk,
    with_children,
)
from indexlang.ir.ops import Kind
from indexlang.ir.size import Extent
from indexlang.passes.contraction import contraction
from indexlang.passes.fuse import renamed
from indexlang.passes.growing import Growing, other_name
from indexlang.passes.pair_layout import all_laid_out
from indexlang.passes.pair_order import Order
from indexlang.passes.pair_parts import Part, Parts, Stored, elements, times
from indexlang.passes.products import Product, both

_GAIN = 1.5  # times less work: less is not worth more equations
_LEAST = 1 << 17  # work of a sum that is looked at: a tenth of a millisecond
_MOST_FACTORS = 24


def order_products(program: Program) -> Program:
    """The program with its long products in their best order. Its extents are known."""
    return _Ordering(program).run()


@dataclass(frozen=True, slots=True)
class _Sum:
    """A sum of products: `outside * sum[over] inside`, where the conditions hold."""

    outside: Product
    inside: tuple[Part, ...]
    over: tuple[Bound, ...]
    conditions: tuple[Expr, ...]  # with summed indices
    around: tuple[Expr, ...]  # without


@dataclass(frozen=True, slots=True)
class _Finished:
    """What stands in the equation in the place of a sum, with what is stored for it."""

    cost: int
    stored: tuple[Stored, ...]
    value: Expr


def _used(s: _Sum) -> frozenset[str]:
    return frozenset(m for p in s.inside for m in p.indices) | {m for c in s.conditions for m in free_indices(c)}


def _is_pair(s: _Sum) -> bool:
    """Whether a sum is of two accesses, with nothing that only one of them has: it is what orders are made of."""
    if len(s.inside) > 2 or any(p.read is None for p in s.inside):
        return False
    return all(b.name in p.indices for b in s.over for p in s.inside)


def _distributed(s: _Sum) -> tuple[_Sum, ...]:
    """A sum with one factor that is itself a sum as a sum for each of its terms; none where that cannot be."""
    at = next((k for k, p in enumerate(s.inside) if len(_terms_of(p)) > 1), None)
    if at is None or s.conditions:
        return ()
    out: list[_Sum] = []
    for sign, term in _terms_of(s.inside[at]):
        own = Part(Product(1, (term,)), frozenset(free_indices(term)) & s.inside[at].indices)
        more = replace(s, outside=replace(s.outside, number=s.outside.number * sign))
        more = replace(more, inside=(*s.inside[:at], own, *s.inside[at + 1 :]))
        if not own.indices or _used(more) != _used(s):
            return ()
        out.append(more)
    return tuple(out)


def _terms_of(p: Part) -> tuple[tuple[int, Expr], ...]:
    only = p.product.above[0] if len(p.product.above) == 1 and not p.product.below else None
    match only:
        case Apply(op=ops.ADD, args=(a, b)) if a.dtype is b.dtype is only.dtype:
            return ((1, a), (1, b))
        case Apply(op=ops.SUB, args=(a, b)) if a.dtype is b.dtype is only.dtype:
            return ((1, a), (-1, b))
        case _:
            return ()


class _Ordering(Growing):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.extents = {t.name: t.extents for t in program.tensors}

    def run(self) -> Program:
        return self.grown(tuple(made for e in self.program.equations for made in self._ordered(e)))

    def _ordered(self, e: Equation) -> Iterator[Equation]:
        if not any(isinstance(n, Reduce) for n in walk(e.body)) or not _is_movable(e):
            yield e
            return
        before: list[Equation] = []
        body = self._expr(e.body, e.indices, e, before)
        yield from before
        yield e if body is e.body else replace(e, body=body)

    def _expr(self, n: Expr, around: tuple[Bound, ...], e: Equation, before: list[Equation]) -> Expr:
        """The outermost sums of an expression in their best orders."""
        if isinstance(n, Reduce):
            return self._sum(n, around, e, before) or n
        return with_children(n, tuple(self._expr(c, around, e, before) for c in children(n)))

    def _sum(self, n: Reduce, around: tuple[Bound, ...], e: Equation, before: list[Equation]) -> Expr | None:
        if n.fold is not ops.SUM or not n.dtype.is_float:
            return None
        if elements(tuple(b.extent for b in (*around, *n.over))) < _LEAST:
            return None
        taken = {b.name for b in around} | {b.name for m in walk(n) if isinstance(m, Reduce) for b in m.over}
        s = self._taken_apart(n, around, taken)
        return None if s is None else self._planned(n, s, around, e, before)

    def _taken_apart(self, n: Reduce, around: tuple[Bound, ...], taken: set[str]) -> _Sum | None:
        body, conditions = n.body, ()
        while isinstance(body, Select) and _is_zero(body.other):
            conditions, body = (*conditions, *conjuncts(body.cond)), body.then
        product, over = _flat(body, n.over, taken, not conditions)
        if len(product.parts) > _MOST_FACTORS:
            return None
        summed = {b.name for b in over}
        held = tuple(c for c in conditions if free_indices(c) & summed)
        free = tuple(c for c in conditions if not free_indices(c) & summed)
        factors = [*((f, False) for f in product.above), *((f, True) for f in product.below)]
        if any(f.dtype.is_float and f.dtype is not n.dtype for f, _ in factors):
            return None
        box = {b.name: b.extent for b in (*around, *over)}
        outside, inside = Product(product.number), list[Part]()
        for f, is_below in factors:
            if not held and not free_indices(f) & summed:
                outside = times(outside, Product(1, (), (f,)) if is_below else Product(1, (f,)))
                continue
            if conditions and not all(self._is_safe(r, box) for r in reads(f)):
                f = self.build.select(both(self.build, conditions), f, Const(1.0 if is_below else 0.0, n.dtype))
            alone = Product(1, (), (f,)) if is_below else Product(1, (f,))
            inside.append(Part(alone, frozenset(free_indices(f)) & box.keys()))
        return _Sum(outside, tuple(inside), over, held, free)

    def _is_safe(self, r: Read, box: Mapping[str, Extent]) -> bool:
        axes = zip(r.subscripts, self.extents[r.tensor], strict=True)
        return r.border is not None or all(stays_inside(s, n, box, Facts()) is True for s, n in axes)

    def _planned(
        self, n: Reduce, s: _Sum, around: tuple[Bound, ...], e: Equation, before: list[Equation]
    ) -> Expr | None:
        """The sum in its best order, or None where that gains too little."""
        bounds = {b.name: b for b in (*around, *s.over)}
        if len(s.inside) < 2 or _is_pair(s) or any(b.name not in _used(s) for b in s.over):
            return None
        parts = Parts(bounds, self.extents, n.dtype, self.build)
        cost = self._cost_now(s, parts, around, e)
        ways = ((s,), _distributed(s))
        found = [made for sums in ways if sums and (made := self._best(sums, parts, around)) is not None]
        best = min(found, key=lambda f: f.cost, default=None)
        if best is None or best.cost * _GAIN > cost:
            return None
        return self._written(best.stored, best.value, e, before)

    def _best(self, sums: tuple[_Sum, ...], parts: Parts, around: tuple[Bound, ...]) -> _Finished | None:
        """Sums in their best orders, added up: one of them stays in the equation, the others are stored."""
        stored, here = list[_Finished](), list[_Finished]()
        for s in sums:
            own = frozenset(b.name for b in around) & _used(s)
            made = list(Order(parts, list(s.inside), own, s.conditions).best())
            if not made:
                return None
            here.append(min((self._finished(p, s, parts, around) for p in made), key=lambda f: f.cost))
            stored.append(min((self._finished(parts.stored(p), s, parts, around) for p in made), key=lambda f: f.cost))
        stays = min(range(len(sums)), key=lambda k: here[k].cost - stored[k].cost)
        chosen = [here[k] if k == stays else stored[k] for k in range(len(sums))]
        value = chosen[0].value
        for f in chosen[1:]:
            value = self.build.apply(ops.ADD, value, f.value)
        return _Finished(sum(f.cost for f in chosen), tuple(t for f in chosen for t in f.stored), value)

    def _cost_now(self, s: _Sum, parts: Parts, around: tuple[Bound, ...], e: Equation) -> int:
        """As one nest: for every point of the indices around it, but for the last ones that it does not need."""
        used = _used(s)
        last = max((k for k, b in enumerate(around) if b.name in used), default=-1)
        rows = {b.name for b in around[: last + 1]}
        whole = s.inside[0].product
        for p in s.inside[1:]:
            whole = times(whole, p.product)
        one = Part(whole, frozenset(used))
        costs = [p.cost for p in parts.sums(one, None, frozenset(b.name for b in s.over), s.conditions)]
        if contraction(e, self.program) is not None:
            return min(costs)
        return max(costs) * max(parts.size(rows - used), 1)

    def _finished(self, p: Part, s: _Sum, parts: Parts, around: tuple[Bound, ...]) -> _Finished:
        """A part as what the equation has in place of its sum."""
        axes = p.axes
        names = frozenset(b.name for b in around)
        if axes is not None and (p.plain != names or len(axes) != len(names)):
            p = parts.stored(p)
        value = times(s.outside, p.product).expr(self.build)
        if s.around:
            value = self.build.select(both(self.build, s.around), value, Const(0.0, value.dtype))
        return _Finished(p.cost, p.stored, value)

    def _written(self, stored: tuple[Stored, ...], value: Expr, e: Equation, before: list[Equation]) -> Expr:
        """The equations of what is stored, each once; the value with their names."""
        names: dict[str, tuple[str, tuple[int, ...]]] = {}

        def named(n: Expr) -> Expr:
            if not isinstance(n, Read) or n.tensor not in names:
                return n
            name, order = names[n.tensor]
            return replace(n, tensor=name, subscripts=tuple(n.subscripts[k] for k in order))

        orders = all_laid_out(stored, value, e.indices[-1].name if e.indices else None)
        for s, order in zip(stored, orders, strict=True):
            axes = tuple(s.axes[m] for m in order)
            made = self.defined(f"{e.target}_pair", axes, rewrite(s.body, named), e)
            self.extents[made.target] = tuple(b.extent for b in axes)
            before.append(made)
            names[s.key] = made.target, order
        return rewrite(value, named)


def _is_movable(e: Equation) -> bool:
    """Subscripts that are data have checks that speak of the equation's own indices; draws have places of their own."""
    draws = any(isinstance(n, Apply) and n.op.kind is Kind.DRAW for n in walk(e.body))
    return not gathers(e.body) and not draws and e.checks is None


def _is_zero(e: Expr) -> bool:
    return isinstance(e, Const) and e.value == 0


def _flat(e: Expr, over: tuple[Bound, ...], taken: set[str], inner: bool) -> tuple[Product, tuple[Bound, ...]]:
    """An expression as a product, with the sums in it as part of the sum around it.

    A condition inside one factor stays there: it says nothing of the others.
    """
    match e:
        case Const(value=int() | Fraction() as value) if type(value) in (int, Fraction):
            return Product(value), over
        case Apply(op=ops.MUL, args=(a, b)) if e.dtype.is_float:
            left, over = _flat(a, over, taken, inner)
            right, over = _flat(b, over, taken, inner)
            return times(left, right), over
        case Apply(op=ops.NEG, args=(a,)) if e.dtype.is_float:
            found, over = _flat(a, over, taken, inner)
            return replace(found, number=-found.number), over
        case Apply(op=ops.DIV, args=(a, b)):
            above, over = _flat(a, over, taken, inner)
            return times(above, Product(1, (), (b,))), over
        case Reduce(fold=ops.SUM) if inner and e.dtype.is_float and not isinstance(e.body, Select):
            bound = {b.name for b in over}
            names = dict[str, str]()
            for b in e.over:
                if b.name in bound:
                    names[b.name] = other_name(b.name, taken)
                    taken.add(names[b.name])
            body = renamed(e.body, names) if names else e.body
            own = tuple(replace(b, name=names.get(b.name, b.name)) for b in e.over)
            return _flat(body, (*over, *own), taken, inner)
        case _:
            return Product(1, (e,)), over


__all__ = ["order_products"]
