"""Syntax tree → ir.Program: names, constants, order, and every equation elaborated."""

import re
from dataclasses import dataclass, replace
from itertools import islice

from indexlang.infer.adjoints import with_adjoints
from indexlang.infer.declarations import extent_names, is_constant_shape
from indexlang.infer.emission import Emission, shortened
from indexlang.infer.expressions import Expressions
from indexlang.infer.frame import Frame
from indexlang.infer.globals import global_constants
from indexlang.infer.library import Library
from indexlang.infer.mapping import mapped_program
from indexlang.infer.reads import read_names
from indexlang.infer.scope import Options, Scope, World
from indexlang.infer.seeds import seeded
from indexlang.infer.solutions import open_names
from indexlang.infer.targets import fan_ins
from indexlang.infer.unroll import Unrolling
from indexlang.infer.updates import define_next_values
from indexlang.infer.whole import too_large
from indexlang.ir.build import Builder, Number
from indexlang.ir.equation import Program, Role, Tensor
from indexlang.ir.parts import marked_parts
from indexlang.ir.size import Extent
from indexlang.syntax import ast
from indexlang.syntax.parse import MAX_STATEMENTS
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic
from indexlang.text.names import did_you_mean
from indexlang.text.source import NOWHERE

_MAY_COMPUTE = re.compile(r"_\{|[\\$]")
_Mark = tuple[tuple[int, ...], int, int]  # how much is emitted; how many tensors and targets there are
_ROUNDS = 20  # of solving open extents; each finds one at least


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A program, or the mistakes that prevent it. Warnings may come with either."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]


def elaborate(module: ast.Module, options: Options) -> Elaborated:
    """Give a module its meaning.

    Every independent mistake is told; equations that read a tensor whose own equation is wrong are passed over.
    Cost: linear in the number of equations, those of called functions included.
    """
    return _Elaboration(module, options).run()


