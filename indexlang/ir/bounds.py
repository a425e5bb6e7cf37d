"""Between which values an int expression stays, and proofs that it stays inside an axis.

All proofs are over a box (how many values each index takes) and facts (affine forms known to be >= 0, from the
conditions around an access). With named extents of unknown value an answer may be None: to be decided later.
"""

from collections.abc import Callable, Iterable, Mapping

from indexlang.ir import ops
from indexlang.ir.affine import Affine, Floor, Remainder, Variable, affine, remainders
from indexlang.ir.dtypes import DType
from indexlang.ir.exact import EXACT
from indexlang.ir.expr import Apply, Const, Expr, Index, Read, Select, reads
from indexlang.ir.size import Extent, Size, at_least, floordiv
from indexlang.text.values import immutable

Box = Mapping[str, Extent]
Interval = tuple[Extent, Extent]
_DEPTH = 3


@immutable
class Facts:
    """What the conditions around an expression say; each form is >= 0."""

    forms: tuple[Affine, ...] = ()

    def with_condition(self, condition: Expr) -> "Facts":
        """What is known besides, where `condition` holds."""
        return Facts((*self.forms, *_facts(condition, True)))

    def with_negation(self, condition: Expr) -> "Facts":
        """What is known besides, where `condition` does not hold."""
        return Facts((*self.forms, *_facts(condition, False)))


def _facts(condition: Expr, holds: bool) -> tuple[Affine, ...]:
    match condition:
        case Apply(op=ops.AND, args=args) if holds:
            return tuple(f for a in args for f in _facts(a, True))
        case Apply(op=ops.OR, args=args) if not holds:
            return tuple(f for a in args for f in _facts(a, False))
        case Apply(op=ops.NOT, args=(a,)):
            return _facts(a, not holds)
        case Apply(op=op, args=(a, b)) if op in (ops.LT, ops.LE, ops.GT, ops.GE, ops.EQ, ops.NE):
            left, right = affine(a), affine(b)
            if left is None or right is None:
                return ()
            return _comparison(op if holds else _OPPOSITE[op], left, right)
        case _:
            return ()


_OPPOSITE = {ops.LT: ops.GE, ops.GE: ops.LT, ops.LE: ops.GT, ops.GT: ops.LE, ops.EQ: ops.NE, ops.NE: ops.EQ}


def _comparison(op: ops.Op, left: Affine, right: Affine) -> tuple[Affine, ...]:
    match op:
        case ops.LT:
            return (right - left + Affine(-1),)
        case ops.LE:
            return (right - left,)
        case ops.GT:
            return (left - right + Affine(-1),)
        case ops.GE:
            return (left - right,)
        case ops.EQ:
            return (left - right, right - left)
        case _:
            return ()


def interval(e: Expr, box: Box) -> Interval | None:
    """The smallest and largest value that `e` may take, or None where data decide. Not always tight."""
    form = affine(e)
    if form is not None:
        return span_of(form, box)
    match e:
        case Const(value=bool() as value):
            return (int(value), int(value))
        case Read(dtype=DType.BOOL):
            return (0, 1)
        case Apply(op=ops.MIN | ops.MAX as op, args=(a, b)):
            return _extreme(op, interval(a, box), interval(b, box))
        case Apply(op=ops.MOD, args=(_, Const(value=int() as d))) if d > 0:
            return (0, d - 1)
        case Apply(op=ops.ADD, args=(a, b)):
            return _both(interval(a, box), interval(b, box), lambda p, q: (p[0] + q[0], p[1] + q[1]))
        case Apply(op=ops.SUB, args=(a, b)):
            return _both(interval(a, box), interval(b, box), lambda p, q: (p[0] - q[1], p[1] - q[0]))
        case Apply(op=ops.MUL, args=(a, b)):
            return _both(interval(a, box), interval(b, box), _product)
        case Apply(op=ops.FLOORDIV, args=(a, Const(value=int() as d))) if d > 0:
            inner = interval(a, box)
            return (floordiv(inner[0], d), floordiv(inner[1], d)) if inner else None
        case Select(then=a, other=b):
            return _both(interval(a, box), interval(b, box), _hull)
        case _:
            return None


def _both(
    p: Interval | None, q: Interval | None, join: Callable[[Interval, Interval], Interval | None]
) -> Interval | None:
    return join(p, q) if p and q else None


def _hull(p: Interval, q: Interval) -> Interval | None:
    values = (*p, *q)
    if not all(isinstance(v, int) for v in values):
        return None
    return (min(values), max(values))  # type: ignore[type-var]


def _product(p: Interval, q: Interval) -> Interval | None:
    values = [a * b for a in p for b in q]
    if not all(isinstance(v, int) for v in values):
        return None
    return (min(values), max(values))  # type: ignore[type-var]


def _extreme(op: ops.Op, p: Interval | None, q: Interval | None) -> Interval | None:
    """min and max bound from one side even when the other argument is data."""
    wide = 2**63
    low_p, high_p = p or (-wide, wide)
    low_q, high_q = q or (-wide, wide)
    if p is None and q is None:
        return None
    choose = _least if op is ops.MIN else _most
    low, high = choose(low_p, low_q), choose(high_p, high_q)
    return None if low is None or high is None else (low, high)


def _least(a: Extent, b: Extent) -> Extent | None:
    order = at_least(b, a)
    return None if order is None else a if order else b


def _most(a: Extent, b: Extent) -> Extent | None:
    order = at_least(a, b)
    return None if order is None else a if order else b


