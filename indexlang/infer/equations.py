"""One equation: syntax → typed IR with every range known and every access proved."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import cast

from indexlang.infer.expressions import Expressions
from indexlang.infer.lefts import check_one_to_one, covered
from indexlang.infer.proofs import check_uses
from indexlang.infer.ranges import Ranges, Reason, settled
from indexlang.infer.scope import Scope, Use, Var, World
from indexlang.infer.windows import check_windows
from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Apply, Bound, Expr, Index, Reduce, children, with_children
from indexlang.ir.size import Extent, at_least, same, substitute
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, ProgramError, program_error
from indexlang.text.names import is_capital, plural
from indexlang.text.source import Span


@dataclass(frozen=True, slots=True)
class Stated:
    """What is said of the target beside its equation, by a `tensor` statement or on the left side (None: nothing)."""

    extents: tuple[Extent | None, ...]
    dtype: DType | None
    span: Span
    is_part: bool = False  # the equation gives a box of the target, others give the rest
    of: tuple[str, int] | None = None  # the caller's tensor, and its axes before these, if a call's left side says it


@dataclass(frozen=True, slots=True)
class Hint:
    """The extent of an index of the left side as another part of the same tensor has it."""

    extent: Extent
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Made:
    """An elaborated equation, and the extents that it gives its target (None: only a statement can say)."""

    equation: Equation
    extents: tuple[Extent | None, ...]
    axes: tuple[str, ...]
    warnings: tuple[Diagnostic, ...] = ()


def elaborate_equation(
    e: ast.Equation, world: World, stated: Stated | None, hints: Mapping[str, Hint] | None = None
) -> Made:
    """An equation in index form (see `vectors`). Raises ProgramError with its mistakes."""
    return _Elaboration(e, world, stated, hints or {}).run()


class _Elaboration:
    def __init__(self, e: ast.Equation, world: World, stated: Stated | None, hints: Mapping[str, Hint]) -> None:
        self.e = e
        self.hints = hints
        self.world = world
        self.stated = stated
        self.reasons: Mapping[str, Reason] = {}
        self.products: dict[int, Extent] = {}  # extents of grouped axes
        self.scope = Scope(ahead=world.looked.at(e).letters)
        self.expressions = Expressions(world, self.scope)

    def run(self) -> Made:
        e = self.e
        subscripts = e.subscripts or ()
        self._bind_left(subscripts)
        body = self.expressions.expr(e.body)
        left = [self._left(s, axis) for axis, s in enumerate(subscripts)]
        self._check_rank(len(left))
        ranges = Ranges(self.world, self.scope, tuple(self._stated_ranges(left)))
        values = ranges.solve()
        self.reasons = ranges.reasons
        check_windows(ranges)
        troubles = check_uses(ranges)
        if troubles:
            raise ProgramError(troubles)
        return self._finished(left, body, values)

    # -- the left side

    def _bind_left(self, subscripts: tuple[ast.Subscript, ...]) -> None:
        for s in subscripts:
            for item in s.items if isinstance(s, ast.Group) else (s,):
                match item:
                    case ast.Name(name=name, span=span):
                        if isinstance(s, ast.Group) and self.e.sign == "=" and name in self.scope.left:
                            message = f"`{name}` stands twice on the left side, so only some elements would be defined"
                            raise program_error(
                                "E0303",
                                self.e.left_span,
                                message=message,
                                advice="use two indices and a condition, or `+=`",
                            )
                        self._bind(name, span, None)
                    case ast.Ranged(index=ast.Name(name=name, span=span), extent=extent):
                        self._bind(name, span, extent)
                    case ast.Number(value=value, span=span):
                        raise program_error(
                            "E0108",
                            span,
                            what="a number",
                            sign=self.e.sign,
                            hint=f"name an index with its range, as in `x:55`; a single place is `n+{value}:1`",
                        )
                    case ast.Ranged(index=index, extent=extent):
                        self._bind_inside(index, extent)
                    case _:
                        self._bind_inside(item, None)

    def _bind(self, name: str, span: Span, extent: ast.Expr | None) -> None:
        if name in self.world.constants:
            raise self.world.no_index(name, span)
        if is_capital(name):
            lower = name[0].lower() + name[1:]
            raise program_error(
                "E0108",
                span,
                what=f"the extent `{name}`",
                sign=self.e.sign,
                hint=f"indices are lower-case: write `{lower}`",
            )
        known = self.scope.left.get(name)
        if known is not None:
            if extent is None:
                return
            raise program_error("E0310", span, index=name, because=[(f"`{name}` is bound here already", known.span)])
        before = next((b for b in self.e.ranges if b.name == name), None)
        if before is not None and extent is not None:
            raise program_error("E0310", span, index=name, because=[("its range is written here", before.span)])
        extent = before.extent if before is not None else extent
        written = self.expressions.extent(extent, f"the range of `{name}`") if extent is not None else None
        self.scope.left[name] = self.scope.new(name, span, written, extent)

    def _bind_inside(self, item: ast.Subscript, extent: ast.Expr | None) -> None:
        """The indices of `s*x+dx` or `label[b]` on a left side; `x+1:5` is the range of x."""
        probe = ast.Access(self.e.name, (item,), None, item.span, item.span)
        letters = self.expressions.direct_indices(probe)
        if extent is not None and len(letters) != 1:
            raise program_error(
                "E0101", extent.span, found="a range", expected="it behind a single index, as in `x+1:5`"
            )
        for letter, span in letters.items():
            self._bind(letter, span, extent)

    def _left(self, s: ast.Subscript, axis: int) -> Expr:
        if isinstance(s, ast.Group):
            parts: list[tuple[Expr, Extent]] = []
            for item in s.items:
                inner = item.index if isinstance(item, ast.Ranged) else item
                if not isinstance(inner, ast.Name):
                    raise program_error(
                        "E0414",
                        inner.span,
                        message="a group on the left side holds indices only",
                        advice="write the position as one expression instead",
                    )
                var = self.scope.left[inner.name]
                parts.append((Index(var.name, inner.span), var.extent))
            self.products[axis] = prod((n for _, n in parts), start=cast(Extent, 1))
            return self.expressions.flattened(parts, s.span)
        inner = s.index if isinstance(s, ast.Ranged) else s
        if isinstance(inner, ast.Pack):
            raise program_error(
                "E0101", inner.span, found="`...`", expected="an index; a pack stands in a function's head"
            )
        found = self.expressions.subscript(inner)
        limit = self.stated.extents[axis] if self.stated is not None and axis < len(self.stated.extents) else None
        if not isinstance(found, Index) and limit is not None:
            seen = tuple(self.scope.left.values())
            self.scope.uses.append(
                Use(
                    found,
                    limit,
                    self.e.name,
                    axis,
                    inner.span,
                    self.e.left_span,
                    writes=True,
                    bound_here=seen,
                )
            )
        return found

    def _check_rank(self, rank: int) -> None:
        if self.stated is not None and len(self.stated.extents) != rank:
            wanted = plural(len(self.stated.extents), "axis").replace("axiss", "axes")
            raise program_error(
                "E0301", self.e.left_span, tensor=self.e.name, wanted=wanted, given=f"{plural(rank, 'subscript')} {'is' if rank == 1 else 'are'}",
                advice="give one subscript an axis", because=[("stated here", self.stated.span)],
            )  # fmt: skip

    def _stated_ranges(self, left: list[Expr]) -> "list[tuple[Var, Extent, Span]]":
        found = [
            (self.scope.vars[s.name], self.hints[self.scope.letters[s.name]].extent, self.e.left_span)
            for s in left
            if isinstance(s, Index) and self.scope.letters[s.name] in self.hints
        ]
        if self.stated is None:
            return found
        pairs = zip(left, self.stated.extents, strict=True)
        named = [(s, n) for s, n in pairs if isinstance(s, Index) and n is not None]
        return [*found, *((self.scope.vars[s.name], n, self.stated.span) for s, n in named)]

    # -- the result

    def _finished(self, left: list[Expr], body: Expr, values: Mapping[str, Extent]) -> Made:
        e = self.e
        indices = tuple(Bound(v.letter, values[v.symbol], v.span) for v in self.scope.left.values())
        letters = {v.name: v.letter for v in self.scope.left.values()}
        done_left = tuple(_lettered(settled(s, values, self.world.build), letters, values, self.scope) for s in left)
        done_body = _lettered(settled(body, values, self.world.build), letters, values, self.scope)
        done_body = self._typed(done_body)
        for b in indices:
            if isinstance(b.extent, int) and b.extent >= 2**63:
                raise program_error(
                    "E0902",
                    b.span,
                    what=f"the range of `{b.name}`",
                    value=b.extent if b.extent < 10**40 else "a number of more than 40 digits",
                )
        equation = Equation(e.name, indices, done_left, e.sign == "+=", done_body, e.span)
        if not equation.accumulates:
            check_one_to_one(equation, self.e)
        extents = tuple(self._axis_extent(axis, s, indices, values) for axis, s in enumerate(done_left))
        axes = tuple(s.name if isinstance(s, Index) else "" for s in done_left)
        return Made(equation, extents, axes, tuple(self.scope.warnings))

    def _typed(self, body: Expr) -> Expr:
        """The body in the dtype that a `tensor` statement asks for."""
        if self.stated is None or self.stated.dtype is None:
            return body
        wanted = self.stated.dtype
        if wanted.is_int and body.dtype.is_float:
            if isinstance(body, Apply) and body.op in (ops.FLOOR, ops.CEIL, ops.ROUND):
                return Apply(ops.TO_INT, (body,), DType.INT, body.span)
            raise program_error(
                "E0306",
                self.e.body.span,
                op="=",
                given=f"a float where `{self.e.name}` holds ints",
                advice="round it with floor(…)",
            )
        if (wanted is DType.BOOL) != (body.dtype is DType.BOOL):
            kinds = ("a bool", "numbers") if body.dtype is DType.BOOL else ("a number", "bools")
            raise program_error(
                "E0306",
                self.e.body.span,
                op="=",
                given=f"{kinds[0]} where `{self.e.name}` holds {kinds[1]}",
                advice="compare, or choose with `1 if … else 0`",
            )
        return body

    def _axis_extent(
        self, axis: int, s: Expr, indices: tuple[Bound, ...], values: Mapping[str, Extent]
    ) -> Extent | None:
        stated = self.stated.extents[axis] if self.stated else None
        product = self.products.get(axis)
        found = covered(s, indices) if product is None else substitute(product, values)
        if found is not None and stated is not None and self._is_wrong(found, stated, isinstance(s, Index)):
            raise self._stated_otherwise(axis, stated, found, self._reason(s))
        if found is not None and stated is not None and self.stated is not None and not self.stated.is_part:
            why = f"axis {axis} of `{self.e.name}` is stated as {stated}"
            self.world.solutions.unify(found, stated, why, self.stated.span)
        return stated if stated is not None else found

    def _stated_otherwise(
        self, axis: int, stated: Extent, found: Extent, reasons: list[tuple[str, Span]]
    ) -> ProgramError:
        """Told at the equation; for the result of a call at the left side that states it."""
        assert self.stated is not None
        if self.stated.of is None:
            return program_error(
                "E0415",
                self.e.left_span,
                axis=axis,
                tensor=self.e.name,
                stated=stated,
                found=found,
                because=[("stated here", self.stated.span), *reasons],
            )
        name, lead = self.stated.of
        return program_error(
            "E0415",
            self.stated.span,
            axis=lead + axis,
            tensor=name,
            stated=stated,
            found=found,
            because=[(f"axis {axis} of `{self.e.name}`, the result of the call", self.e.left_span), *reasons],
        )

    def _reason(self, s: Expr) -> list[tuple[str, Span]]:
        """Why the index of an axis has the range that it has."""
        if not isinstance(s, Index):
            return []
        var = self.scope.left.get(s.name)
        reason = self.reasons.get(var.symbol) if var else None
        return [(reason.text, reason.span)] if reason else []

    def _is_wrong(self, found: Extent, stated: Extent, bare: bool) -> bool:
        """`=` over a bare index gives every element; `+=` may add to the first ones only."""
        if self.e.sign == "+=" or (self.stated is not None and self.stated.is_part):
            return at_least(stated, found) is False
        return bare and same(found, stated) is False


def _lettered(e: Expr, names: Mapping[str, str], values: Mapping[str, Extent], scope: Scope) -> Expr:
    """Give indices their letters back (a prime where a letter is taken) and reductions their extents."""
    match e:
        case Index(name=name, span=span):
            return Index(names[name], span)
        case Reduce(fold=fold, over=over, body=body, dtype=dtype, span=span):
            inner = dict(names)
            bounds: list[Bound] = []
            for b in over:
                letter = scope.letters[b.name]
                while letter in inner.values():
                    letter += "'"
                inner[b.name] = letter
                bounds.append(Bound(letter, substitute(b.extent, values), b.span))
            return Reduce(fold, tuple(bounds), _lettered(body, inner, values, scope), dtype, span)
        case _:
            return with_children(e, tuple(_lettered(c, names, values, scope) for c in children(e)))
