"""How far each index of an equation runs: the four rules of the language, repeated until nothing changes.

1 written ranges   2 bare subscripts   3 affine subscripts with one unknown   4 extents of the left side.
Bare subscripts of accesses with a border rule come last: they only decide where nothing else does.
"""

from collections.abc import Mapping

from indexlang.infer.context import capitals
from indexlang.infer.scope import GroupUse, Scope, Use, Var, World
from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.bounds import is_empty, span_of
from indexlang.ir.build import Builder
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Const, Expr, Index, Select, children, rewrite, with_children
from indexlang.ir.size import Extent, Size, at_least, floordiv, names, same, substitute
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import plural
from indexlang.text.source import Span
from indexlang.text.values import immutable


@immutable
class Reason:
    """Why an index has its extent."""

    rule: str  # written, bare, affine, left, group
    text: str
    span: Span


class Ranges:
    """Solves one equation's ranges. `values` maps `?index` to extents; `reasons` says why."""

    def __init__(self, world: World, scope: Scope, stated: tuple[tuple[Var, Extent, Span], ...] = ()) -> None:
        self.world = world
        self.scope = scope
        self.stated = stated  # extents of the left side
        self.values: dict[str, Extent] = {}
        self.reasons: dict[str, Reason] = {}

    def solve(self) -> Mapping[str, Extent]:
        """The extents of all indices.

        Raises E0401 (no range), E0402 (two extents), E0403 (two unknowns), E0414 (a group that does not fit),
        E0418 (a constant of the index's capital differs), E0309 (no value to take the largest of).
        """
        for var in self.scope.vars.values():
            self._written(var)
        self._bare(bordered=False)
        while self._groups() or self._affine():
            pass
        self._left()
        self._bare(bordered=True)
        while self._groups() or self._affine():
            pass
        self._check_all_known()
        self._check_groups()
        for op, var, span in self.scope.never_empty:
            if self.values[var.symbol] == 0:
                raise program_error(
                    "E0309",
                    span,
                    op=op,
                    index=var.letter,
                    because=[(self.reasons[var.symbol].text, self.reasons[var.symbol].span)],
                )
        return self.values

    # -- the rules

    def _written(self, var: Var) -> None:
        if var.written is not None:
            self._set(var, var.written, "written", f"`{var.letter}:{var.written}` is written", var.span)
            return
        for capital in capitals(var.letter):
            value = self.world.constants.get(capital)
            if isinstance(value, int) and not isinstance(value, bool):
                place = self.world.places.get(capital, var.span)
                self._set(var, value, "constant", f"the constant `{capital}` is {value}", place)
                return

    def _bare(self, bordered: bool) -> None:
        for use in self.scope.uses:
            if not use.is_bare or not isinstance(use.subscript, Index) or use.bordered is not bordered:
                continue
            var = self.scope.vars[use.subscript.name]
            extent = self._now(use.extent)
            known = self.values.get(var.symbol)
            if self._is_open(extent) or (known is not None and (bordered or same(known, extent))):
                continue
            text = f"`{use.span.text}` stands for all of axis {use.axis} of `{use.tensor}`, which has extent {extent}"
            reason = Reason("bare", text, use.span)
            if known is None:
                self._set(var, extent, reason.rule, reason.text, reason.span)
            elif same(known, extent) is False:
                self._conflict(var, known, extent, reason)
            else:
                self._learn(var, known, extent, reason)

    def _learn(self, var: Var, known: Extent, extent: Extent, reason: Reason) -> None:
        """Two extents that must agree may tell what an open one is."""
        first = self.reasons[var.symbol]
        if self.world.solutions.unify(known, extent, reason.text, reason.span):
            self.values[var.symbol] = self.world.solutions.now(known)
            self.reasons[var.symbol] = first

    def _left(self) -> None:
        for var, extent, span in self.stated:
            if var.symbol not in self.values and not self._is_open(extent):
                self._set(
                    var, extent, "left", f"the left side is stated to have {extent} values for `{var.letter}`", span
                )

    def _conflict(self, var: Var, known: Extent, extent: Extent, reason: Reason) -> None:
        """A written range is only checked; otherwise all bare uses must agree."""
        first = self.reasons[var.symbol]
        if first.rule in ("written", "left") and at_least(extent, known) is not False:
            return
        if first.rule == "constant":
            raise program_error(
                "E0418", reason.span, index=var.letter, found=extent, constant=capitals(var.letter)[0], stated=known,
                because=[(first.text, first.span), (reason.text, reason.span)],
            )  # fmt: skip
        if first.rule in ("written", "left"):
            return  # the proof of bounds tells it, with a value that leaves the axis
        smaller = known if at_least(extent, known) else extent
        raise program_error(
            "E0402", reason.span, index=var.letter, first=known, second=extent,
            advice=f"make the extents agree, or write the range: `{var.letter}:{smaller}`",
            because=[(first.text, first.span), (reason.text, reason.span)],
        )  # fmt: skip

    def _groups(self) -> bool:
        """The one unknown part of a group is found by division."""
        changed = False
        for group in self.scope.groups:
            parts = [self._now(p) for p in group.parts]
            unknown = [p for p in parts if self._is_open(p)]
            if len(unknown) != 1 or not isinstance(unknown[0], Size):
                continue
            var = self._var_of(unknown[0])
            rest: Extent = 1
            for p in parts:
                rest = rest * (1 if p is unknown[0] else p)
            extent = self._now(group.extent)
            if var is None or self._is_open(extent) or rest == 0:
                continue
            if isinstance(extent, int) and isinstance(rest, int) and extent % rest:
                raise self._remainder(group, extent, rest)
            self._set(var, floordiv(extent, rest), "group", f"the group splits {extent} elements by {rest}", group.span)
            changed = True
        return changed

    def _affine(self) -> bool:
        """One step of rule 3: an index that is the only unknown of some access runs as far as all such accesses allow."""
        found: dict[str, tuple[Extent, Use]] = {}
        for use in self.scope.uses:
            if use.bordered or use.is_bare:
                continue
            form = affine(self._resolved(use.subscript))
            extent = self._now(use.extent)
            if form is None or not form.is_plain or self._is_open(extent) or self._has_open_numbers(form):
                continue
            unknown = [v for v in form.variables if isinstance(v, str) and f"?{v}" not in self.values]
            if len(unknown) != 1:
                continue
            run = self._run(form, unknown[0], extent)
            if run is None:
                continue
            best = found.get(unknown[0])
            if best is None or at_least(best[0], run) is True:
                found[unknown[0]] = (run, use)
        for name, (run, use) in found.items():
            var = self.scope.vars[name]
            text = f"`{use.span.text}` must stay inside axis {use.axis} of `{use.tensor}`, which has extent {self._now(use.extent)}"
            self._set(var, run, "affine", text, use.span)
        return bool(found)

    def _run(self, form: Affine, name: str, extent: Extent) -> Extent | None:
        """How many values `name` can take, from 0, while `form` stays in `0 <= form < extent`."""
        step = form.coefficient(name)
        others = form - Affine(0, ((name, step),))
        box = {v: self.values[f"?{v}"] for v in others.indices}
        if is_empty(box):
            return 0
        spread = span_of(others, box)
        sign = at_least(step, 0)
        if spread is None or sign is None:
            return None
        room = extent - 1 - spread[1] if sign else spread[0]
        count = floordiv(room, step if sign else step * -1) + 1
        return max(count, 0) if isinstance(count, int) else count

    # -- checks at the end

    def _check_all_known(self) -> None:
        for var in self.scope.vars.values():
            if var.symbol not in self.values:
                raise self._no_range(var)

    def _no_range(self, var: Var) -> ProgramError:
        for use in self.scope.uses:
            form = affine(self._resolved(use.subscript))
            if form is None or use.bordered:
                continue
            unknown = sorted(v for v in form.indices if f"?{v}" not in self.values)
            if len(unknown) > 1 and var.name in unknown:
                letters = [self.scope.vars[v].letter for v in unknown]
                shown = " and ".join(f"`{x}`" for x in letters)
                return program_error("E0403", use.span, subscript=use.span.text, indices=shown, first=letters[-1])
        return program_error("E0401", var.span, index=var.letter)

    def _check_groups(self) -> None:
        for group in self.scope.groups:
            extent = self._now(group.extent)
            product: Extent = 1
            for p in group.parts:
                product = product * self._now(p)
            if same(product, extent) is False:
                parts = "*".join(str(self._now(p)) for p in group.parts)
                message = f"the parts of `{group.span.text}` make {parts} = {product} elements, but axis {group.axis} of `{group.tensor}` has {extent}"
                raise program_error(
                    "E0414",
                    group.span,
                    message=message,
                    advice="change the extents so that they multiply to that of the axis",
                )

    def _remainder(self, group: GroupUse, extent: Extent, rest: Extent) -> ProgramError:
        message = f"axis {group.axis} of `{group.tensor}` has {plural(int(str(extent)), 'element')}, which {rest} does not divide"
        return program_error("E0414", group.span, message=message, advice=f"use a part whose extent divides {extent}")

    # -- helpers

    def _set(self, var: Var, extent: Extent, rule: str, text: str, span: Span) -> None:
        self.values[var.symbol] = extent
        for capital, letter in self.scope.capitals.items():
            if letter == var.letter:
                self.values.setdefault(capital, extent)
        self.reasons[var.symbol] = Reason(rule, text, span)

    def _now(self, extent: Extent) -> Extent:
        return substitute(extent, self.values)

    def _is_open(self, extent: Extent) -> bool:
        return any(n.startswith("?") for n in names(extent))

    def _has_open_numbers(self, form: Affine) -> bool:
        return self._is_open(form.constant) or any(self._is_open(c) for _, c in form.terms)

    def _var_of(self, extent: Size) -> Var | None:
        return next((v for v in self.scope.vars.values() if extent == v.extent), None)

    def _resolved(self, e: Expr) -> Expr:
        return with_extents(e, self.values)


