"""The definitions of one body: a program's statements, or those of a function in one call.

Names are those of the body; what leaves it (`Frame.out`) carries the same names, and `instances` moves it to the caller.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

from indexlang.infer import declarations, random
from indexlang.infer.calls import Calls
from indexlang.infer.declarations import is_constant_shape, names_in
from indexlang.infer.derivatives import Derivatives
from indexlang.infer.emission import Emission
from indexlang.infer.equations import Made, Stated, elaborate_equation
from indexlang.infer.expressions import Expressions
from indexlang.infer.joins import as_parts, joined_tensor, split_equations
from indexlang.infer.library import Library
from indexlang.infer.reads import read_names
from indexlang.infer.ready import in_order
from indexlang.infer.scope import NUMBERS, Scope, World
from indexlang.infer.targets import target_tensor
from indexlang.infer.vectors import IndexForm, Slice, index_form
from indexlang.ir.equation import Equation, Tensor
from indexlang.ir.size import Extent
from indexlang.syntax import ast
from indexlang.syntax.rewrite import rewritten
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic
from indexlang.text.source import Span


class Frame:
    """Elaborates a body. `found` collects its mistakes; definitions that read something mistaken are passed over.

    path      where the body's tensors go in the program: '' for the program itself, else `L1.U`
    packages  the name of the package that the body's own parameters belong to, if its head has one
    around    the calls around this body, outermost first
    """

    def __init__(
        self,
        statements: tuple[ast.Statement, ...],
        world: World,
        library: Library,
        path: str = "",
        packages: tuple[str, ...] = (),
        around: tuple[tuple[ast.Def, ast.Call], ...] = (),
    ) -> None:
        self.statements = statements
        self.world = world
        self.library = library
        self.path = path
        self.packages = packages
        self.around = around
        self.found: list[Diagnostic] = []
        self.out = Emission()
        self.stated: dict[str, Stated] = {}
        self.equations: dict[str, list[ast.Equation]] = {}
        self.next_values: dict[str, ast.Equation] = {}
        self.in_parts: set[str] = set()  # tensors with stated extents: they may have several equations
        self.calls = Calls(self)
        self.derivatives = Derivatives(self)

    # -- collecting

    def collect(self) -> None:
        """Sort the statements: equations by target, constants, declarations."""
        self.world.functions = self.library.own.keys()
        self.in_parts = {s.name for s in self.statements if isinstance(s, ast.Declaration)}
        self._sort_equations()
        self._constants()
        self._split_vectors()
        declarations.declare_all(self)
        self.world.computed.update(self.equations)

    def _sort_equations(self) -> None:
        """Equations by target; those of one name that are not all `+=` are told."""
        for s in self.statements:
            if not isinstance(s, ast.Equation):
                continue
            if s.sign == "<-":
                if s.name in self.next_values:
                    self.twice(s.name, s.left_span, self.next_values[s.name].left_span)
                self.next_values.setdefault(s.name, s)
                continue
            if s.split is None:
                self._sort(s.name, s)

    def _split_vectors(self) -> None:
        """`P[b,J1] ; Q[b,J2] = L[b,J1+J2]`, once the constants are known."""
        for s in self.statements:
            if isinstance(s, ast.Equation) and s.split is not None:
                self.guard(lambda s=s: self._split(s))

    def _split(self, s: ast.Equation) -> None:
        for part in split_equations(s, self.world):
            e, extent = part.equation, self.extent_of(part.written)
            self._sort(e.name, e)
            if extent is not None and e.name not in self.in_parts:
                extents = (extent if n == part.axis else None for n in range(len(e.subscripts or ())))
                self.stated.setdefault(e.name, Stated(tuple(extents), None, part.written.span))

    def _sort(self, name: str, s: ast.Equation) -> None:
        others = self.equations.setdefault(name, [])
        in_parts = s.sign == "=" and name in self.in_parts
        if others and (not all(o.sign == s.sign for o in others) or not (s.sign == "+=" or in_parts)):
            if not any(isinstance(x, ast.Number) for x in others[0].subscripts or ()):  # told already, by E0108
                self.twice(name, s.left_span, others[0].left_span)
            return
        others.append(s)
        self.world.places.setdefault(name, s.left_span)

    def twice(self, name: str, span: Span, first: Span) -> None:
        """Tell of a second definition."""
        self.found.append(diagnostic("E0202", span, name=name, because=[(f"`{name}` is defined here already", first)]))

    def _constants(self) -> None:
        """Bare names whose right sides are made of numbers, constants and named extents."""
        plain = {
            n: es[0]
            for n, es in self.equations.items()
            if es[0].subscripts is None and es[0].sign == "=" and len(es) == 1 and not self._calls_function(es[0])
            if n not in self.in_parts
        }
        tables = self.world.tables.keys() | {n for n, e in plain.items() if isinstance(e.body, ast.Table)}
        waiting = {n: e for n, e in plain.items() if is_constant_shape(e.body, tables)}
        given = self.world.options.constants
        unknown = {n: set[str]() if n in given else self._unknown(e.body) for n, e in waiting.items()}
        for name in in_order(unknown, self._is_known):
            e = waiting[name]
            del self.equations[name]
            self.guard(lambda e=e: self._constant(e))

    def _calls_function(self, e: ast.Equation) -> bool:
        return any(self.library.has(n.name) for n in self.world.looked.at(e).calls)

    def _is_known(self, name: str) -> bool:
        world = self.world
        known = name in world.constants or name in world.extents or name in world.tables
        return known or name.lower() in NUMBERS

    def _unknown(self, e: ast.Expr) -> set[str]:
        return {n for n, _ in names_in(e) if not self._is_known(n)}

    def _constant(self, e: ast.Equation) -> None:
        world = self.world
        if e.name in world.options.constants and not self.path:
            world.constants[e.name] = world.options.constants[e.name]
            return
        expressions = Expressions(world, Scope())
        if isinstance(e.body, ast.Table):
            world.tables[e.name] = tuple(expressions.constant(item) for item in e.body.items)
            return
        world.constants[e.name] = expressions.constant(e.body, f"`{e.name}`")

    # -- order

    def order(self) -> Iterator[str]:
        """Targets so that each comes after all it reads; a cycle is told once and its members left out."""
        state: dict[str, int] = {}
        owners = self._package_owners
        scalars = {n for n, es in self.equations.items() if es[0].subscripts is None}
        needs = {
            n: sorted(
                {
                    m
                    for e in es
                    for read in read_names(e, self.world.looked.at(e), self.world.extents, scalars)
                    for m in self._owner(read, owners)
                    if m != n or m == read
                }
            )
            for n, es in self.equations.items()
        }
        out: list[str] = []
        for root in self.equations:
            stack: list[tuple[str, int]] = [(root, 0)]
            while stack:
                name, at = stack.pop()
                if at == 0:
                    if state.get(name):
                        continue
                    state[name] = 1
                if at < len(needs[name]):
                    stack.append((name, at + 1))
                    after = needs[name][at]
                    if state.get(after) == 1:
                        self._cycle([n for n, _ in stack], after)
                    elif not state.get(after):
                        stack.append((after, 0))
                else:
                    state[name] = 2
                    out.append(name)
        return iter(out)

    @cached_property
    def _package_owners(self) -> dict[str, str]:
        """Which equation first passes a package: reading `Φ1.W` needs that equation's call."""
        out: dict[str, str] = {}
        for name, es in self.equations.items():
            for n in (n for e in es for n in self.world.looked.at(e).calls):
                if self.library.has(n.name):
                    for a in n.args:
                        if isinstance(a, ast.Name | ast.Access) and a.name not in self.equations:
                            out.setdefault(a.name, name)
        return out

    def _owner(self, read: str, owners: dict[str, str]) -> tuple[str, ...]:
        """The equation that a name waits for."""
        if read in self.equations:
            return (read,)
        if read in self.world.tensors or read in owners:  # declared: no call needs to make it; a package to be passed
            return ()
        prefix = read
        while "." in prefix:
            prefix = prefix.rpartition(".")[0]
            if prefix in self.equations:
                return (prefix,)
            if prefix in owners:
                return (owners[prefix],)
        return ()

    def _cycle(self, path: list[str], start: str) -> None:
        members = [*path[path.index(start) :], start]
        if any(m in self.world.broken for m in members):
            return
        self.world.broken.update(members)
        shown = " → ".join(f"`{m}`" for m in members)
        notes = [(f"`{m}` is defined here", self.equations[m][0].left_span) for m in members[1:-1]]
        self.found.append(
            diagnostic("E0203", self.equations[start][0].left_span, name=start, path=shown, because=notes)
        )

    # -- defining

    def define(self, name: str) -> None:
        """Elaborate the equations of a tensor. Raises ProgramError with all their mistakes."""
        self.world.defining = name
        found: list[Diagnostic] = []
        made: list[Made] = []
        stated = self.stated.get(name)
        broken = False
        equations = self.equations[name]
        in_parts = len(equations) > 1 and equations[0].sign == "=" and stated is not None
        for e in equations:
            try:
                self._define_one(e, replace(stated, is_part=True) if in_parts and stated else stated, made)
            except ProgramError as error:
                found.extend(error.diagnostics)
                broken = True
        if broken:
            raise ProgramError(found)
        if not made:
            return
        if in_parts and stated is not None:
            made = as_parts(made, stated)
        self._add(target_tensor(name, made, stated, equations[0].left_span), made)

    def _define_one(self, e: ast.Equation, stated: Stated | None, made: list[Made]) -> None:
        """`made` gets what the equation came to, unless it has defined its tensor by itself (a call, joined parts)."""
        rest = self.calls.expanded(self.derivatives.expanded(e), stated)
        if rest is None:
            return
        form = index_form(self._apart(rest), self.world)
        if form.joined is not None:
            tensor, parts = joined_tensor(form, self.world, self._stated_slices(form, stated), self.warn)
            self._add(tensor, parts)
            return
        stated = self._stated_slices(form, stated)
        if rest.sign == "~":
            form = IndexForm((random.drawn(form.parts[0]),), form.slices)
        made.append(elaborate_equation(form.parts[0], self.world, stated))
        self.warn(made[-1])

    def _apart(self, e: ast.Equation) -> ast.Equation:
        """`relu(P ; Q)`: a joined vector inside an expression gets an equation of its own."""
        if isinstance(e.body, ast.Joined) or not self.world.looked.at(e).joins:
            return e
        made: list[ast.Expr] = []

        def named(n: object) -> object:
            if not isinstance(n, ast.Joined):
                return n
            name = f"{e.name}.joined{len(made) + 1 if made else ''}"
            self.define_hoisted(ast.Equation(name, e.subscripts, "=", n, n.span, e.left_span))
            inner = tuple(s.index if isinstance(s, ast.Ranged) else s for s in e.subscripts or ())
            made.append(ast.Access(name, inner, None, n.span, n.span) if inner else ast.Name(name, n.span))
            return made[-1]

        return rewritten(e, named)

    def _stated_slices(self, form: IndexForm, stated: Stated | None) -> Stated | None:
        """The extents that are written on the left side, `L1[55,55,96]`, with those of a `tensor` statement."""
        if not any(s.written is not None for s in form.slices) or stated is not None:
            return stated
        count = len(form.parts[0].subscripts or ())
        extents: list[Extent | None] = [None] * count
        for s in form.slices:
            extents[s.axis] = self.written_extent(s)
        if all(x is None for x in extents):
            return stated
        return Stated(tuple(extents), None, form.parts[0].left_span)

    def written_extent(self, s: Slice) -> Extent | None:
        """The extent of a slice on the left side, if what is written there has a value."""
        if s.written is None:
            return None
        return self.extent_of(s.written)

    def extent_of(self, e: ast.Expr) -> Extent | None:
        """The value of `55`, `J` or `J1+J2` as an extent; None where a name in it has none."""
        world = self.world
        known = world.constants.keys() | world.extents | world.values.keys() | world.tables.keys()
        if any(n not in known for n, _ in names_in(e)):
            return None
        return Expressions(world, Scope()).extent(e, "the extent")

    def warn(self, made: Made) -> None:
        """Keep the warnings of an equation that stays."""
        self.out.warnings.extend(made.warnings)

    def _add(self, tensor: Tensor, made: list[Made]) -> None:
        self.add(tensor, [m.equation for m in made])

    def add(self, tensor: Tensor, equations: list[Equation]) -> None:
        """Take a computed tensor and its equations into the body."""
        declarations.check_size(tensor)
        self.world.tensors[tensor.name] = tensor
        self.out.computed[tensor.name] = tensor
        self.out.equations.extend(equations)

    def define_hoisted(self, e: ast.Equation) -> None:
        """Define a tensor that is not in the text: the value of an argument."""
        self.equations[e.name] = [e]
        self.world.computed.add(e.name)
        self.world.places[e.name] = e.span
        self.define(e.name)

    def fail(self, name: str) -> None:
        """A tensor's equations have mistakes: whatever reads it, or a package that it passes first, says nothing more."""
        self.world.broken.add(name)
        self.world.broken.update(package for package, owner in self._package_owners.items() if owner == name)

    # -- mistakes

    def guard(self, action: Callable[[], object]) -> bool:
        """Run `action`; collect its mistakes."""
        try:
            action()
        except ProgramError as error:
            self.found.extend(error.diagnostics)
            return False
        return True


__all__ = ["Frame"]
