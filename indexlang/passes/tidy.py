"""Index arithmetic in its simplest form: `2*(x + e) + m - 2*((m + 2*x)//2)` becomes `2*e + m%2`."""

from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.affine import Affine, Floor, Variable, affine, remainders
from indexlang.ir.bounds import Box, span_of
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Border, Const, Expr, Index, Read, Reduce, children, with_children
from indexlang.ir.ops import Kind
from indexlang.ir.size import Extent, at_least, floordiv


def tidy(e: Expr, box: Box, build: Builder) -> Expr:
    """An expression with the index arithmetic in it simplified, where `box` says how many values each index takes."""
    match e:
        case Reduce(over=over, body=body):
            inside = {**box, **{b.name: b.extent for b in over}}
            return with_children(e, (tidy(body, inside, build),))
        case Read(subscripts=subscripts, border=border):
            value = tidy(border.value, box, build) if border and border.value is not None else None
            rule = Border(border.rule, value) if border else None
            return replace(e, subscripts=tuple(tidy(s, box, build) for s in subscripts), border=rule)
        case Apply() if e.dtype is DType.INT and (form := affine(e)) is not None:
            return as_expr(simplified(form, box), build)
        case Apply(op=op, args=args) if op.kind is Kind.COMPARE:
            a, b = (tidy(c, box, build) for c in args)
            both = isinstance(a, Const) and isinstance(b, Const)
            return build.apply(op, a, b) if both else with_children(e, (a, b))
        case _:
            return with_children(e, tuple(tidy(c, box, build) for c in children(e)))


def simplified(form: Affine, box: Box) -> Affine:
    """The same values with fewer quotients: those that are constant over the box are numbers."""
    made = Affine(form.constant)
    for v, c in form.terms:
        made = made + (_quotient(v, box) if isinstance(v, Floor) else Affine(0, ((v, 1),))).scaled(c)
    return made


def _quotient(v: Floor, box: Box) -> Affine:
    above = simplified(v.above, box)
    spread = span_of(above, box)
    if spread is not None:
        low, high = floordiv(spread[0], v.below), floordiv(spread[1], v.below)
        if low == high:
            return Affine(low)
    form = affine(Apply(ops.FLOORDIV, (as_expr(above, None), integer(v.below)), DType.INT))
    return form if form is not None else Affine(0, ((Floor(above, v.below), 1),))


def as_expr(form: Affine, build: Builder | None) -> Expr:
    """The expression of an affine form: what is added first, then what is taken away; `x+1`, but `1-x`."""
    made = build or Builder(DType.F32)  # no float is made here
    items, constant = _items(form, made)
    items.sort(key=lambda item: at_least(item[1], 0) is not True)
    total: Expr | None = None
    if items and constant != 0 and at_least(items[0][1], 0) is False and at_least(constant, 0):
        total, constant = integer(constant), 0
    for e, c in items:
        total = _plus(total, e, c, made)
    if total is None or constant != 0:
        total = _plus(total, integer(1), constant, made)
    return total


def _plus(total: Expr | None, e: Expr, c: Extent, build: Builder) -> Expr:
    if total is None:
        return build.apply(ops.NEG, e) if c == -1 else build.apply(ops.MUL, integer(c), e)
    if at_least(c, 0) is False:
        return build.apply(ops.SUB, total, build.apply(ops.MUL, integer(-c), e))
    return build.apply(ops.ADD, total, build.apply(ops.MUL, integer(c), e))


def _items(form: Affine, build: Builder) -> tuple[list[tuple[Expr, Extent]], Extent]:
    """The parts of a form with their factors, and the constant; `x - k*(x//k)` is one part, `x%k`."""
    found, rest = remainders(form)
    digits = [(build.apply(ops.MOD, as_expr(r.above, build), integer(r.below)), times) for r, times in found]
    return [*((_variable(v, build), c) for v, c in rest.terms), *digits], rest.constant


def _variable(v: Variable, build: Builder) -> Expr:
    if isinstance(v, str):
        return Index(v)
    return build.apply(ops.FLOORDIV, as_expr(v.above, build), integer(v.below))