def with_extents(e: Expr, values: Mapping[str, Extent]) -> Expr:
    """`e` with the extents of indices filled in."""
    return rewrite(e, lambda n: _filled(n, values))


def _filled(n: Expr, values: Mapping[str, Extent]) -> Expr:
    if isinstance(n, Const) and isinstance(n.value, Size):
        return Const(substitute(n.value, values), n.dtype, n.span)
    return n


def settled(e: Expr, values: Mapping[str, Extent], build: Builder) -> Expr:
    """`e` with the extents of indices filled in, and folded as if they had been written as numbers.

    So what is shown of a program, its extents as numbers, is the same program when it is read again.
    """
    moved = with_children(e, tuple(settled(c, values, build) for c in children(e)))
    if moved is e:
        return _filled(e, values)
    match moved:
        case Apply(op=ops.POW, args=(base, exponent), dtype=dtype, span=span):
            return _of_type(build.power(base, exponent, span), dtype)
        case Apply(op=op, args=args, dtype=dtype, span=span):
            try:
                return _of_type(build.apply(op, *args, span=span), dtype)
            except (ZeroDivisionError, OverflowError):
                return _quotient_by_zero(moved)
        case Select(cond=cond, then=then, other=other, dtype=dtype, span=span):
            return _of_type(build.select(cond, then, other, span), dtype)
        case _:
            return moved


def _of_type(e: Expr, dtype: DType) -> Expr:
    """A quotient of extents is a float, also where it comes to a whole number."""
    if isinstance(e, Const) and e.dtype is DType.INT and dtype.is_float and isinstance(e.value, int):
        try:
            return Const(float(e.value), dtype, e.span)
        except OverflowError:  # beyond all floats, as IEEE arithmetic has it
            return Const(float("inf") if e.value > 0 else float("-inf"), dtype, e.span)
    return e


def _quotient_by_zero(e: Apply) -> Expr:
    """`1/X` of an empty axis: what IEEE arithmetic makes of it."""
    match e:
        case Apply(op=ops.DIV, args=(Const(value=int() | float() as above), Const()), dtype=dtype, span=span):
            return Const(float("inf") * above if above else float("nan"), dtype, span)
        case _:
            return e
