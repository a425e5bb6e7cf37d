"""The constants of a text outside its loops: what decides how blocks are unrolled."""

from collections.abc import Iterator
from dataclasses import dataclass

from indexlang.infer.declarations import is_constant_shape, names_in
from indexlang.infer.expressions import Expressions
from indexlang.infer.scope import NUMBERS, Options, Scope, World
from indexlang.ir.build import Builder, Number
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of a text outside its loops and functions."""

    numbers: dict[str, Number]
    tables: dict[str, tuple[Number, ...]]

    def knows(self, e: ast.Expr) -> bool:
        return all(n in self.numbers or n in self.tables or n.lower() in NUMBERS for n, _ in names_in(e))


def global_constants(module: ast.Module, options: Options) -> Constants:
    """Evaluate what can be evaluated without looking into loops; mistakes are left for later.

    A block behind `if` is looked into as soon as the constants of its condition are known.
    """
    found = Constants({"training": False, **options.constants}, {})
    world = World(options, Builder(options.float_type), True, found.numbers, found.tables)
    tensors = {s.name for s in module.statements if isinstance(s, ast.Declaration)}
    waiting = list(_deciding(module.statements, tensors))
    changed = True
    while changed:
        changed = False
        for s in list(waiting):
            body = s.condition if isinstance(s, ast.If) else s.body
            if not (is_constant_shape(body, found.tables) and found.knows(body)):
                continue
            waiting.remove(s)
            changed = True
            try:
                waiting.extend(_deciding(_taken(s, found, Expressions(world, Scope())), tensors))
            except ProgramError:
                continue
    return found


def _deciding(statements: tuple[ast.Statement, ...], tensors: set[str]) -> Iterator[ast.Equation | ast.If]:
    """What may be a constant, or holds some."""
    for s in statements:
        match s:
            case ast.If():
                yield s
            case ast.Equation(name=name, subscripts=None, sign="=", split=None) if name not in tensors:
                yield s
            case _:
                pass


def _taken(s: ast.Equation | ast.If, found: Constants, values: Expressions) -> tuple[ast.Statement, ...]:
    """Enter a constant into `found`; of an `if`, the block that is chosen."""
    match s:
        case ast.If(condition=condition, then=then, other=other):
            return then if values.constant(condition) is True else other
        case ast.Equation(name=name, body=ast.Table(items=items)) if name not in found.tables:
            found.tables[name] = tuple(values.constant(item) for item in items)
        case ast.Equation(name=name, body=body) if name not in found.numbers:
            found.numbers[name] = values.constant(body)
        case _:
            pass
    return ()
