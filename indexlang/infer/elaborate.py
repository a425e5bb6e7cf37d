"""Syntax tree → ir.Program: names, constants, order, and every equation elaborated."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from indexlang.infer.equations import Made, Stated, elaborate_equation, shown_fan_in, target_tensor
from indexlang.infer.expressions import Expressions
from indexlang.infer.scope import NUMBERS, Options, Scope, World
from indexlang.infer.unroll import Unrolling
from indexlang.ir import dtypes
from indexlang.ir.build import Builder, Number
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Start, Tensor
from indexlang.ir.size import Extent
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic, program_error
from indexlang.text.names import nearest
from indexlang.text.source import NOWHERE, Span

INITIALISERS = {"xavier": 0, "he": 0, "orthogonal": 0, "uniform": 2, "normal": 2}


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A program, or the mistakes that prevent it. Warnings may come with either."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]


def elaborate(module: ast.Module, options: Options) -> Elaborated:
    """Give a module its meaning.

    Every independent mistake is told; equations that read a tensor whose own equation is wrong are passed over.
    Cost: linear in the number of equations.
    """
    return _Elaboration(module, options).run()


class _Elaboration:
    def __init__(self, module: ast.Module, options: Options) -> None:
        self.module = module
        self.options = options
        self.found: list[Diagnostic] = []
        self.world = World(options, Builder(options.float_type), module.declares)
        self.world.broken |= module.broken
        self.stated: dict[str, Stated] = {}
        self.equations: dict[str, list[ast.Equation]] = {}
        self.made: list[Equation] = []
        self.computed: list[Tensor] = []

    def run(self) -> Elaborated:
        if not self._guard(self._unroll):
            return Elaborated(None, _sorted(self.found))
        self._refuse_what_is_not_there_yet()
        self._sort_equations()
        self._constants()
        self._check_options()
        self._declarations()
        for name in self._order():
            self._define(name)
        outputs = self._outputs()
        if any(d.severity.value == "error" for d in self.found):
            return Elaborated(None, _sorted(self.found))
        declared = [t for t in self.world.tensors.values() if t.role is not Role.COMPUTED]
        tensors = tuple(self._with_fan_in(t) for t in declared) + tuple(self.computed)
        program = Program(tensors, tuple(self.made), outputs, self.options.float_type)
        return Elaborated(program, _sorted(self.found))

    # -- blocks

    def _unroll(self) -> None:
        """Blocks become plain statements; only texts that have any pay for it."""
        blocks = (ast.For, ast.If, ast.Quantifier)
        if not any(isinstance(s, blocks) for s in self.module.statements) and not _computes_names(self.module):
            return
        constants = global_constants(self.module, self.options)
        expressions = Expressions(
            World(
                self.options, Builder(self.options.float_type), True, dict(constants.numbers), dict(constants.tables)
            ),
            Scope(),
        )
        unrolling = Unrolling(expressions.constant, lambda e: _is_constant_shape(e) and constants.knows(e))
        self.module = replace(self.module, statements=tuple(unrolling.block(self.module.statements, {}, False)))

    def _refuse_what_is_not_there_yet(self) -> None:
        kept: list[ast.Statement] = []
        for s in self.module.statements:
            what = _not_there_yet(s)
            if what:
                self.found.append(diagnostic("E0110", s.span, what=what))
                self.world.broken.add(getattr(s, "name", ""))
            else:
                kept.append(s)
        self.module = replace(self.module, statements=tuple(kept))

    # -- collecting

    def _sort_equations(self) -> None:
        """Equations by target; those of one name that are not all `+=` are told."""
        for s in self.module.statements:
            if not isinstance(s, ast.Equation):
                continue
            others = self.equations.setdefault(s.name, [])
            if others and not (s.sign == "+=" and all(o.sign == "+=" for o in others)):
                self._twice(s.name, s.left_span, others[0].left_span)
                continue
            others.append(s)
            self.world.places.setdefault(s.name, s.left_span)

    def _twice(self, name: str, span: Span, first: Span) -> None:
        self.found.append(diagnostic("E0202", span, name=name, because=[(f"`{name}` is defined here already", first)]))

    def _constants(self) -> None:
        """Bare names whose right sides are made of numbers, constants and named extents."""
        self.world.constants.setdefault("training", False)
        self.world.extents.update(extent_names(self.module))
        waiting = {
            n: es[0]
            for n, es in self.equations.items()
            if es[0].subscripts is None and es[0].sign == "=" and len(es) == 1
        }
        waiting = {n: e for n, e in waiting.items() if _is_constant_shape(e.body)}
        changed = True
        while changed:
            changed = False
            for name, e in list(waiting.items()):
                if name in self.options.constants or self._is_ready(e.body):
                    del waiting[name]
                    del self.equations[name]
                    self._guard(lambda e=e: self._constant(e))
                    changed = True

    def _is_ready(self, e: ast.Expr) -> bool:
        known = self.world.constants.keys() | self.world.extents | self.world.tables.keys()
        return all(n in known or n.lower() in NUMBERS for n, _ in _names(e))

    def _constant(self, e: ast.Equation) -> None:
        world = self.world
        if e.name in self.options.constants:
            world.constants[e.name] = self.options.constants[e.name]
            return
        expressions = Expressions(world, Scope())
        if isinstance(e.body, ast.Table):
            world.tables[e.name] = tuple(expressions.constant(item) for item in e.body.items)
            return
        world.constants[e.name] = expressions.constant(e.body, f"`{e.name}`")

    def _check_options(self) -> None:
        for name in self.options.constants:
            if name not in self.world.constants and name != "training":
                known = [*self.world.constants, *self.world.extents]
                near = nearest(name, known)
                advice = f"did you mean `{near}`?" if near else f"the program has {', '.join(known) or 'none'}"
                self.found.append(diagnostic("E0611", NOWHERE, name=name, advice=advice))

    def _declarations(self) -> None:
        for s in self.module.statements:
            if isinstance(s, ast.Input | ast.Param | ast.Declaration):
                self._guard(lambda s=s: self._declare(s))
        for name in self.equations:
            self.world.computed.add(name)

    def _declare(self, s: ast.Input | ast.Param | ast.Declaration) -> None:
        world = self.world
        taken = world.tensors.get(s.name)
        first = taken.span if taken else self.stated[s.name].span if s.name in self.stated else None
        if first is not None or (s.name in world.constants):
            return self._twice(s.name, s.name_span, first or world.places[s.name])
        if not isinstance(s, ast.Declaration) and s.name in self.equations:
            places = [o.left_span for o in self.equations.pop(s.name)]
            self._twice(s.name, places[0], s.name_span)
        expressions = Expressions(world, Scope())
        dtype = self._dtype(s)
        extents = tuple(self._declared_extent(axis, expressions, s.name) for axis in s.axes)
        axes = tuple(
            a.index.name if isinstance(a, ast.Ranged) and isinstance(a.index, ast.Name) else "" for a in s.axes
        )
        world.places[s.name] = s.name_span
        match s:
            case ast.Declaration():
                self.stated[s.name] = Stated(extents, dtype, s.span)
            case ast.Input(default=default):
                world.tensors[s.name] = Tensor(
                    s.name, extents, dtype, Role.INPUT, axes, default=default, span=s.name_span
                )
            case ast.Param():
                start = self._start(s, len(extents), expressions)
                world.tensors[s.name] = Tensor(s.name, extents, dtype, Role.PARAM, axes, start=start, span=s.name_span)
        if s.name in world.tensors:
            _check_size(world.tensors[s.name])

    def _declared_extent(self, axis: ast.Subscript, expressions: Expressions, name: str) -> Extent:
        match axis:
            case ast.Ranged(extent=extent):
                return expressions.extent(extent, f"an extent of `{name}`")
            case ast.Group(span=span) | ast.Pack(span=span):
                raise program_error("E0101", span, found="this", expected="an extent")
            case _:
                return expressions.extent(axis, f"an extent of `{name}`")

    def _dtype(self, s: ast.Input | ast.Param | ast.Declaration) -> DType:
        found = dtypes.named(s.dtype, self.options.float_type)
        if found is None:
            near = nearest(s.dtype, ["float", *(d.value for d in DType)])
            at = s.span.text.rfind(s.dtype)
            place = Span(s.span.source, s.span.start + at, s.span.start + at + len(s.dtype))
            raise program_error(
                "E0207",
                place,
                name=s.dtype,
                advice=f"did you mean `{near}`?" if near else "use float, f32, f64, int, i32, u8 or bool",
            )
        if isinstance(s, ast.Param) and not found.is_float:
            raise program_error(
                "E0207",
                s.span,
                name=s.dtype,
                advice="a param is trained, so it holds floats",
                hint="a param is trained, so it holds floats",
            )
        return found

    def _start(self, s: ast.Param, rank: int, expressions: Expressions) -> Start:
        if s.value is not None:
            value = expressions.constant(s.value, "the start of a param")
            return Start("constant", (float(cast(float, value)),))
        if s.drawn is None:
            return Start("xavier") if rank >= 2 else Start("constant", (0.0,))
        name = s.drawn.name.lower()
        args = s.drawn.args if isinstance(s.drawn, ast.Call) else ()
        if name not in INITIALISERS:
            near = nearest(name, INITIALISERS)
            raise program_error(
                "E0206",
                s.drawn.span,
                name=s.drawn.name,
                advice=f"did you mean `{near}`?" if near else f"there are {', '.join(INITIALISERS)}",
            )
        if len(args) != INITIALISERS[name]:
            wanted = f"{INITIALISERS[name]} numbers" if INITIALISERS[name] else "no numbers"
            raise program_error(
                "E0205",
                s.drawn.span,
                name=name,
                wanted=wanted,
                given=len(args),
                advice=f"write `~ {name}{'(a, b)' if INITIALISERS[name] else ''}`",
            )
        return Start(name, tuple(float(cast(float, expressions.constant(a))) for a in args))

    # -- defining

    def _order(self) -> Iterator[str]:
        """Targets so that each comes after all it reads; a cycle is told once and its members left out."""
        state: dict[str, int] = {}
        needs = {
            n: sorted({m for e in es for m in _read_names(e) if m in self.equations})
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

    def _define(self, name: str) -> None:
        if name in self.world.broken:
            return
        stated = self.stated.get(name)
        made: list[Made] = []
        for e in self.equations[name]:
            found: list[Made] = []
            if not self._guard(partial(self._elaborate, e, stated, found)):
                self.world.broken.add(name)
            made.extend(found)
        if name in self.world.broken or not self._guard(lambda: self._add(name, made, stated)):
            self.world.broken.add(name)

    def _elaborate(self, e: ast.Equation, stated: Stated | None, into: list[Made]) -> None:
        into.append(elaborate_equation(e, self.world, stated))
        self.found.extend(into[-1].warnings)

    def _add(self, name: str, made: list[Made], stated: Stated | None) -> None:
        tensor = target_tensor(name, made, stated, self.equations[name][0].left_span)
        _check_size(tensor)
        self.world.tensors[name] = tensor
        self.computed.append(tensor)
        self.made.extend(m.equation for m in made)

    def _outputs(self) -> tuple[str, ...]:
        named = [n for s in self.module.statements if isinstance(s, ast.Output) for n in s.names]
        for n in named:
            if n.name not in self.world.tensors and n.name not in self.world.broken and n.name not in self.equations:
                self.found.append(diagnostic("E0210", n.span, name=n.name, advice=self.world.suggestion(n.name)))
        if named:
            return tuple(dict.fromkeys(n.name for n in named))
        used = {m for es in self.equations.values() for e in es for m in _read_names(e)}
        order = [n for n in self.equations if n not in used]
        if not order and not self.found and not self.module.broken:
            place = self.module.statements[-1].span if self.module.statements else NOWHERE
            self.found.append(
                diagnostic("E0210", place, name="the result", advice="write an equation, as in `A[i] = 2*X[i]`")
            )
        return tuple(order)

    def _with_fan_in(self, t: Tensor) -> Tensor:
        if t.start is None or t.start.rule == "constant":
            return t
        found = shown_fan_in(t.name, self.made)
        if found is None:
            found = 1
            for n in t.extents[:-1]:
                found = found * n
        return replace(t, start=replace(t.start, fan_in=found))

    def _guard(self, action: "object") -> bool:
        try:
            action()  # type: ignore[operator]
        except ProgramError as error:
            self.found.extend(error.diagnostics)
            return False
        return True


def _check_size(t: Tensor) -> None:
    """Positions in a tensor are 64-bit numbers (E0902)."""
    if isinstance(t.elements, int) and t.elements * t.dtype.size >= 2**63:
        raise program_error("E0902", t.span, what=f"the number of bytes of `{t.name}`", value=t.elements * t.dtype.size)


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of a text that stand outside its blocks."""

    numbers: dict[str, Number]
    tables: dict[str, tuple[Number, ...]]

    def knows(self, e: ast.Expr) -> bool:
        return all(n in self.numbers or n in self.tables or n.lower() in NUMBERS for n, _ in _names(e))


