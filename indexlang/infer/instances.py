"""One call of a function: its body elaborated on the caller's extents, and moved to the caller."""

import re
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, cast

from indexlang.infer.declarations import is_constant_shape
from indexlang.infer.equations import Stated
from indexlang.infer.expressions import Expressions
from indexlang.infer.idle import without_idle_borders
from indexlang.infer.mapping import Alias, Leading, Transplant
from indexlang.infer.matching import Binding, NumberGiven, TensorGiven, header, pack_axis, tensor_params
from indexlang.infer.ranks import own_rank
from indexlang.infer.scope import Scope, World
from indexlang.infer.solutions import open_names, open_symbol
from indexlang.infer.unroll import Unrolling, Value, filled
from indexlang.ir.build import Number
from indexlang.ir.equation import Equation, Role, Tensor
from indexlang.ir.expr import Const, walk
from indexlang.ir.size import Extent, Size, names, same
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, Note, ProgramError, program_error
from indexlang.text.source import Span

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame


class Instances:
    """Makes the calls of one body."""

    def __init__(self, frame: "Frame") -> None:
        self.frame = frame
        self.packages: dict[str, ast.Def] = {}  # packages named by ourselves, and the function each belongs to

    def make(
        self, call: ast.Call, binding: Binding, name: str, target: str, lead: int | None, stated: Stated | None
    ) -> tuple[str, int, tuple[str, ...]]:
        """Compute the call into the tensor `name`: that tensor, its rank, and the indices its first axes belong to.

        Raises ProgramError; mistakes inside the function carry the call as their cause.
        """
        self._check_recursion(call, binding.form)
        try:
            made = _Instance(self, call, binding, name, target, lead, stated)
        except ProgramError as error:
            raise ProgramError([_called_from(d, call, binding.form, []) for d in error.diagnostics]) from None
        try:
            return made.run()
        except ProgramError as error:
            told = [_called_from(d, call, binding.form, made.reasons(d.code)) for d in error.diagnostics]
            raise ProgramError(told) from None

    def _check_recursion(self, call: ast.Call, form: ast.Def) -> None:
        around = self.frame.around
        if any(f is form or f.name_span == form.name_span for f, _ in around):
            path = " → ".join(f"`{f.name}`" for f, _ in around) + f" → `{form.name}`"
            notes = [(f"`{form.name}` is defined here", form.name_span)]
            raise program_error("E0214", call.span, name=form.name, path=path, because=notes)


_OPEN = re.compile(r"(\w+)@(\S+)")  # an open extent, as its symbol is called
_ABOUT_EXTENTS = ("E0402", "E0404", "E0412", "E0414", "E0415")
_ABOUT_NUMBERS = ("E0304", "E0305", "E0313", "E0417")


def _called_from(d: Diagnostic, call: ast.Call, form: ast.Def, reasons: list[Note]) -> Diagnostic:
    """The mistake, with the call as one of its causes if it lies inside the function."""
    if d.span.source is call.span.source and call.span.start <= d.span.start < call.span.end:
        return d
    notes = [*reasons, Note(f"`{form.name}` is called here", call.span)]
    return replace(d, notes=(*d.notes, *(n for n in notes if n not in d.notes)))


