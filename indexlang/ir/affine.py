"""Integer expressions as sums of multiples: `s*x + dx - 1`, with `floor` and `//` as variables of their own."""

from collections.abc import Mapping
from typing import Union

from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Const, Expr, Index
from indexlang.ir.size import Extent, Size, floordiv
from indexlang.text.values import immutable


@immutable
class Floor:
    """A variable standing for `above // below`, with below > 0."""

    above: "Affine"
    below: Extent


Variable = Union[str, Floor]  # noqa: UP007


@immutable
class Affine:
    """`constant + sum of coefficient*variable`; no coefficient is zero."""

    constant: Extent
    terms: tuple[tuple[Variable, Extent], ...] = ()

    def __add__(self, other: "Affine") -> "Affine":
        out = dict(self.terms)
        for v, c in other.terms:
            out[v] = out.get(v, 0) + c
        return Affine(self.constant + other.constant, tuple((v, c) for v, c in out.items() if c != 0))

    def scaled(self, factor: Extent) -> "Affine":
        """Every number times `factor`; nothing remains of the variables where that is 0."""
        if factor == 0:
            return Affine(0)
        constant = 0 if type(self.constant) is int and self.constant == 0 else self.constant * factor  # never a named 0
        return Affine(constant, tuple((v, c * factor) for v, c in self.terms))

    def __sub__(self, other: "Affine") -> "Affine":
        return self + other.scaled(-1)

    def coefficient(self, variable: Variable) -> Extent:
        """The number in front of a variable; 0 where it does not occur."""
        return dict(self.terms).get(variable, 0)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The indices and floors that occur, in their order; floors whole."""
        return tuple(v for v, _ in self.terms)

    @property
    def indices(self) -> set[str]:
        """Every index that occurs, inside floors too."""
        out: set[str] = set()
        for v, _ in self.terms:
            out |= {v} if isinstance(v, str) else v.above.indices
        return out

    @property
    def is_plain(self) -> bool:
        """Whether all variables are indices."""
        return all(isinstance(v, str) for v, _ in self.terms)

    @property
    def is_concrete(self) -> bool:
        """Whether all numbers are known."""
        return isinstance(self.constant, int) and all(
            isinstance(c, int) and (isinstance(v, str) or (isinstance(v.below, int) and v.above.is_concrete))
            for v, c in self.terms
        )


def index(name: str) -> Affine:
    """The form that is just the index `name`."""
    return Affine(0, ((name, 1),))


def affine(e: Expr) -> Affine | None:
    """The affine form of an int expression, or None where it has none (products of indices, data, min, …)."""
    match e:
        case Const(value=bool()):
            return None
        case Const(value=int() | Size() as value):
            return Affine(value)
        case Index(name=name):
            return index(name)
        case Apply(op=ops.ADD, args=(a, b)):
            left, right = affine(a), affine(b)
            return left + right if left and right else None
        case Apply(op=ops.SUB, args=(a, b)):
            left, right = affine(a), affine(b)
            return left - right if left and right else None
        case Apply(op=ops.NEG, args=(a,)):
            inner = affine(a)
            return inner.scaled(-1) if inner else None
        case Apply(op=ops.MUL, args=(a, b)):
            left, right = affine(a), affine(b)
            if not left or not right:
                return None
            if not left.terms:
                return right.scaled(left.constant)
            return left.scaled(right.constant) if not right.terms else None
        case Apply(op=ops.FLOORDIV, args=(a, b)):
            return _quotient(affine(a), affine(b))
        case Apply(op=ops.MOD, args=(a, b)):
            left, right = affine(a), affine(b)
            quotient = _quotient(left, right)
            if left is None or right is None or quotient is None:
                return None
            return left - quotient.scaled(right.constant)
        case _:
            return None


def _quotient(above: Affine | None, below: Affine | None) -> Affine | None:
    if above is None or below is None or below.terms:
        return None
    d = below.constant
    if isinstance(d, int) and d <= 0:
        return None
    if not above.terms:
        return Affine(floordiv(above.constant, d))
    if isinstance(d, int) and above.is_concrete:  # multiples of d leave the floor
        whole = tuple((v, c // d) for v, c in above.terms if isinstance(c, int) and c % d == 0)
        rest = tuple((v, c) for v, c in above.terms if isinstance(c, int) and c % d)
        constant = above.constant
        assert isinstance(constant, int)
        if not rest:
            return Affine(constant // d, whole)
        return Affine(constant // d, whole) + Affine(0, ((Floor(Affine(constant % d, rest), d), 1),))
    return Affine(0, ((Floor(above, d), 1),))


def expression(form: Affine) -> Expr:
    """An int expression of that form: its terms in order, the constant last, without zeros and ones."""
    out: Expr | None = None
    for v, c in form.terms:
        place: Expr
        if isinstance(v, str):
            place = Index(v)
        else:
            place = Apply(ops.FLOORDIV, (expression(v.above), Const(v.below, DType.INT)), DType.INT)
        minus = isinstance(c, int) and c < 0 and out is not None
        factor = -c if minus else c
        term = place if factor == 1 else Apply(ops.MUL, (Const(factor, DType.INT), place), DType.INT)
        out = term if out is None else Apply(ops.SUB if minus else ops.ADD, (out, term), DType.INT)
    if out is None or form.constant == 0:
        return Const(form.constant, DType.INT) if out is None else out
    below = isinstance(form.constant, int) and form.constant < 0
    rest = Const(-form.constant if below else form.constant, DType.INT)
    return Apply(ops.SUB if below else ops.ADD, (out, rest), DType.INT)


@immutable
class Remainder:
    """`above % below`, which an affine form holds as `above - below*(above // below)`."""

    above: Affine
    below: Extent


def remainders(form: Affine) -> tuple[tuple[tuple[Remainder, Extent], ...], Affine]:
    """The remainders in a form with their factors, and the form without them."""
    found: list[tuple[Remainder, Extent]] = []
    rest = form
    for v, c in form.terms:
        if not isinstance(v, Floor):
            continue
        times = floordiv(-c, v.below)
        whole = v.above.scaled(times) + Affine(0, ((v, c),))
        left = rest - whole
        if times * v.below == -c and all(left.coefficient(w) == 0 for w in whole.variables):
            rest = left
            found.append((Remainder(v.above, v.below), times))
    return tuple(found), rest


def value(form: Affine, point: Mapping[str, int]) -> int:
    """The value at a point; all numbers must be known."""
    total = form.constant
    for v, c in form.terms:
        at = point[v] if isinstance(v, str) else value(v.above, point) // v.below
        total = total + c * at
    assert isinstance(total, int)
    return total


def conjuncts(cond: Expr) -> tuple[Expr, ...]:
    """The conditions that must all hold for a condition to hold, in order."""
    if isinstance(cond, Apply) and cond.op is ops.AND:
        return tuple(c for a in cond.args for c in conjuncts(a))
    return (cond,)


def not_negative(test: Expr) -> Affine | None:
    """The affine form that must not be negative for a comparison to hold; None for anything else."""
    match test:
        case Apply(op=ops.LT | ops.LE | ops.GT | ops.GE as op, args=(a, b)):
            left, right = affine(a), affine(b)
            if left is None or right is None:
                return None
            above, below = (right, left) if op in (ops.LT, ops.LE) else (left, right)
            return above - below - Affine(1 if op in (ops.LT, ops.GT) else 0)
        case _:
            return None
