"""The syntax tree: what the text says, before any name has a meaning."""

from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass
from functools import cache

from indexlang.text.source import Span
from indexlang.text.values import immutable


@immutable
class Number:
    """A literal: an int of any size, or a float (written with a point or an exponent)."""

    value: int | float
    span: Span = field(compare=False, repr=False)


@immutable
class Name:
    """A bare name: an index, a constant, an extent or a scalar tensor."""

    name: str
    span: Span = field(compare=False, repr=False)


@immutable
class Access:
    """`L0[b, s*x+dx, i else 0]`; `border` is what follows `else`."""

    name: str
    subscripts: "tuple[Subscript, ...]"
    border: "Expr | None"
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@immutable
class Keyword:
    """`width 11` or `width=11` in a call."""

    name: str
    value: "Expr"
    span: Span = field(compare=False, repr=False)


@immutable
class Call:
    """`exp(x)`, `max(a, b)`, `Conv(L0, Φ1, width 11)`."""

    name: str
    args: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)
    keywords: tuple[Keyword, ...] = ()


@immutable
class Derivative:
    """`d(loss)/d(W)`, or an element of it, `d(loss)/d(W[i,j])`."""

    of: "Expr"
    wrt: Name | Access
    span: Span = field(compare=False, repr=False)


@immutable
class Joined:
    """`A[b,J1] ; B[b,J2]`: vectors joined along their last slice axis."""

    parts: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)


@immutable
class Pack:
    """`I...`: one or more axes taken as one group."""

    name: str
    span: Span = field(compare=False, repr=False)


@immutable
class Unary:
    """`-x`, `not c`."""

    op: str
    operand: "Expr"
    span: Span = field(compare=False, repr=False)


@immutable
class Binary:
    """`a + b`; `op` is one of `+ - * / // % ^ and or`."""

    op: str
    left: "Expr"
    right: "Expr"
    span: Span = field(compare=False, repr=False)


@immutable
class Comparison:
    """A chain `p <= x < q`: one more operand than operators."""

    ops: tuple[str, ...]
    operands: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)


@immutable
class Conditional:
    """`value if condition else other`."""

    value: "Expr"
    condition: "Expr"
    other: "Expr"
    span: Span = field(compare=False, repr=False)


@immutable
class Binder:
    """`dx` or `dx:3` in a reduction's list."""

    name: str
    extent: "Expr | None"
    span: Span = field(compare=False, repr=False)


@immutable
class Reduction:
    """`sum[dx:3] term`; no `binders` means that they are found from the term."""

    op: str
    binders: tuple[Binder, ...] | None
    body: "Expr"
    span: Span = field(compare=False, repr=False)
    op_span: Span = field(compare=False, repr=False)


@immutable
class Table:
    """`[64, 128, 256]`, a table of constants."""

    items: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)


@immutable
class Ranged:
    """`x:14` on a left side: an index with its extent written out."""

    index: "Expr"
    extent: "Expr"
    span: Span = field(compare=False, repr=False)


@immutable
class Group:
    """`(x,y,i)`: several indices as one axis, row-major."""

    items: "tuple[Subscript, ...]"
    span: Span = field(compare=False, repr=False)


Expr = (
    Number | Name | Access | Call | Unary | Binary | Comparison | Conditional | Reduction | Derivative | Table | Joined
)
Subscript = Expr | Ranged | Group | Pack


