"""Tensors, equations and programs of the IR."""

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from math import prod

from indexlang.ir import size
from indexlang.ir.affine import affine
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Bound, Expr, Index
from indexlang.ir.size import Extent
from indexlang.text.source import NOWHERE, Span
from indexlang.text.values import immutable

SEED = "(seed)"  # a name that no text can write


class Role(Enum):
    """Where a tensor's values come from."""

    INPUT = "input"
    PARAM = "param"
    STATE = "state"
    SEED = "seed"  # the scalar that random tensors are drawn from; given anew at each run
    COMPUTED = "computed"


@immutable
class Start:
    """How a parameter begins: an initialiser's name with its numbers, or `constant` with a value.

    fan_in  how many products are summed for one output where the parameter is used (the N of Xavier's slide)
    """

    rule: str
    numbers: tuple[float, ...] = ()
    fan_in: Extent = 1

    @property
    def is_scaled(self) -> bool:
        """Whether the numbers drawn depend on the fan-in."""
        return self.rule in ("xavier", "he")


@immutable
class View:
    """Where a tensor lives inside another of as many axes: its element 0,0,… is the host's element at `starts`."""

    host: str
    starts: tuple[Extent, ...]


@immutable
class Tensor:
    """A tensor's name, extents and type. `axes` names each axis where a letter is known, else ''.

    view  set by passes only: the elements are a box of another tensor's, which has no equation for that box
    """

    name: str
    extents: tuple[Extent, ...]
    dtype: DType
    role: Role
    axes: tuple[str, ...] = ()
    start: Start | None = None
    default: str | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    view: View | None = None

    @property
    def elements(self) -> Extent:
        """How many elements it has: 1 for a scalar, an expression while extents are named."""
        return prod(self.extents, start=1)


@immutable
class Call:
    """A call of a function that an equation came from.

    result      the tensor that it computes, as the caller names it: another one for each call of a body
    numbers     the constants that were given, by their keywords
    is_library  whether the function is one of the prelude
    """

    function: str
    result: str
    numbers: tuple[tuple[str, object], ...]
    is_library: bool


@immutable
class Equation:
    """`target[left] = body` for all values of `indices`, or `+=` when `accumulates`.

    indices  bound on the left, in the order they are written; distinct from those bound in body
    left     one int expression over the indices an axis; without `accumulates` the map is one-to-one and covers
             every element of the target                                                                 (E0303)
    part     one of several equations that define the target together: their left sides are disjoint, and all of
             them cover it. Never with `accumulates`. See `parts.py`
    checks   set by passes only: the equations whose run-time checks are made before this one, in place of its own
    calls    the calls around it, outermost first; for looking at, nothing follows from them
    """

    target: str
    indices: tuple[Bound, ...]
    left: tuple[Expr, ...]
    accumulates: bool
    body: Expr
    span: Span = field(default=NOWHERE, compare=False, repr=False)
    part: bool = False
    checks: "tuple[Equation, ...] | None" = field(default=None, compare=False, repr=False)
    calls: tuple[Call, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether the left side is just the indices, in order."""
        return tuple(b.name for b in self.indices) == tuple(e.name if isinstance(e, Index) else "" for e in self.left)

    @property
    def starts(self) -> tuple[Extent, ...] | None:
        """Where a box begins: the constants c, d, … of a left side `x+c, y+d, …` over the indices in order, else None."""
        if len(self.left) != len(self.indices):
            return None
        forms = [affine(s) for s in self.left]
        if any(f is None or f.terms != ((b.name, 1),) for f, b in zip(forms, self.indices, strict=True)):
            return None
        return tuple(f.constant for f in forms if f is not None)


@dataclass(frozen=True)
class Program:
    """Tensors and equations; equations stand in an order in which they can be computed.

    updates  pairs of a state or param, and the computed tensor that replaces it after a training run
    exact    no sum is computed in a way that rounds more than adding up its terms does
    """

    tensors: tuple[Tensor, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[str, ...]
    float_type: DType
    updates: tuple[tuple[str, str], ...] = ()
    exact: bool = False

    @cached_property
    def by_name(self) -> dict[str, Tensor]:
        """Every tensor by its name, made once."""
        return {t.name: t for t in self.tensors}

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name. Raises KeyError."""
        return self.by_name[name]

    def with_role(self, role: Role) -> tuple[Tensor, ...]:
        """The tensors of a role, in their order."""
        return tuple(t for t in self.tensors if t.role is role)

    @cached_property
    def size_names(self) -> tuple[str, ...]:
        """The named extents that have no value yet, in order of first appearance."""
        out: dict[str, None] = {}
        for t in self.tensors:
            for e in t.extents:
                out.update(dict.fromkeys(sorted(size.names(e))))
        return tuple(out)

    def replace(self, **changes: object) -> "Program":
        """The same program but for these fields."""
        return replace(self, **changes)
