"""The constants of a text that stand outside its blocks: what decides how blocks are unrolled."""

from dataclasses import dataclass

from indexlang.infer.declarations import is_constant_shape, names_in
from indexlang.infer.expressions import Expressions
from indexlang.infer.scope import NUMBERS, Options, Scope, World
from indexlang.ir.build import Builder, Number
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of a text that stand outside its blocks."""

    numbers: dict[str, Number]
    tables: dict[str, tuple[Number, ...]]

    def knows(self, e: ast.Expr) -> bool:
        return all(n in self.numbers or n in self.tables or n.lower() in NUMBERS for n, _ in names_in(e))


def global_constants(module: ast.Module, options: Options) -> Constants:
    """Evaluate what can be evaluated without looking into blocks; mistakes are left for later."""
    found = Constants({"training": False, **options.constants}, {})
    world = World(options, Builder(options.float_type), True, found.numbers, found.tables)
    declared = {s.name for s in module.statements if isinstance(s, ast.Declaration)}
    waiting = [
        s
        for s in module.statements
        if isinstance(s, ast.Equation)
        and s.subscripts is None
        and s.sign == "="
        and s.split is None
        and s.name not in declared
    ]
    changed = True
    while changed:
        changed = False
        for s in list(waiting):
            if s.name in found.numbers or not (is_constant_shape(s.body, found.tables) and found.knows(s.body)):
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