@immutable
class Input:
    """`input label[B] : int from "labels.npy"`."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    default: str | None
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@immutable
class Param:
    """`param W[5,5,3,16] ~ xavier` (a Name or a Call) or `param B[16] = 0`."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    drawn: Name | Call | None
    value: Expr | None
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@immutable
class Declaration:
    """`tensor T[10,K] : int`: extents and dtype of a computed tensor, stated."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@immutable
class Equation:
    """`T[axes] = body`, `+=`, `~` (drawn anew at each run) or `<-` (the next value of a state or param).

    No brackets at all makes `subscripts` None. A left side that is joined vectors stands in `split`.
    `ranges` are those written in a `for x:14` before it.
    """

    name: str
    subscripts: tuple[Subscript, ...] | None
    sign: str
    body: Expr
    span: Span = field(compare=False, repr=False)
    left_span: Span = field(compare=False, repr=False)
    split: Joined | None = None
    ranges: tuple[Binder, ...] = ()


@immutable
class State:
    """`state m[J] = 0`: lives from run to run and is not trained."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    value: Expr
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@immutable
class Include:
    """`include "blocks.idx"`."""

    path: str
    span: Span = field(compare=False, repr=False)


@immutable
class Quantifier:
    """`for b,x,y,j` before an equation, as the lecture writes it: checked against the left side.

    ranges  those that are written, `for x:14`
    """

    names: tuple[Name, ...]
    equation: Equation | None
    span: Span = field(compare=False, repr=False)
    ranges: tuple[Binder, ...] = ()


@immutable
class TensorParam:
    """`L[X,Y,I]` in a function's head: a tensor and names for its extents; `I...` is a pack."""

    name: str
    axes: "tuple[Name | Pack, ...]"
    span: Span = field(compare=False, repr=False)


@immutable
class PackageParam:
    """`Φ` in a function's head: the parameters of one call."""

    name: str
    span: Span = field(compare=False, repr=False)


@immutable
class ConstantParam:
    """`width w`, `pad p = 0`, `features J = ?` (open: found from extents)."""

    keyword: str
    name: str
    default: Expr | None
    is_open: bool
    span: Span = field(compare=False, repr=False)


@immutable
class Def:
    """A function: statements, and the vector expression it returns."""

    name: str
    params: tuple[TensorParam | PackageParam | ConstantParam, ...]
    body: "tuple[Statement, ...]"
    result: Expr
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@immutable
class For:
    """`for l in 1..16:` repeats its block with the constant l = 1, …, 16."""

    name: str
    first: Expr
    last: Expr
    body: "tuple[Statement, ...]"
    span: Span = field(compare=False, repr=False)


@immutable
class If:
    """`if cond:` … `else:` …, chosen when compiling."""

    condition: Expr
    then: "tuple[Statement, ...]"
    other: "tuple[Statement, ...]"
    span: Span = field(compare=False, repr=False)


@immutable
class Output:
    """`output s, loss`."""

    names: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)


Statement = Input | Param | State | Declaration | Equation | Output | Include | Quantifier | Def | For | If


@immutable
class Module:
    """A whole text.

    broken    the names that statements with mistakes would have defined: nothing is said of their uses
    declares  whether any input or param is declared
    """

    statements: tuple[Statement, ...]
    broken: frozenset[str] = frozenset()
    declares: bool = False


_WORDS = (str, bool, int | float, str | None, tuple[str, ...])  # types of fields in which no part can stand


@cache
def part_names(kind: type) -> tuple[str, ...]:
    """The fields of a kind of node in which parts may stand: one, a tuple of them, or None."""
    if not is_dataclass(kind):
        return ()
    return tuple(f.name for f in fields(kind) if f.type not in (*_WORDS, Span))


def children(e: object) -> Iterator[object]:
    """The parts of a node."""
    for name in part_names(type(e)):
        value = getattr(e, name)
        if type(value) is tuple:
            yield from value  # pyright: ignore[reportUnknownVariableType]
        elif value is not None:
            yield value


def nodes(e: object) -> Iterator[object]:
    """A node and everything inside it, parents first."""
    waiting = [e]
    while waiting:
        node = waiting.pop()
        yield node
        for name in reversed(part_names(type(node))):
            value = getattr(node, name)
            if type(value) is tuple:
                waiting += value[::-1]  # pyright: ignore[reportUnknownArgumentType]
            elif value is not None:
                waiting.append(value)
