"""The transposes of the border rules: what arrived at a tensor with its border around it, folded back onto the tensor.

edge      dX[u] = dP[p+u], and at the ends all of the border beyond them
wrap      dX[u] = the sum of dP at all places that are u modulo N
mirror    … at all places that are u or -1-u modulo 2N
reflect   … at all places that are u or -u modulo 2N-2
"""

from dataclasses import dataclass

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.bounds import Box, span_of
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Border, Bound, Const, Expr, Index, Read, Rule
from indexlang.ir.size import Extent
from indexlang.passes.gather import Gather
from indexlang.passes.products import Product
from indexlang.passes.tidy import tidy


@dataclass(frozen=True, slots=True)
class Around:
    """How many elements an access reaches before the first one of an axis, and behind the last."""

    before: int
    behind: int


def reach(s: Expr, extent: Extent, box: Box) -> Around | None:
    """How far a subscript leaves an axis; None where data or named extents decide."""
    form = affine(s)
    spread = span_of(form, box) if form is not None else None
    if spread is None:
        return None
    before, behind = -spread[0], spread[1] - (extent - 1)
    if not isinstance(before, int) or not isinstance(behind, int):
        return None
    return Around(max(before, 0), max(behind, 0))


def folded(
    source: str, wide: tuple[Bound, ...], axis: int, extent: Extent, around: Around, rule: Rule, dtype: DType,
    build: Builder,
) -> list[Gather]:  # fmt: skip
    """What arrives at the `extent` elements of an axis from a tensor that has a border around it there."""
    fold = _Fold(source, wide, axis, extent, around, dtype, build)
    match rule:
        case Rule.EDGE:
            return fold.edge()
        case Rule.WRAP:
            return [fold.at(fold.u, extent)]
        case Rule.MIRROR:
            return [fold.at(fold.u, extent * 2), fold.at(fold.minus(1), extent * 2)]
        case Rule.REFLECT | Rule.VALUE:
            return fold.reflect()


class _Fold:
    def __init__(
        self, source: str, wide: tuple[Bound, ...], axis: int, extent: Extent, around: Around, dtype: DType,
        build: Builder,
    ) -> None:  # fmt: skip
        self.source, self.axis, self.extent, self.around, self.dtype, self.build = (
            source, axis, extent, around, dtype, build
        )  # fmt: skip
        self.indices = tuple(Bound(b.name, extent if k == axis else b.extent) for k, b in enumerate(wide))
        self.whole = wide[axis].extent
        self.u: Expr = Index(wide[axis].name)
        self.inner = f"{wide[axis].name}'"
        while any(b.name == self.inner for b in wide):
            self.inner += "'"

    def minus(self, constant: int) -> Expr:
        """-constant - u."""
        return self.build.apply(ops.SUB, integer(-constant), self.u)

    def gather(self, place: Expr, over: Extent | None, border: bool = False, *conditions: Expr) -> Gather:
        subscripts = tuple(place if k == self.axis else Index(b.name) for k, b in enumerate(self.indices))
        rule = Border(Rule.VALUE, Const(0.0, self.dtype)) if border else None
        product = Product(above=(Read(self.source, subscripts, rule, self.dtype),), conditions=conditions)
        left = tuple(Index(b.name) for b in self.indices)
        return Gather(self.indices, left, () if over is None else (Bound(self.inner, over),), product)

    def at(self, place: Expr, period: Extent, *conditions: Expr) -> Gather:
        """All places of the bordered axis that are `place` of the tensor, modulo a period."""
        build = self.build
        shifted = tidy(build.apply(ops.ADD, place, integer(self.around.before)), {}, build)
        first = build.apply(ops.MOD, shifted, integer(period))
        count = (self.whole + (period - 1)) // period
        step = build.apply(ops.MUL, integer(period), Index(self.inner))
        return self.gather(build.apply(ops.ADD, first, step), count, True, *conditions)

    def edge(self) -> list[Gather]:
        build, m = self.build, Index(self.inner)
        before, behind = self.around.before, self.around.behind
        out = [self.gather(build.apply(ops.ADD, self.u, integer(before)), None)]
        if before:
            out.append(self.gather(m, before, False, build.apply(ops.EQ, self.u, integer(0))))
        if behind:
            start = build.apply(ops.ADD, m, integer(self.extent + before))
            out.append(self.gather(start, behind, False, build.apply(ops.EQ, self.u, integer(self.extent - 1))))
        return out

    def reflect(self) -> list[Gather]:
        if self.extent == 1:
            return [self.gather(Index(self.inner), self.whole)]
        period = self.extent * 2 - 2
        inside = (
            self.build.apply(ops.LT, integer(0), self.u),
            self.build.apply(ops.LT, self.u, integer(self.extent - 1)),
        )
        return [self.at(self.u, period), self.at(self.minus(0), period, *inside)]
