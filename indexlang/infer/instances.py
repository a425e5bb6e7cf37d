"""One call of a function: its body elaborated on the caller's extents, and moved to the caller."""

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING

from indexlang.infer.bodies import Body, body_key
from indexlang.infer.equations import Stated
from indexlang.infer.expressions import Expressions
from indexlang.infer.heads import Head
from indexlang.infer.matching import Binding, package_params
from indexlang.infer.results import Results
from indexlang.infer.scope import Scope
from indexlang.infer.solutions import open_names
from indexlang.infer.unroll import Unrolling
from indexlang.infer.updates import define_next_values
from indexlang.ir.build import Number
from indexlang.ir.expr import Const, walk
from indexlang.ir.size import Size, names, same
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, Note, ProgramError, program_error

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame


class Instances:
    """Makes the calls of one body."""

    def __init__(self, frame: "Frame") -> None:
        self.frame = frame

    def make(
        self, call: ast.Call, binding: Binding, name: str, target: str, lead: int | None, stated: Stated | None
    ) -> tuple[str, int, tuple[str, ...]]:
        """Compute the call into the tensor `name`: that tensor, its rank, and the indices its first axes belong to.

        Raises ProgramError; mistakes inside the function carry the call as their cause.
        """
        self._check_recursion(call, binding.form)
        try:
            made = _Instance(self.frame, call, binding, name, target, lead, stated)
        except ProgramError as error:
            raise ProgramError([_called_from(d, call, binding.form, []) for d in error.diagnostics]) from None
        self.frame.library.bodies.entered.append(binding.form.name_span)
        try:
            with self.frame.library.calling(call.span):
                return made.run()
        except ProgramError as error:
            told = [_called_from(d, call, binding.form, made.head.reasons(d.code)) for d in error.diagnostics]
            raise ProgramError(told) from None

    def _check_recursion(self, call: ast.Call, form: ast.Def) -> None:
        around = self.frame.around
        if any(f is form or f.name_span == form.name_span for f, _ in around):
            path = " → ".join(f"`{f.name}`" for f, _ in around) + f" → `{form.name}`"
            notes = [(f"`{form.name}` is defined here", form.name_span)]
            raise program_error("E0214", call.span, name=form.name, path=path, because=notes)


def _called_from(d: Diagnostic, call: ast.Call, form: ast.Def, reasons: list[Note]) -> Diagnostic:
    """The mistake, with the call as one of its causes if it lies inside the function."""
    if d.span.source is call.span.source and call.span.start <= d.span.start < call.span.end:
        return d
    notes = [*reasons, Note(f"`{form.name}` is called here", call.span)]
    return replace(d, notes=(*d.notes, *(n for n in notes if n not in d.notes)))


class _Instance:
    def __init__(
        self, caller: "Frame", call: ast.Call, binding: Binding, name: str, target: str, lead: int | None,
        stated: Stated | None,
    ) -> None:  # fmt: skip
        self.head = Head(caller, call, binding, name, lead)
        self.caller, self.call, self.form, self.world = caller, call, binding.form, self.head.world
        self.name, self.target, self.stated = name, target, stated
        self.key: Hashable = None

    def run(self) -> tuple[str, int, tuple[str, ...]]:
        self.head.bind()
        body = self._kept() or self._elaborated()
        rank = Results(self.head, body, self.name, self.target).move()
        return self.name, rank, self.head.letters

    def _kept(self) -> Body | None:
        """The body of a call before that was the same but for names."""
        library = self.caller.library
        self.key = body_key(self.form.name_span, self.world, self.head.values.items(), self.stated)
        around = [f.name_span for f, _ in self.caller.around]
        found = library.bodies.find(self.key, around)
        if found is not None:
            library.calls += found.calls  # as many equations as if they had been made
            library.bodies.entered += found.functions
        return found

    def _elaborated(self) -> Body:
        library, solved = self.caller.library, self.world.solutions.values
        kept, opened, known, calls = library.bodies, library.bodies.opened, len(solved), library.calls
        first = len(kept.entered)
        body = self._made()
        body.calls = library.calls - calls
        body.functions = frozenset(kept.entered[first:])
        if self.key is not None and (kept.opened, len(solved)) == (opened, known):
            kept.known[self.key] = body
        return body

    def _made(self) -> Body:
        body, result = self._body()
        inner = self._frame((*body, *result[1:]))
        inner.collect()
        local = result[0]
        self._state_result(inner, local)
        for n in inner.order():
            if n not in inner.world.broken and n in inner.equations and n not in inner.out.computed:
                self._define(inner, n)
        define_next_values(inner)
        errors = [d for d in inner.found if d.severity.value == "error"]
        if errors:
            raise ProgramError(errors)
        if local in inner.world.broken or local not in inner.world.tensors:
            raise ProgramError([])
        return Body(inner, local)

    def _define(self, inner: "Frame", name: str) -> None:
        if not inner.guard(lambda: inner.define(name)):
            inner.fail(name)

    # -- the body

    def _body(self) -> tuple[list[ast.Statement], tuple[str, ast.Equation] | tuple[str]]:
        """The statements with the head's values filled in, and the equation of the result."""
        env = dict(self.head.values)
        unrolling = Unrolling(self.head.constant, self.head.is_closed, decided=self._known)
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
            return self.head.constant(e)
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
        while name in mine | self.head.aliases.keys():
            name += "'"
        return name, replace(end, name=name)

    def _frame(self, body: tuple[ast.Statement, ...]) -> "Frame":
        extents = {n: v for n, v in self.head.values.items() if isinstance(v, int | Size) and not isinstance(v, bool)}
        self.world.values.update({n: v for n, v in extents.items() if n[:1].isupper()})
        around = (*self.caller.around, (self.form, self.call))
        return type(self.caller)(
            body, self.world, self.caller.library, self.head.path, package_params(self.form)[:1], around
        )

    def _state_result(self, inner: "Frame", local: str) -> None:
        """What the left side of the caller's equation says of the result's extents."""
        if self.stated is None or local not in inner.equations:
            return
        equation = inner.equations[local][0]
        count = len(self.stated.extents)
        rank = len(equation.subscripts) if equation.subscripts is not None else count - len(self.head.leading)
        lead = count - rank
        for n in range(min(lead, len(self.head.leading))):
            self._check_leading(n)
        if rank >= 0 and lead >= 0 and local not in inner.stated:
            inner.stated[local] = Stated(
                self.stated.extents[lead:], self.stated.dtype, self.stated.span, of=(self.name, lead)
            )

    def _check_leading(self, n: int) -> None:
        assert self.stated is not None
        wanted, found = self.stated.extents[n], self.head.leading[n].extent
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
                because=[("the mapped axis comes from here", self.head.leading[n].span)],
            )
        self.world.solutions.unify(wanted, found, "the left side states it", self.stated.span)