def global_constants(module: ast.Module, options: Options) -> Constants:
    """Evaluate what can be evaluated without looking into blocks; mistakes are left for later."""
    found = Constants({"training": False, **options.constants}, {})
    world = World(options, Builder(options.float_type), True, found.numbers, found.tables)
    waiting = [
        s
        for s in module.statements
        if isinstance(s, ast.Equation) and s.subscripts is None and s.sign == "=" and s.split is None
    ]
    changed = True
    while changed:
        changed = False
        for s in list(waiting):
            if s.name in found.numbers or not (_is_constant_shape(s.body) and found.knows(s.body)):
                continue
            waiting.remove(s)
            changed = True
            try:
                expressions = Expressions(world, Scope())
                if isinstance(s.body, ast.Table):
                    found.tables[s.name] = tuple(expressions.constant(item) for item in s.body.items)
                else:
                    found.numbers[s.name] = expressions.constant(s.body)
            except ProgramError:
                continue
    return found


def _computes_names(module: ast.Module) -> bool:
    return any("_{" in getattr(n, "name", "") for s in module.statements for n in ast.nodes(s))


def _not_there_yet(s: ast.Statement) -> str:
    """What of the notation parses but has no meaning yet; refused by name rather than passed over."""
    match s:
        case ast.Def():
            return "a function"
        case ast.State():
            return "`state`"
        case ast.Include():
            return "`include`"
        case ast.Equation(sign="~"):
            return "a random tensor"
        case ast.Equation(sign="<-"):
            return "`<-`"
        case _:
            pass
    odd = next((n for n in ast.nodes(s) if isinstance(n, ast.Joined | ast.Pack | ast.Keyword)), None)
    match odd:
        case ast.Joined():
            return "`;`"
        case ast.Pack():
            return "a pack of axes"
        case ast.Keyword():
            return "an argument with a keyword"
        case _:
            return ""