class _Elaboration:
    def __init__(self, module: ast.Module, options: Options) -> None:
        self.module = module
        self.options = options
        self.world = World(options, Builder(options.float_type), module.declares)
        self.world.broken |= module.broken
        self.world.broken_stems = frozenset(n.partition("_{")[0] for n in module.broken if "_{" in n)
        self.world.constants["training"] = options.constants.get("training", False)
        self.frame = Frame((), self.world, Library())

    def run(self) -> Elaborated:
        frame = self.frame
        if not frame.guard(self._unroll):
            return Elaborated(None, _sorted(tuple(frame.found)))
        if len(self.module.statements) > MAX_STATEMENTS:
            return Elaborated(
                None, (diagnostic("E0903", self.module.statements[MAX_STATEMENTS].span, limit=MAX_STATEMENTS),)
            )
        self.world.extents.update(extent_names(self.module))
        frame.library = Library.of(self.module.statements)
        frame.statements = tuple(s for s in self.module.statements if not isinstance(s, ast.Def))
        frame.collect()
        self._check_options()
        for name in frame.order():
            self._define(name)
        self.world.defining = ""
        define_next_values(frame)
        outputs = self._outputs()
        made: list[Program] = []
        if not any(d.severity.value == "error" for d in frame.found):
            frame.guard(lambda: made.append(self._program(frame.out, outputs)))
        large = tuple(too_large(made[0])) if made else ()
        found = _sorted((*frame.found, *frame.out.warnings, *large))
        return Elaborated(made[0] if made and not large else None, found)

    def _program(self, out: Emission, outputs: tuple[str, ...]) -> Program:
        inputs = [t for t in self.world.tensors.values() if t.role is Role.INPUT]  # those of a call are not declared
        declared = [t for t in out.declared.values() if t.role is not Role.INPUT]
        shown = fan_ins(out.equations, {t.name: t.extents for t in declared})
        kept = [self._with_fan_in(t, shown) for t in declared]
        tensors = (*inputs, *kept, *out.computed.values())
        program = Program(
            tensors,
            tuple(out.equations),
            outputs,
            self.options.float_type,
            tuple(out.updates.items()),
            self.options.exact,
        )
        whole, zero = with_adjoints(program, out.derivatives)
        out.warnings.extend(zero)
        made = marked_parts(seeded(whole))
        return mapped_program(made, self.world.extent) if self.options.mapped else made

    def _unroll(self) -> None:
        """Blocks become plain statements; only texts that have any pay for it."""
        blocks = (ast.For, ast.If, ast.Quantifier)
        if not any(isinstance(s, blocks) for s in self.module.statements) and not _computes_names(self.module):
            return
        constants = global_constants(self.module, self.options)
        world = World(self.options, Builder(self.options.float_type), True, constants.numbers, constants.tables)
        expressions = Expressions(world, Scope())
        unrolling = Unrolling(
            expressions.constant, lambda e: is_constant_shape(e, constants.tables) and constants.knows(e)
        )
        self.module = replace(self.module, statements=tuple(unrolling.block(self.module.statements, {}, False)))

    def _check_options(self) -> None:
        world = self.world
        for name in self.options.constants:
            if name not in world.constants and name != "training":
                known = [*world.constants, *world.extents]
                advice = did_you_mean(name, known, f"the program has {', '.join(known) or 'none'}")
                self.frame.found.append(diagnostic("E0611", NOWHERE, name=name, advice=advice))

    # -- defining

    def _define(self, name: str) -> None:
        """Elaborate a tensor's equations, again as long as they tell more of the extents that calls leave open."""
        frame, world = self.frame, self.world
        if name in world.broken:
            return
        trouble: ProgramError | None = None
        before = self._mark()
        for _ in range(_ROUNDS):
            known = len(world.solutions.values)
            trouble = None
            try:
                frame.define(name)
                if len(world.solutions.values) == known:
                    self._check_solved(name, before)
            except ProgramError as error:
                trouble = error
            if len(world.solutions.values) == known:
                break
            self._back_to(before)
        if trouble is not None:
            self._back_to(before)  # nothing is said of what reads it, or of its open extents
            frame.found.extend(trouble.diagnostics)
            frame.fail(name)

    def _mark(self) -> _Mark:
        return self.frame.out.mark(), len(self.world.tensors), len(self.frame.equations)

    def _back_to(self, mark: _Mark) -> None:
        """Forget what was made since a mark."""
        out, tensors, equations = mark
        self.frame.out.cut(out)
        shortened(self.world.tensors, tensors)
        shortened(self.frame.equations, equations)

    def _check_solved(self, name: str, before: _Mark) -> None:
        out = self.frame.out
        declared, computed, *_ = before[0]
        new = (*islice(reversed(out.declared.values()), len(out.declared) - declared),
               *islice(reversed(out.computed.values()), len(out.computed) - computed))  # fmt: skip
        still = sorted({n for t in new for e in t.extents for n in open_names(e)})
        if still:
            place = still[0].partition("@")[2]
            keywords = "`, `".join(dict.fromkeys(s.partition("@")[0] for s in still))
            e = self.frame.equations[name][0]
            raise ProgramError([diagnostic("E0216", e.span, name=keywords, function=place)])

    # -- the end

    def _outputs(self) -> tuple[str, ...]:
        frame, world = self.frame, self.world
        named = [n for s in frame.statements if isinstance(s, ast.Output) for n in s.names]
        for n in named:
            if n.name not in world.tensors and not world.is_broken(n.name) and n.name not in frame.equations:
                frame.found.append(diagnostic("E0210", n.span, name=n.name, advice=world.suggestion(n.name)))
        if named:
            return tuple(dict.fromkeys(n.name for n in named))
        equations = [*(e for es in frame.equations.values() for e in es), *frame.next_values.values()]
        used = {m for e in equations for m in read_names(e, world.looked.at(e))}
        order = [n for n in frame.equations if n not in used and "." not in n]
        if not order and not frame.found and not self.module.broken:
            place = self.module.statements[-1].span if self.module.statements else NOWHERE
            frame.found.append(
                diagnostic("E0210", place, name="the result", advice="write an equation, as in `A[i] = 2*X[i]`")
            )
        return tuple(order)

    def _with_fan_in(self, t: Tensor, shown: dict[str, Extent]) -> Tensor:
        if t.start is None or t.start.rule == "constant":
            return t
        found = shown.get(t.name)
        if found is None:
            found = 1
            for n in t.extents[:-1]:
                found = found * n
        return replace(t, start=replace(t.start, fan_in=found))


def _computes_names(module: ast.Module) -> bool:
    """Whether some name is computed. Most texts are seen at once to have none; formulas in LaTeX make them of `_\\ell`."""
    sources = {s.span.source for s in module.statements}
    if not any(_MAY_COMPUTE.search(source.text) for source in sources):
        return False
    return any("_{" in getattr(n, "name", "") for s in module.statements for n in ast.nodes(s))


def _sorted(found: "tuple[Diagnostic, ...]") -> tuple[Diagnostic, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda d: d.span.start))


__all__ = ["Elaborated", "Number", "elaborate"]