def span_of(form: Affine, box: Box) -> Interval | None:
    """The interval of an affine form over a box that is not empty."""
    digits, rest = remainders(form) if any(isinstance(v, Floor) for v, _ in form.terms) else ((), form)
    low = high = rest.constant
    ranges = [(_range_of(v, box), c) for v, c in rest.terms]
    ranges += [(_range_of_remainder(r, box), c) for r, c in digits]
    for inner, c in ranges:
        sign = at_least(c, 0)
        if inner is None or sign is None:
            return None
        a, b = (inner[0], inner[1]) if sign else (inner[1], inner[0])
        low, high = low + c * a, high + c * b
    return low, high


def _range_of(v: Variable, box: Box) -> Interval | None:
    if isinstance(v, str):
        return (0, box[v] - 1) if v in box else None
    inner = span_of(v.above, box)
    return (floordiv(inner[0], v.below), floordiv(inner[1], v.below)) if inner else None


def _range_of_remainder(r: Remainder, box: Box) -> Interval | None:
    """From 0 to less than the divisor; less where the dividend does not get there."""
    inner = span_of(r.above, box)
    if inner is not None and at_least(inner[0], 0) and at_least(r.below - 1, inner[1]):
        return inner
    return (0, r.below - 1)


def never_negative(form: Affine, box: Box, facts: Facts) -> bool | None:
    """Whether `form >= 0` everywhere in the box where the facts hold. False means: not proved."""
    spread = span_of(form, box)
    if spread is not None:
        answer = at_least(spread[0], 0)
        if answer is not False or not form.is_concrete:
            return answer
    if not form.is_concrete:
        return None
    known = [f for f in (*facts.forms, *_floor_facts((form, *facts.forms))) if f.is_concrete]
    return _follows(form, box, known, _DEPTH)


def _floor_facts(forms: Iterable[Affine]) -> list[Affine]:
    """What a variable q = a // d says of itself: 0 <= a - d*q <= d - 1."""
    out: list[Affine] = []
    for form in forms:
        for v, _ in form.terms:
            if isinstance(v, Floor):
                rest = v.above - Affine(0, ((v, v.below),))
                out += [rest, Affine(v.below - 1) - rest, *_floor_facts((v.above,))]
    return out


def _follows(goal: Affine, box: Box, facts: list[Affine], depth: int) -> bool:
    """Subtract multiples of facts from the goal until its least value over the box is not negative (Farkas)."""
    spread = span_of(goal, box)
    if spread is not None and at_least(spread[0], 0):
        return True
    if depth == 0:
        return False
    for fact in facts:
        for v, f in fact.terms:
            g = goal.coefficient(v)
            assert isinstance(f, int)
            assert isinstance(g, int)
            if g * f > 0:
                rest = goal.scaled(abs(f)) - fact.scaled(abs(g))
                if _follows(rest, box, facts, depth - 1):
                    return True
    return False


def is_empty(box: Box) -> bool:
    """Whether some index certainly takes no value."""
    return any(isinstance(n, int) and n <= 0 for n in box.values())


def uses_data(e: Expr) -> bool:
    """Whether the value of `e` depends on a tensor's elements."""
    match e:
        case Read():
            return True
        case Const() | Index():
            return False
        case Apply(args=args):
            return any(uses_data(a) for a in args)
        case Select(cond=c, then=a, other=b):
            return uses_data(c) or uses_data(a) or uses_data(b)
        case _:
            return True


def gathers(e: Expr) -> bool:
    """Whether some access of `e` has a subscript that data decide: its run-time check speaks of the equation's own indices."""
    return any(uses_data(s) for r in reads(e) for s in r.subscripts)


def stays_inside(e: Expr, extent: Extent, box: Box, facts: Facts) -> bool | None:
    """Whether `0 <= e < extent` wherever the facts hold; False: not proved; None: the named extents decide."""
    if is_empty(box):
        return True
    if isinstance(e, Index) and box.get(e.name) == extent:
        return True  # an axis from end to end, as most are
    form = affine(e)
    if form is None:
        spread = interval(e, box)
        if spread is None:
            return False
        return _all(at_least(spread[0], 0), at_least(extent - 1, spread[1]))
    low = never_negative(form, box, facts)
    high = never_negative(Affine(extent - 1) - form, box, facts)
    return _all(low, high)


def _all(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def evaluate(e: Expr, point: Mapping[str, int]) -> int | bool | None:
    """The value of an index-only int or bool expression at a point; None where data decide. In Python's integers."""
    match e:
        case Const(value=value):
            return value if isinstance(value, int) else None
        case Index(name=name):
            return point.get(name)
        case Apply(op=op, args=args):
            values = [evaluate(a, point) for a in args]
            if op is ops.AND and False in values:
                return False
            if op is ops.OR and True in values:
                return True
            if any(v is None for v in values) or (op in (ops.FLOORDIV, ops.MOD) and values[1] == 0):
                return None
            exact = EXACT.get(op)
            return None if exact is None else exact(*values)
        case Select(cond=cond, then=a, other=b):
            chosen = evaluate(cond, point)
            return None if chosen is None else evaluate(a if chosen else b, point)
        case _:
            return None


__all__ = [
    "Box",
    "Facts",
    "Interval",
    "Size",
    "evaluate",
    "interval",
    "is_empty",
    "never_negative",
    "span_of",
    "stays_inside",
    "uses_data",
]
