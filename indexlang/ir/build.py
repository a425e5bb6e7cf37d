"""Constructors of expressions: they find dtypes and fold constants, so that the IR is made in one way only."""

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from indexlang.ir import ops
from indexlang.ir.dtypes import DType, joined
from indexlang.ir.exact import COMPARED, WHOLE
from indexlang.ir.expr import Apply, Const, Expr, Index, Read, Reduce, Select
from indexlang.ir.ops import Kind, Op
from indexlang.ir.size import Extent, Named, Size, floordiv
from indexlang.text.source import NOWHERE, Span

Number = int | float | bool | Fraction | Size


class BadOperands(Exception):
    """An operation does not take these types; the elaborator knows where and says so."""


def integer(value: Extent, span: Span = NOWHERE) -> Const:
    """A constant of type int; named extents stay names."""
    return Const(value, DType.INT, span)


def is_const(e: Expr, value: object) -> bool:
    """Whether `e` is the known number `value`. A named extent is not, whatever it is now: kernels serve all its values."""
    return isinstance(e, Const) and not isinstance(e.value, Size | Named) and e.value == value


def zero_of(dtype: DType) -> Const:
    """The 0 of a type; of bools, false."""
    return Const(False if dtype is DType.BOOL else 0.0 if dtype.is_float else 0, dtype)


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds for one program float type."""

    float_type: DType

    def number(self, value: Number, span: Span = NOWHERE) -> Const:
        """A constant of the type that a number has by itself: bool, int, else the program's floats."""
        match value:
            case bool():
                return Const(value, DType.BOOL, span)
            case int() | Size():
                return Const(value, DType.INT, span)
            case Fraction() if value.denominator == 1:
                return Const(value.numerator, DType.INT, span)
            case _:
                return Const(value, self.float_type, span)

    def apply(self, op: Op, *args: Expr, span: Span = NOWHERE) -> Expr:
        """`op` of `args`, folded if they are constants.

        Raises BadOperands where the types do not fit, ZeroDivisionError for a constant division by zero.
        """
        dtype = self.result(op, args)
        if op in (ops.FLOORDIV, ops.MOD) and dtype is DType.INT and isinstance(args[1], Const) and args[1].value == 0:
            raise ZeroDivisionError
        if all(isinstance(a, Const) for a in args):
            folded = _fold(op, [cast(Const, a).value for a in args])
            if folded is not None:
                return self.number(folded, span)
        return _simpler(op, args) or Apply(op, args, dtype, span)

    def result(self, op: Op, args: tuple[Expr, ...]) -> DType:
        """The type that `op` gives for these operands. Raises BadOperands."""
        types = [a.dtype for a in args]
        bools = [t is DType.BOOL for t in types]
        match op.kind:
            case Kind.LOGIC:
                if not all(bools):
                    raise BadOperands
                return DType.BOOL
            case Kind.COMPARE:
                if any(bools) and not (all(bools) and op in (ops.EQ, ops.NE)):
                    raise BadOperands
                return DType.BOOL
            case Kind.FLOAT:
                return self._floats(types)
            case Kind.NUMBER:
                found = joined(*types)
                return DType.INT if found is DType.BOOL else found
            case Kind.DRAW:
                return self.float_type
            case Kind.INT | Kind.TO_INT:
                return DType.INT

    def _floats(self, types: list[DType]) -> DType:
        floats = [t for t in types if t.is_float]
        return joined(*floats) if floats else self.float_type

    def power(self, base: Expr, exponent: Expr, span: Span = NOWHERE) -> Expr:
        """`base ^ exponent`; small whole exponents become products, exact for ints."""
        if isinstance(exponent, Const) and isinstance(exponent.value, int) and not isinstance(exponent.value, bool):
            n = exponent.value
            if isinstance(base, Const) and not isinstance(base.value, Size) and 0 <= n <= 4096:
                return self.number(base.value**n, span)  # pyright: ignore
            if 0 <= n <= 8:
                return self._product(base, n, span)
            if -8 <= n < 0:
                return self.apply(ops.DIV, self.number(1), self._product(base, -n, span), span=span)
        return self.apply(ops.POW, base, exponent, span=span)

    def _product(self, base: Expr, n: int, span: Span) -> Expr:
        if n == 0:
            return self.number(1, span)
        half = self._product(base, n // 2, span) if n > 1 else base
        square = self.apply(ops.MUL, half, half, span=span) if n > 1 else half
        return self.apply(ops.MUL, square, base, span=span) if n > 1 and n % 2 else square

    def select(self, cond: Expr, then: Expr, other: Expr, span: Span = NOWHERE) -> Expr:
        """`then if cond else other`; both branches must be bools, or both numbers."""
        if cond.dtype is not DType.BOOL or (then.dtype is DType.BOOL) != (other.dtype is DType.BOOL):
            raise BadOperands
        if isinstance(cond, Const):
            return then if cond.value else other
        return Select(cond, then, other, joined(then.dtype, other.dtype), span)

    def whole(self, op: Op, e: Expr, span: Span = NOWHERE) -> Expr | None:
        """floor or ceil of an exact quotient as integer division, or None where `e` is not one."""
        quotient = self.rational(e)
        if quotient is None:
            return None
        above, below = quotient
        if op is ops.CEIL:
            above = self.apply(ops.NEG, above)
        down = self.apply(ops.FLOORDIV, above, integer(below), span=span)
        return self.apply(ops.NEG, down, span=span) if op is ops.CEIL else down

    def rational(self, e: Expr) -> tuple[Expr, Extent] | None:
        """`e` as an int expression over a positive int, exactly."""
        match e:
            case Const(value=Fraction() as q):
                return integer(q.numerator), q.denominator
            case _ if e.dtype is DType.INT:
                return e, 1
            case Apply(op=ops.DIV, args=(a, b)):
                above, below = self.rational(a), self.rational(b)
                if above is None or below is None or not isinstance(below[0], Const):
                    return None
                d = cast(Extent, below[0].value)
                if isinstance(d, int) and d <= 0:
                    return None
                return self.apply(ops.MUL, above[0], integer(below[1])), above[1] * d
            case Apply(op=ops.MUL, args=(a, b)):
                p, q = self.rational(a), self.rational(b)
                return (self.apply(ops.MUL, p[0], q[0]), p[1] * q[1]) if p and q else None
            case Apply(op=ops.ADD | ops.SUB as op, args=(a, b)):
                p, q = self.rational(a), self.rational(b)
                if p is None or q is None:
                    return None
                left, right = self.apply(ops.MUL, p[0], integer(q[1])), self.apply(ops.MUL, q[0], integer(p[1]))
                return self.apply(op, left, right), p[1] * q[1]
            case _:
                return None


def _fold(op: Op, values: list[Number]) -> Number | None:
    if any(isinstance(v, Size) for v in values):
        return _fold_sizes(op, values)
    if any(isinstance(v, Named) for v in values) and not _stays_named(op, values):
        return None  # a kernel is not made for one value of a named extent
    exact = all(isinstance(v, int | Fraction) for v in values)
    match op:
        case ops.ADD:
            return values[0] + values[1]  # pyright: ignore
        case ops.SUB:
            return values[0] - values[1]  # pyright: ignore
        case ops.MUL:
            return values[0] * values[1]  # pyright: ignore
        case ops.NEG:
            return -values[0]  # pyright: ignore[reportOperatorIssue]
        case ops.DIV if exact:
            return Fraction(cast(int, values[0])) / Fraction(cast(int, values[1]))
        case ops.FLOORDIV if exact:
            return values[0] // values[1]  # pyright: ignore
        case ops.MOD if exact:
            return cast(int, values[0]) % cast(int, values[1])
        case ops.FLOOR | ops.CEIL | ops.ABS if exact:
            q = Fraction(cast(int, values[0]))
            return abs(q) if op is ops.ABS else q.__floor__() if op is ops.FLOOR else q.__ceil__()
        case _ if op in COMPARED and not any(isinstance(v, Fraction) for v in values):
            return _compared(op, values)
        case _ if op in WHOLE and all(type(v) is int for v in values):
            return WHOLE[op](*values)
        case _:
            pass
    plain = [float(v) if isinstance(v, Fraction) else v for v in values]
    if op in (ops.DIV, ops.FLOORDIV, ops.MOD) and plain[1] == 0:
        raise ZeroDivisionError
    result = op.value(*(float(v) if op.kind is Kind.FLOAT and not isinstance(v, Size) else v for v in plain))
    if op.kind in (Kind.COMPARE, Kind.LOGIC):
        return bool(result)
    return int(result) if op.kind in (Kind.TO_INT, Kind.INT) or _whole(result) else float(result)


def _compared(op: Op, values: list[Number]) -> bool:
    """An int beside a float becomes one, as it does where arrays are compared."""
    alike = [float(cast(float, v)) for v in values] if any(isinstance(v, float) for v in values) else values
    return bool(COMPARED[op](*alike))


def _stays_named(op: Op, values: list[Number]) -> bool:
    return op in (ops.ADD, ops.SUB, ops.MUL, ops.NEG, ops.FLOORDIV, ops.MOD) and all(isinstance(v, int) for v in values)


def _whole(value: object) -> bool:
    return isinstance(value, int) or getattr(getattr(value, "dtype", None), "kind", "f") in "iu"


def _fold_sizes(op: Op, values: list[Number]) -> Number | None:
    if not all(isinstance(v, int | Size) and not isinstance(v, bool) for v in values):
        return None
    sizes = cast(list[Extent], values)
    match op:
        case ops.ADD:
            return sizes[0] + sizes[1]
        case ops.SUB:
            return sizes[0] - sizes[1]
        case ops.MUL:
            return sizes[0] * sizes[1]
        case ops.NEG:
            return -sizes[0]
        case ops.FLOORDIV:
            return floordiv(sizes[0], sizes[1])
        case _:
            return None


def _simpler(op: Op, args: tuple[Expr, ...]) -> Expr | None:
    """What needs no operation at all; only rules that are exact for NaN, infinities and signed zeros."""
    match op, args:
        case (ops.ADD, (a, b)) if a.dtype is DType.INT and b.dtype is DType.INT:
            return a if is_const(b, 0) else b if is_const(a, 0) else None
        case (ops.SUB, (a, b)) if a.dtype is DType.INT and is_const(b, 0) and b.dtype is DType.INT:
            return a
        case (ops.MUL, (a, b)) if is_const(a, 1) and a.dtype is DType.INT and b.dtype is not DType.BOOL:
            return b
        case (ops.MUL, (a, b)) if is_const(b, 1) and b.dtype is DType.INT and a.dtype is not DType.BOOL:
            return a
        case (ops.FLOORDIV, (a, b)) if a.dtype is DType.INT and b.dtype is DType.INT and is_const(b, 1):
            return a
        case (ops.MUL, (a, b)) if a.dtype is DType.INT and b.dtype is DType.INT and (is_const(a, 0) or is_const(b, 0)):
            return integer(0)
        case _:
            return None


__all__ = ["BadOperands", "Builder", "Index", "Read", "Reduce", "integer", "is_const"]
