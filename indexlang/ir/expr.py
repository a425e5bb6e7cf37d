"""The typed expressions of the IR. A node is immutable; positions do not take part in comparisons."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from enum import Enum
from fractions import Fraction
from operator import is_

from indexlang.ir.dtypes import DType
from indexlang.ir.ops import Fold, Op, identity
from indexlang.ir.size import Extent
from indexlang.text.source import NOWHERE, Span
from indexlang.text.values import immutable


@immutable
class Const:
    """A number. An int may be a Size while named extents have no value; an exact quotient is a Fraction."""

    value: int | float | bool | Fraction | Extent
    dtype: DType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@immutable
class Index:
    """An index used as a number; always an int."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def dtype(self) -> DType:
        """Always int."""
        return DType.INT


class Rule(Enum):
    """What a read outside its axes gives."""

    VALUE = "value"
    EDGE = "edge"
    WRAP = "wrap"
    MIRROR = "mirror"
    REFLECT = "reflect"


@immutable
class Border:
    """The rule for reads outside; `value` is there for Rule.VALUE only."""

    rule: Rule
    value: "Expr | None" = None


@immutable
class Read:
    """An access: one int expression an axis. `dtype` is that of the value read."""

    tensor: str
    subscripts: "tuple[Expr, ...]"
    border: Border | None
    dtype: DType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@immutable
class Apply:
    """A scalar function of its arguments."""

    op: Op
    args: "tuple[Expr, ...]"
    dtype: DType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@immutable
class Select:
    """`then if cond else other`; only the branch taken is evaluated."""

    cond: "Expr"
    then: "Expr"
    other: "Expr"
    dtype: DType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@immutable
class Bound:
    """An index with how many values it takes, from 0."""

    name: str
    extent: Extent
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@immutable
class Reduce:
    """Fold `body` over all values of the indices in `over`; an empty range gives `ops.identity`.

    over   bound here, distinct, not bound around it          (E0310)
    dtype  that of body; int for argmax and argmin
    """

    fold: Fold
    over: tuple[Bound, ...]
    body: "Expr"
    dtype: DType
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expr = Const | Index | Read | Apply | Select | Reduce


def changes_nothing(e: "Expr", n: Reduce) -> bool:
    """Whether a term is the number that a reduction gives for no terms: it can be left out."""
    return isinstance(e, Const) and e.value == identity(n.fold, n.dtype.is_float)


def children(e: Expr) -> "tuple[Expr, ...]":
    """The direct parts of an expression."""
    match e:
        case Const() | Index():
            return ()
        case Read(subscripts=subscripts, border=border):
            return (*subscripts, border.value) if border and border.value is not None else subscripts
        case Apply(args=args):
            return args
        case Select(cond=cond, then=then, other=other):
            return (cond, then, other)
        case Reduce(body=body):
            return (body,)


def with_children(e: Expr, parts: "tuple[Expr, ...]") -> Expr:
    """`e` with other direct parts; the same node if none differs."""
    old = children(e)
    assert len(old) == len(parts)
    if all(map(is_, old, parts)):
        return e
    match e:
        case Const() | Index():
            return e
        case Read(tensor, subscripts, border, dtype, span):
            n = len(subscripts)
            rule = Border(border.rule, parts[n]) if border and len(parts) > n else border
            return Read(tensor, parts[:n], rule, dtype, span)
        case Apply(op, _, dtype, span):
            return Apply(op, parts, dtype, span)
        case Select(_, _, _, dtype, span):
            return Select(parts[0], parts[1], parts[2], dtype, span)
        case Reduce(fold, over, _, dtype, span):
            return Reduce(fold, over, parts[0], dtype, span)


def rewrite(e: Expr, rule: "Callable[[Expr], Expr]") -> Expr:
    """Apply `rule` to every node, parts first."""
    return rule(with_children(e, tuple(rewrite(c, rule) for c in children(e))))


def with_indices(e: Expr, values: "Mapping[str, Expr]") -> Expr:
    """`e` with expressions in place of some of its free indices, none of which may be bound inside it."""
    return rewrite(e, lambda n: values.get(n.name, n) if isinstance(n, Index) else n)


def walk(e: Expr) -> Iterator[Expr]:
    """Every node, parents first."""
    waiting = [e]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def reads(e: Expr) -> Iterator[Read]:
    """Every access of an expression, those in subscripts included."""
    return (node for node in walk(e) if isinstance(node, Read))


def free_indices(e: Expr) -> set[str]:
    """The indices that `e` uses and does not bind."""
    match e:
        case Index(name=name):
            return {name}
        case Reduce(over=over, body=body):
            return free_indices(body) - {b.name for b in over}
        case _:
            return {name for c in children(e) for name in free_indices(c)}