def extent_names(module: ast.Module) -> set[str]:
    """The names in declarations that no statement defines: the named extents of a text."""
    defined = {s.name for s in module.statements if isinstance(s, ast.Equation)}
    found: set[str] = set()
    for s in module.statements:
        if isinstance(s, ast.Input | ast.Param | ast.Declaration):
            for axis in s.axes:
                inner = axis.extent if isinstance(axis, ast.Ranged) else axis
                found.update(name for name, _ in _names(inner))
    return found - defined


def _sorted(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(found, key=lambda d: d.span.start))


def _is_constant_shape(e: ast.Expr) -> bool:
    return all(
        isinstance(
            n, ast.Number | ast.Name | ast.Unary | ast.Binary | ast.Call | ast.Table | ast.Comparison | ast.Conditional
        )
        for n in ast.nodes(e)
    ) or (isinstance(e, ast.Access) and isinstance(e.subscripts[0] if e.subscripts else None, ast.Number))


def _names(e: object) -> Iterator[tuple[str, Span]]:
    """The bare names and the names read, in an expression."""
    for n in ast.nodes(e):
        if isinstance(n, ast.Name | ast.Access):
            yield n.name, n.span


def _read_names(e: ast.Equation) -> set[str]:
    left = {n for s in e.subscripts or () for n, _ in _names(s)}
    return {n for n, _ in _names(e.body)} | (left - {n.name for n in e.subscripts or () if isinstance(n, ast.Name)})


__all__ = ["Elaborated", "Number", "elaborate"]
