"""Border rules as conditions and index arithmetic, for the accesses that may leave an axis.

before   A[i:5] = X[i-1 else 0]
after    A[i:5] = X[i-1] if 0 <= i-1 and i-1 < 5 else 0
"""

from collections.abc import Callable
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.build import Builder, integer
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Border, Expr, Read, Reduce, Rule, Select, children, with_children
from indexlang.ir.size import Extent


def lower_borders(program: Program) -> Program:
    """Every access reads inside its tensor by itself or under a condition."""
    lowering = _Lowering(program)
    return program.replace(equations=tuple(lowering.equation(e) for e in program.equations))


class _Lowering:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.build = Builder(program.float_type)

    def equation(self, e: Equation) -> Equation:
        box = {b.name: b.extent for b in e.indices}
        body = self._expr(e.body, box, Facts())
        left = tuple(self._expr(s, box, Facts()) for s in e.left)
        checks = None if e.checks is None else tuple(map(self.equation, e.checks))
        return replace(e, body=body, left=left, checks=checks)

    def _expr(self, e: Expr, box: dict[str, Extent], facts: Facts) -> Expr:
        match e:
            case Reduce(over=over, body=body):
                inner = {**box, **{b.name: b.extent for b in over}}
                return with_children(e, (self._expr(body, inner, Facts()),))  # computed ahead: see `ahead.py`
            case Select(cond=cond, then=then, other=other):
                c = self._expr(cond, box, facts)
                a = self._expr(then, box, facts.with_condition(c))
                return with_children(e, (c, a, self._expr(other, box, facts.with_negation(c))))
            case Read(border=Border()):
                return self._access(e, box, facts)
            case _:
                return with_children(e, tuple(self._expr(c, box, facts) for c in children(e)))

    def _access(self, e: Read, box: dict[str, Extent], facts: Facts) -> Expr:
        assert e.border is not None
        border = e.border
        extents = self.program.tensor(e.tensor).extents
        subscripts = tuple(self._expr(s, box, facts) for s in e.subscripts)
        loose = [k for k, s in enumerate(subscripts) if not stays_inside(s, extents[k], box, facts)]
        if border.rule is not Rule.VALUE:
            places = tuple(
                moved(border.rule, self.build, s, extents[k]) if k in loose else s for k, s in enumerate(subscripts)
            )
            return Read(e.tensor, places, None, e.dtype, e.span)
        inside = Read(e.tensor, subscripts, None, e.dtype, e.span)
        if not loose:
            return inside
        assert border.value is not None
        outside = self._expr(border.value, box, facts)
        condition: Expr | None = None
        for k in loose:
            for test in self._tests(subscripts[k], extents[k], box, facts):
                condition = test if condition is None else self.build.apply(ops.AND, condition, test)
        assert condition is not None
        return self.build.select(condition, inside, outside, e.span)

    def _tests(self, s: Expr, extent: Extent, box: dict[str, Extent], facts: Facts) -> list[Expr]:
        """The comparisons that are not proved already."""
        low = self.build.apply(ops.GE, s, integer(0))
        high = self.build.apply(ops.LT, s, integer(extent))
        if stays_inside(s, extent, box, facts.with_condition(low)):
            return [low]
        if stays_inside(s, extent, box, facts.with_condition(high)):
            return [high]
        return [low, high]


def _edge(build: Builder, s: Expr, n: Extent) -> Expr:
    return build.apply(ops.MIN, build.apply(ops.MAX, s, integer(0)), integer(n - 1))


def _wrap(build: Builder, s: Expr, n: Extent) -> Expr:
    return build.apply(ops.MOD, s, integer(n))


def _mirror(build: Builder, s: Expr, n: Extent) -> Expr:
    p = build.apply(ops.MOD, s, integer(n * 2))
    return build.apply(ops.MIN, p, build.apply(ops.SUB, integer(n * 2 - 1), p))


def _reflect(build: Builder, s: Expr, n: Extent) -> Expr:
    if n == 1:
        return integer(0)
    p = build.apply(ops.MOD, s, integer(n * 2 - 2))
    return build.apply(ops.MIN, p, build.apply(ops.SUB, integer(n * 2 - 2), p))


def moved(rule: Rule, build: Builder, s: Expr, n: Extent) -> Expr:
    """Where a rule other than a value reads for subscript `s` of an axis of `n` elements."""
    return _MOVES[rule](build, s, n)


_MOVES: dict[Rule, Callable[[Builder, Expr, Extent], Expr]] = {
    Rule.EDGE: _edge,
    Rule.WRAP: _wrap,
    Rule.MIRROR: _mirror,
    Rule.REFLECT: _reflect,
}
