"""Products under conditions: the shape of every signal and of every term of a gradient.

-2 * dY[b,j] * W[i,j] / σ[j]    where Y[b,j] > 0, and 0 elsewhere
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from indexlang.ir import ops
from indexlang.ir.affine import conjuncts
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Reduce, Select, free_indices, reads
from indexlang.ir.size import Extent, Named, Size

Exact = int | Fraction


@dataclass(frozen=True, slots=True)
class Product:
    """`number * above… / below…` where all conditions hold, else 0; what does not hold is not evaluated."""

    number: Exact = 1
    above: tuple[Expr, ...] = ()
    below: tuple[Expr, ...] = ()
    conditions: tuple[Expr, ...] = ()

    def times(self, e: Expr) -> "Product":
        """This, multiplied by an expression."""
        match e:
            case Const(value=bool()):
                return replace(self, above=(*self.above, e))
            case Const(value=int() | Fraction() as value) if not isinstance(value, Named):
                return replace(self, number=self.number * value)
            case Const(value=float() as value) if value.is_integer() and 0 < abs(value) < 2**52:
                return replace(self, number=self.number * int(value))
            case Apply(op=ops.MUL, args=(a, b)) if e.dtype.is_float:
                return self.times(a).times(b)
            case Apply(op=ops.DIV, args=(a, b)):
                return self.times(a).over(b)
            case Apply(op=ops.NEG, args=(a,)):
                return replace(self, number=-self.number).times(a)
            case Select(cond=cond, then=then, other=Const(value=0)):
                return self.where(cond).times(then)
            case _:
                return replace(self, above=(*self.above, e))

    def over(self, e: Expr) -> "Product":
        """This, divided by an expression."""
        match e:
            case Const(value=int() | Fraction() as value) if value != 0 and not isinstance(value, bool | Named):
                return replace(self, number=Fraction(self.number) / value)
            case Apply(op=ops.MUL, args=(a, b)) if e.dtype.is_float:
                return self.over(a).over(b)
            case Apply(op=ops.NEG, args=(a,)):
                return replace(self, number=-self.number).over(a)
            case _:
                return replace(self, below=(*self.below, e))

    def where(self, condition: Expr) -> "Product":
        """This where the condition holds too, else 0."""
        return replace(self, conditions=tuple(dict.fromkeys((*self.conditions, *conjuncts(condition)))))

    @property
    def factors(self) -> "tuple[Counter[Expr], Counter[Expr], frozenset[Expr]]":
        """What is multiplied, without the number: equal for products that differ in a number or an order only."""
        return Counter(self.above), Counter(self.below), frozenset(self.conditions)

    @property
    def parts(self) -> tuple[Expr, ...]:
        """Every expression in it, the number left out."""
        return (*self.above, *self.below, *self.conditions)

    @property
    def indices(self) -> set[str]:
        """The indices that it depends on."""
        return {n for e in self.parts for n in free_indices(e)}

    def mapped(self, change: Callable[[Expr], Expr]) -> "Product":
        """The same product of changed parts."""
        return Product(
            self.number,
            tuple(change(e) for e in self.above),
            tuple(change(e) for e in self.below),
            tuple(change(e) for e in self.conditions),
        )

    def split(self, names: set[str]) -> "tuple[Product, Product]":
        """The part that is free of the indices, and the rest: their product is this."""
        free = [tuple(e for e in es if not free_indices(e) & names) for es in (self.above, self.below, self.conditions)]
        bound = [tuple(e for e in es if free_indices(e) & names) for es in (self.above, self.below, self.conditions)]
        return Product(self.number, *free), Product(1, *bound)

    def expr(self, build: Builder) -> Expr:
        """As an expression."""
        value = self._value(build)
        if not self.conditions:
            return value
        return build.select(both(build, self.conditions), value, Const(0.0, value.dtype))

    def _value(self, build: Builder) -> Expr:
        size = abs(Fraction(self.number))
        above = list(self.above)
        below = list(self.below)
        if not any(e.dtype.is_float for e in (*above, *below)):
            above.insert(0, Const(float(size), build.float_type))
            size = Fraction(1)
        if size.numerator != 1 or not above:
            above.insert(0, integer(size.numerator))
        if size.denominator != 1:
            below.insert(0, integer(size.denominator))
        value = _times(build, above)
        if below:
            value = build.apply(ops.DIV, value, _times(build, below))
        return build.apply(ops.NEG, value) if self.number < 0 else value


def _times(build: Builder, factors: Iterable[Expr]) -> Expr:
    made: Expr | None = None
    for f in factors:
        made = f if made is None else build.apply(ops.MUL, made, f)
    assert made is not None
    return made


def collected(products: Iterable[Product]) -> list[Product]:
    """The same sum with equal products as one."""
    out: list[Product] = []
    for p in products:
        k = next((k for k, other in enumerate(out) if other.factors == p.factors), None)
        if k is None:
            out.append(p)
        else:
            out[k] = replace(out[k], number=out[k].number + p.number)
    return [p for p in out if p.number != 0] or out[:1]


def both(build: Builder, conditions: Iterable[Expr]) -> Expr:
    """All conditions as one."""
    made: Expr | None = None
    for c in conditions:
        made = c if made is None else build.apply(ops.AND, made, c)
    assert made is not None
    return made


def summed(product: Product, over: tuple[Bound, ...], build: Builder) -> Expr:
    """The sum of a product over indices; what is free of them stands before the sum.

    But not before a condition inside it: where that holds nowhere, the sum is 0 and a factor may be infinite, or read
    outside its tensor; so may a condition. Its number of equal terms takes the place of an index that nothing depends on.
    """
    used = product.indices
    repeats = [b.extent for b in over if b.name not in used]
    kept = tuple(b for b in over if b.name in used)
    for n in repeats:
        product = _repeated(product, n)
    if not kept:
        return product.expr(build)
    outside, inside = product.split({b.name for b in kept})
    if inside.conditions:
        first = tuple(c for c in outside.conditions if not _relies(c, inside.conditions))
        outside = Product(product.number, conditions=first)
        inside = replace(product, number=1, conditions=tuple(c for c in product.conditions if c not in first))
    body = inside.expr(build)
    total = Reduce(ops.SUM, kept, body, body.dtype)
    return replace(outside, above=(*outside.above, total)).expr(build)


def _relies(condition: Expr, tests: Iterable[Expr]) -> bool:
    """Whether a condition reads at computed places, of indices that tests without data keep inside."""
    tested = {n for t in tests if not any(True for _ in reads(t)) for n in free_indices(t)}
    computed = (s for r in reads(condition) if r.border is None for s in r.subscripts if not isinstance(s, Index))
    return any(free_indices(s) & tested for s in computed)


def _repeated(product: Product, n: Extent) -> Product:
    if isinstance(n, Size | Named):
        return replace(product, above=(*product.above, Const(n, DType.INT)))
    return replace(product, number=product.number * n)


__all__ = ["Product", "both", "collected", "summed"]