class _Instance:
    def __init__(
        self,
        owner: Instances,
        call: ast.Call,
        binding: Binding,
        name: str,
        target: str,
        lead: int | None,
        stated: Stated | None,
    ) -> None:
        self.caller = owner.frame
        self.owner = owner
        self.call = call
        self.form = binding.form
        self.binding = binding
        self.name = name
        self.target = target
        self.lead = lead
        self.stated = stated
        self.path = f"{self.caller.path}.{name}" if self.caller.path else name
        self.values: dict[str, Value | Extent] = {}
        self.from_where: dict[str, tuple[str, Span]] = {}
        self.aliases: dict[str, Alias] = {}
        self.letters: tuple[str, ...] = ()
        self.leading: list[Leading] = []
        outer = self.caller.world
        self.own = self.caller.library.is_own(self.form)
        self.world = World(outer.options, outer.build, True, solutions=outer.solutions)
        top = outer if self.own else None
        headed = {p.name for p in self.form.params} | {a.name for p in tensor_params(self.form) for a in p.axes}
        self.world.constants.update((n, v) for n, v in (top.constants if top else {}).items() if n not in headed)
        self.world.tables.update((n, v) for n, v in (top.tables if top else {}).items() if n not in headed)
        self.world.constants["training"] = outer.constants.get("training", False)
        self.world.places.update({n: s for n, s in outer.places.items() if n in self.world.constants})

    def run(self) -> tuple[str, int, tuple[str, ...]]:
        self._bind_constants()
        self._bind_tensors()
        self._bind_defaults()
        body, result = self._body()
        inner = self._frame((*body, *result[1:]))
        inner.collect()
        local = result[0]
        self._state_result(inner, local)
        for n in inner.order():
            if n not in inner.world.broken and n in inner.equations and n not in inner.out.computed:
                self._define(inner, n)
        inner.define_next_values()
        errors = [d for d in inner.found if d.severity.value == "error"]
        if errors:
            raise ProgramError(errors)
        if local in inner.world.broken or local not in inner.world.tensors:
            raise ProgramError([])
        return self._moved(inner, local)

    def reasons(self, code: str) -> list[Note]:
        """What this call has to do with a mistake inside the function."""
        if code in _ABOUT_NUMBERS:
            return [Note(*self.from_where[name]) for name in self.binding.constants if name in self.from_where]
        return self.open_extents() if code in _ABOUT_EXTENTS else []

    def open_extents(self) -> list[Note]:
        """Why the constants that the head leaves open are what they are in this call."""
        out: list[Note] = []
        for p in self.form.params:
            if not isinstance(p, ast.ConstantParam) or not p.is_open:
                continue
            if p.name in self.binding.constants:
                out.append(Note(*self.from_where[p.name]))
                continue
            symbols = open_names(open_symbol(p.keyword, self.path))
            for s in symbols & self.world.solutions.reasons.keys():
                reason = self.world.solutions.reasons[s]
                value = self.world.solutions.values[s]
                text = _OPEN.sub(r"\1 of \2", reason.text)
                out.append(Note(f"so `{p.keyword}` is {value}: {text}", reason.span))
        return out

    def _define(self, inner: "Frame", name: str) -> None:
        if not inner.guard(lambda: inner.define(name)):
            inner.fail(name)

    # -- what the head names

    def _bind_constants(self) -> None:
        for p in self.form.params:
            if isinstance(p, ast.ConstantParam) and p.name in self.binding.constants:
                given = self.binding.constants[p.name]
                self._bind(p.name, given.value, f"`{p.keyword}` is {given.value}", given.span)

    def _bind(self, name: str, value: Value | Extent, text: str, span: Span) -> None:
        self.values[name] = value
        self.from_where[name] = (text, span)

    def _bind_tensors(self) -> None:
        most = 0
        for p in tensor_params(self.form):
            given = self.binding.tensors[p.name]
            if isinstance(given, NumberGiven):
                self._bind(p.name, given.value, f"`{p.name}` is {given.value}", given.span)
                continue
            tensor = self.caller.world.tensors[given.name]
            lead = self._lead_of(p, given, len(tensor.extents))
            self._bind_axes(p, given, tensor, lead)
            most = max(most, lead)
            if len(given.letters) > len(self.letters):
                self.letters = given.letters
            self._map(tensor, given, lead)

    def _lead_of(self, p: ast.TensorParam, given: TensorGiven, rank: int) -> int:
        """How many axes of an argument the function does not see."""
        if pack_axis(p) is None:
            return rank - len(p.axes)
        least = len(p.axes)
        if given.letters:
            lead = len(given.letters)
        elif self.lead is not None:
            lead = self.lead
        elif rank == least or self.caller.around or self._result_is_scalar():
            lead = 0
        else:
            raise program_error(
                "E0217",
                self.call.span,
                name=self.form.name,
                pack=p.span.text,
                tensor=given.name,
                rank=rank,
                because=[(f"the head of `{self.form.name}` asks for `{p.span.text}`", p.span)],
            )
        if rank - lead < least:
            raise program_error(
                "E0217",
                self.call.span,
                name=self.form.name,
                pack=p.span.text,
                tensor=given.name,
                rank=rank,
                because=[(f"the left side leaves {lead} of them out of the pack", self.call.span)],
            )
        return lead

    def _result_is_scalar(self) -> bool:
        return own_rank(self.form) == 0

    def _bind_axes(self, p: ast.TensorParam, given: TensorGiven, tensor: Tensor, lead: int) -> None:
        """The names in a parameter's brackets stand for the extents of the argument."""
        at = pack_axis(p)
        rest = tensor.extents[lead:]
        packs: dict[int, tuple[Extent, ...]] = {}
        seen: list[Extent] = []
        if at is not None:
            count = len(rest) - len(p.axes) + 1
            packed = rest[at : at + count]
            if len(packed) > 1:
                packs[at] = packed
            seen = [*rest[:at], prod(packed, start=cast(Extent, 1)), *rest[at + count :]]
        else:
            seen = list(rest)
        for axis, extent in zip(p.axes, seen, strict=True):
            text = f"`{axis.name}` is {extent}, of `{given.span.text or given.name}`"
            self._bind_extent(axis.name, extent, text, given.span)
        axes = tensor.axes if len(tensor.axes) == len(tensor.extents) else ("",) * len(tensor.extents)
        self.aliases[p.name] = Alias(given.name, lead, packs, axes)
        kept = tuple(axes[lead:]) if not packs else ()
        self.world.tensors[p.name] = Tensor(p.name, tuple(seen), tensor.dtype, Role.COMPUTED, kept, span=p.span)
        self.world.places[p.name] = p.span

    def _bind_extent(self, name: str, extent: Extent, text: str, span: Span) -> None:
        known = self.values.get(name)
        if known is None:
            self._bind(name, extent, text, span)
            return
        first = self.from_where[name]
        if isinstance(known, int | Size) and not isinstance(known, bool):
            if same(known, extent) is None:
                self.world.solutions.unify(known, extent, text, span)
            if same(known, extent) is not False:
                return
        raise program_error(
            "E0219", span, name=name, function=self.form.name, first=known, second=extent, because=[first, (text, span)]
        )

    def _map(self, tensor: Tensor, given: TensorGiven, lead: int) -> None:
        axes = tensor.axes if len(tensor.axes) == len(tensor.extents) else ("",) * len(tensor.extents)
        for n in range(lead):
            letter = given.letters[n] if n < len(given.letters) else axes[n] or "bcd"[min(n, 2)]
            if n == len(self.leading):
                self.leading.append(Leading(letter, tensor.extents[n], given.span))
                continue
            known = self.leading[n]
            if same(known.extent, tensor.extents[n]) is None:
                self.world.solutions.unify(known.extent, tensor.extents[n], "mapped axes agree", given.span)
            if same(known.extent, tensor.extents[n]) is False:
                raise program_error(
                    "E0219",
                    given.span,
                    name=f"the mapped axis {n}",
                    function=self.form.name,
                    first=known.extent,
                    second=tensor.extents[n],
                    because=[
                        (f"it is {known.extent} here", known.span),
                        (f"it is {tensor.extents[n]} here", given.span),
                    ],
                )

    def _bind_defaults(self) -> None:
        for p in self.form.params:
            if not isinstance(p, ast.ConstantParam) or p.name in self.values:
                continue
            if p.is_open:
                extent = self.world.solutions.now(open_symbol(p.keyword, self.path))
                self._bind(p.name, extent, f"`{p.keyword}` is open", p.span)
            else:
                assert p.default is not None
                value = self._constant(self._filled(p.default))
                self._bind(p.name, value, f"`{p.span.text}` is the default", p.span)

    # -- the body

    def _filled(self, e: ast.Expr) -> ast.Expr:
        return filled(e, self.values, lambda name, span, env: name)

    def _constant(self, e: ast.Expr) -> Number:
        return Expressions(self.world, Scope()).constant(e, "this")

    def _is_closed(self, e: ast.Expr) -> bool:
        if not is_constant_shape(e, self.world.tables):
            return False
        world = self.world
        if any(isinstance(n, ast.Name) and n.name not in world.constants for n in ast.nodes(e)):
            return False
        return not any(isinstance(n, ast.Call) and self.caller.library.has(n.name) for n in ast.nodes(e))

    def _body(self) -> tuple[list[ast.Statement], tuple[str, ast.Equation] | tuple[str]]:
        """The statements with the head's values filled in, and the equation of the result."""
        env = dict(self.values)
        unrolling = Unrolling(self._constant, self._is_closed, decided=self._known)
        end = ast.Equation("return", None, "=", self.form.result, self.form.result.span, self.form.result.span)
        statements = unrolling.block((*self.form.body, end), env, True)
        last = next(s for s in reversed(statements) if isinstance(s, ast.Equation) and s.name == "return")
        rest = [s for s in statements if s is not last]
        for s in rest:
            if isinstance(s, ast.Input | ast.Output | ast.Include | ast.Def):
                raise program_error("E0101", s.span, found="this", expected="an equation, `param` or `state`")
        return rest, self._result(rest, last)

    def _known(self, e: ast.Expr) -> Number:
        """The value of a condition or a bound; an extent that is still open cannot decide anything."""
        found = Expressions(self.world, Scope()).expr(e)
        sizes = [n.value for n in walk(found) if isinstance(n, Const) and isinstance(n.value, Size)]
        if not sizes:
            return self._constant(e)
        still = sorted(x for size in sizes for x in open_names(size))
        named = sorted(x for size in sizes for x in names(size))
        name = still[0].partition("@")[0] if still else named[0] if named else e.span.text
        raise program_error("E0216", e.span, name=name, function=self.form.name)

    def _result(self, body: list[ast.Statement], end: ast.Equation) -> tuple[str, ast.Equation] | tuple[str]:
        """The name of the tensor returned, and its equation unless the body has one already."""
        e = end.body
        mine = {s.name for s in body if isinstance(s, ast.Equation) and s.sign != "<-"}
        if isinstance(e, ast.Name) and e.name in mine:
            return (e.name,)
        name = self.form.name
        while name in mine | self.aliases.keys():
            name += "'"
        return name, replace(end, name=name)

    def _frame(self, body: tuple[ast.Statement, ...]) -> "Frame":
        extents = {n: v for n, v in self.values.items() if isinstance(v, int | Size) and not isinstance(v, bool)}
        self.world.values.update({n: v for n, v in extents.items() if n[:1].isupper()})
        packages = frozenset(p.name for p in self.form.params if isinstance(p, ast.PackageParam))
        around = (*self.caller.around, (self.form, self.call))
        return type(self.caller)(body, self.world, self.caller.library, self.path, packages, around)

    def _state_result(self, inner: "Frame", local: str) -> None:
        """What the left side of the caller's equation says of the result's extents."""
        if self.stated is None or local not in inner.equations:
            return
        equation = inner.equations[local][0]
        count = len(self.stated.extents)
        rank = len(equation.subscripts) if equation.subscripts is not None else count - len(self.leading)
        lead = count - rank
        for n in range(min(lead, len(self.leading))):
            self._check_leading(n)
        if rank >= 0 and lead >= 0 and local not in inner.stated:
            inner.stated[local] = Stated(
                self.stated.extents[lead:], self.stated.dtype, self.stated.span, of=(self.name, lead)
            )

    def _check_leading(self, n: int) -> None:
        assert self.stated is not None
        wanted, found = self.stated.extents[n], self.leading[n].extent
        if wanted is None:
            return
        if same(wanted, found) is False:
            raise program_error(
                "E0415",
                self.stated.span,
                axis=n,
                tensor=self.name,
                stated=wanted,
                found=found,
                because=[("the mapped axis comes from here", self.leading[n].span)],
            )
        self.world.solutions.unify(wanted, found, "the left side states it", self.stated.span)

    # -- to the caller

    def _moved(self, inner: "Frame", local: str) -> tuple[str, int, tuple[str, ...]]:
        package = self._package(inner)
        renamed = {local: self.name}
        for t in inner.out.declared.values():
            renamed[t.name] = f"{package}.{t.name}" if package else t.name
        for t in inner.out.computed.values():
            renamed.setdefault(t.name, self._next_name(t.name, inner, renamed) or f"{self.name}.{t.name}")
        plan = Transplant(self.aliases, renamed, tuple(self.leading), self.world.build)
        seen = [without_idle_borders(e, lambda n: inner.world.tensors[n].extents) for e in inner.out.equations]
        equations = plan.equations(seen)
        self._check_updates(inner, plan)
        for t in inner.out.declared.values():
            self._declare(replace(t, name=renamed[t.name]), t)
        out = self.caller
        for t in inner.out.computed.values():
            moved = replace(plan.tensor(t), span=self.call.span if t.name == local else t.span)
            mine: list[Equation] = [e for e in equations if e.target == moved.name]
            out.world.places.setdefault(moved.name, moved.span)
            out.add(moved, mine)
        for kept, following in inner.out.updates.items():
            if renamed[kept] in out.out.updates:
                raise program_error("E0218", self.call.span, name=renamed[kept], message="gets two next values",
                                    advice="give each call a package of its own")  # fmt: skip
            out.out.updates[renamed[kept]] = renamed[following]
        out.out.warnings.extend(inner.out.warnings)
        return self.name, len(out.world.tensors[self.name].extents), self.letters

    def _next_name(self, name: str, inner: "Frame", renamed: dict[str, str]) -> str | None:
        """`mean.next` goes where `mean` goes."""
        kept = name.removesuffix(".next")
        return f"{renamed[kept]}.next" if kept != name and kept in renamed else None

    def _package(self, inner: "Frame") -> str:
        """The package of this call's parameters, as the caller names it."""
        given = self.binding.package
        frame = self.caller
        if given is not None:
            if given.name in frame.packages:
                return ""
            head, _, rest = given.name.partition(".")
            return rest if head in frame.packages and rest else given.name
        if not inner.out.declared:
            return self.target
        name, n = self.target, 1
        while any(f"{name}.{p}" in frame.out.declared for p in inner.out.declared):
            n += 1
            name = f"{self.target}.{self.form.name}{n if n > 2 else ''}"
        return name

    def _declare(self, moved: Tensor, original: Tensor) -> None:
        """A parameter of a shared package is declared once."""
        frame = self.caller
        known = frame.out.declared.get(moved.name)
        if known is None:
            frame.world.tensors[moved.name] = moved
            frame.world.places.setdefault(moved.name, self.call.span)
            frame.out.declared[moved.name] = moved
            self._check_package_extents(moved, original)
            return
        for axis, (a, b) in enumerate(zip(known.extents, moved.extents, strict=False)):
            if same(a, b) is None:
                self.world.solutions.unify(a, b, f"`{moved.name}` is shared", self.call.span)
            if same(a, b) is False or len(known.extents) != len(moved.extents):
                raise program_error(
                    "E0218",
                    self.call.span,
                    name=moved.name,
                    message=f"has extent {a} on axis {axis} in one call and {b} in this one",
                    advice="give each call a package of its own",
                    because=[(f"`{moved.name}` is made by this call", frame.world.places.get(moved.name, known.span))],
                )

    def _check_package_extents(self, moved: Tensor, original: Tensor) -> None:
        """`Φ[1,1,J,K]` states the extents of a package's first parameter of that rank."""
        given = self.binding.package
        if given is None or given.extents is None or len(given.extents) != len(moved.extents):
            return
        for axis, (s, found) in enumerate(zip(given.extents, moved.extents, strict=True)):
            wanted = self.caller.extent_of(s) if not isinstance(s, ast.Ranged | ast.Group | ast.Pack) else None
            if wanted is None:
                continue
            if same(wanted, found) is False:
                raise program_error(
                    "E0415",
                    s.span,
                    axis=axis,
                    tensor=moved.name,
                    stated=wanted,
                    found=found,
                    because=[(f"`{original.name}` is declared here", original.span)],
                )
            self.world.solutions.unify(wanted, found, f"the package states {wanted}", s.span)

    def _check_updates(self, inner: "Frame", plan: Transplant) -> None:
        for kept, following in inner.out.updates.items():
            if plan.lead.get(following, 0):
                raise program_error(
                    "E0218",
                    self.call.span,
                    name=kept,
                    message="would get a next value for each element of a mapped axis",
                    advice=f"write the axis into the head of `{header(self.form)}`",
                )
