"""The syntax tree: what the text says, before any name has a meaning."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from indexlang.text.source import Span


@dataclass(frozen=True, slots=True)
class Number:
    """A literal: an int of any size, or a float (written with a point or an exponent)."""

    value: int | float
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name: an index, a constant, an extent or a scalar tensor."""

    name: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """`L0[b, s*x+dx, i else 0]`; `border` is what follows `else`."""

    name: str
    subscripts: "tuple[Subscript, ...]"
    border: "Expr | None"
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`exp(x)`, `max(a, b)`."""

    name: str
    args: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `not c`."""

    op: str
    operand: "Expr"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`a + b`; `op` is one of `+ - * / // % ^ and or`."""

    op: str
    left: "Expr"
    right: "Expr"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chain `p <= x < q`: one more operand than operators."""

    ops: tuple[str, ...]
    operands: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Conditional:
    """`value if condition else other`."""

    value: "Expr"
    condition: "Expr"
    other: "Expr"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binder:
    """`dx` or `dx:3` in a reduction's list."""

    name: str
    extent: "Expr | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reduction:
    """`sum[dx:3] term`; no `binders` means that they are found from the term."""

    op: str
    binders: tuple[Binder, ...] | None
    body: "Expr"
    span: Span = field(compare=False, repr=False)
    op_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """`[64, 128, 256]`, a table of constants."""

    items: "tuple[Expr, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ranged:
    """`x:14` on a left side: an index with its extent written out."""

    index: "Expr"
    extent: "Expr"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """`(x,y,i)`: several indices as one axis, row-major."""

    items: "tuple[Subscript, ...]"
    span: Span = field(compare=False, repr=False)


Expr = Number | Name | Access | Call | Unary | Binary | Comparison | Conditional | Reduction | Table
Subscript = Expr | Ranged | Group


@dataclass(frozen=True, slots=True)
class Input:
    """`input label[B] : int from "labels.npy"`."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    default: str | None
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Param:
    """`param W[5,5,3,16] ~ xavier` (a Name or a Call) or `param B[16] = 0`."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    drawn: Name | Call | None
    value: Expr | None
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Declaration:
    """`tensor T[10,K] : int`: extents and dtype of a computed tensor, stated."""

    name: str
    axes: tuple[Subscript, ...]
    dtype: str
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Equation:
    """`T[axes] = body` or `T[axes] += body`; no brackets at all makes `subscripts` None."""

    name: str
    subscripts: tuple[Subscript, ...] | None
    sign: str
    body: Expr
    span: Span = field(compare=False, repr=False)
    left_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Output:
    """`output s, loss`."""

    names: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)


Statement = Input | Param | Declaration | Equation | Output


@dataclass(frozen=True, slots=True)
class Module:
    """A whole text.

    broken    the names that statements with mistakes would have defined: nothing is said of their uses
    declares  whether any input or param is declared
    """

    statements: tuple[Statement, ...]
    broken: frozenset[str] = frozenset()
    declares: bool = False


def nodes(e: object) -> Iterator[object]:
    """A node and everything inside it, parents first."""
    yield e
    for name in getattr(e, "__slots__", ()):
        value = getattr(e, name)
        for item in value if isinstance(value, tuple) else (value,):  # pyright: ignore[reportUnknownVariableType]
            if hasattr(item, "span") and not isinstance(item, Span):  # pyright: ignore[reportUnknownArgumentType]
                yield from nodes(item)  # pyright: ignore[reportUnknownArgumentType]
