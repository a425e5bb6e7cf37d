"""The reverse of one expression: which reads a signal at its value reaches, and multiplied by what.

A signal is a product; it grows by a slope at each function on its way. All derivatives of functions stand in the rows
of `ir/ops.py`.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from indexlang.ir import ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Expr, Read, Rule, Select
from indexlang.ir.size import Extent
from indexlang.ir.terms import Term
from indexlang.passes.products import Product


@dataclass(frozen=True, slots=True)
class Pull:
    """Pulls signals through expressions without reductions, to the reads of some tensors."""

    tensors: Collection[str]
    extents: "dict[str, tuple[Extent, ...]]"
    build: Builder

    def reaches(self, e: Expr) -> bool:
        """Whether the value of an expression depends on one of the tensors in a way that has a derivative."""
        match e:
            case Read(tensor=tensor, border=border):
                value = border.value if border else None
                return tensor in self.tensors or (value is not None and self.reaches(value))
            case Apply(op=op, args=args):
                return bool(op.slopes) and any(self.reaches(a) for a in args)
            case Select(then=then, other=other):
                return self.reaches(then) or self.reaches(other)
            case _:
                return False

    def back(self, e: Expr, signal: Product, value: Expr) -> Iterator[tuple[Read, Product]]:
        """The reads that a signal at `e` reaches, each with what arrives there. `value` is another name of `e`, or `e`."""
        match e:
            case Read():
                yield from self._read(e, signal)
            case Apply(op=ops.MUL, args=(a, b)) if a == b:
                if self.reaches(a):
                    yield from self.back(a, signal.times(integer(2)).times(a), a)
            case Apply(op=op, args=args):
                for slope, a in zip(op.slopes, args, strict=False):
                    if self.reaches(a):
                        yield from self.back(a, self._through(signal, slope, args, value), a)
            case Select(cond=cond, then=then, other=other):
                if self.reaches(then):
                    yield from self.back(then, signal.where(cond), then)
                if self.reaches(other):
                    yield from self.back(other, signal.where(opposite(cond, self.build)), other)
            case _:
                return

    def _through(self, signal: Product, slope: ops.Slope, args: tuple[Expr, ...], value: Expr) -> Product:
        found: Any = slope(*(Term(a, self.build) for a in args), Term(value, self.build))
        factor = found.expr if isinstance(found, Term) else self.build.number(found)
        return signal.where(factor) if factor.dtype is DType.BOOL else signal.times(factor)

    def _read(self, e: Read, signal: Product) -> Iterator[tuple[Read, Product]]:
        if e.tensor in self.tensors:
            yield e, signal
        border = e.border
        if border is None or border.rule is not Rule.VALUE or border.value is None or not self.reaches(border.value):
            return
        inside = inside_test(e, self.extents[e.tensor], self.build)
        yield from self.back(border.value, signal.where(opposite(inside, self.build)), border.value)


def inside_test(e: Read, extents: tuple[Extent, ...], build: Builder) -> Expr:
    """Whether an access is inside its tensor."""
    made: Expr | None = None
    for s, n in zip(e.subscripts, extents, strict=True):
        for test in (build.apply(ops.LE, integer(0), s), build.apply(ops.LT, s, integer(n))):
            made = test if made is None else build.apply(ops.AND, made, test)
    assert made is not None
    return made


_OPPOSITE = {ops.LT: ops.GE, ops.GE: ops.LT, ops.LE: ops.GT, ops.GT: ops.LE, ops.EQ: ops.NE, ops.NE: ops.EQ}


def opposite(condition: Expr, build: Builder) -> Expr:
    """`not` a condition; of ints (never NaN) as the opposite comparison."""
    match condition:
        case Apply(op=op, args=(a, b)) if op in _OPPOSITE and a.dtype is DType.INT and b.dtype is DType.INT:
            return build.apply(_OPPOSITE[op], a, b)
        case Apply(op=ops.NOT, args=(a,)):
            return a
        case _:
            return build.apply(ops.NOT, condition)
