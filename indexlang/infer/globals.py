"""The constants of a text that stand outside its loops: what decides how blocks are unrolled.

Those of an `if` at the outer level belong to the whole text, so they count as well, once its condition has a value.
"""

from dataclasses import dataclass

from indexlang.infer.declarations import is_constant_shape, names_in
from indexlang.infer.expressions import Expressions
from indexlang.infer.scope import NUMBERS, Options, Scope, World
from indexlang.ir.build import Builder, Number
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError


@dataclass(frozen=True, slots=True)
class Constants:
    """The constants of a text that stand outside its loops."""

    numbers: dict[str, Number]
    tables: dict[str, tuple[Number, ...]]

    def knows(self, e: ast.Expr) -> bool:
        """Whether every name in `e` is a constant with a value."""
        return all(n in self.numbers or n in self.tables or n.lower() in NUMBERS for n, _ in names_in(e))


def global_constants(module: ast.Module, options: Options) -> Constants:
    """Evaluate what can be evaluated without looking into loops; mistakes are left for later."""
    found = Constants({"training": False, **options.constants}, {})
    world = World(options, Builder(options.float_type), True, found.numbers, found.tables)
    search = _Search(found, Expressions(world, Scope()), _declared(module.statements))
    waiting = list(module.statements)
    while True:
        later = [rest for s in waiting for rest in search.told(s)]
        if later == waiting:
            return found
        waiting = later


def _declared(statements: tuple[ast.Statement, ...]) -> set[str]:
    return {s.name for s in statements if isinstance(s, ast.Declaration)}


@dataclass(frozen=True, slots=True)
class _Search:
    found: Constants
    expressions: Expressions
    tensors: set[str]

    def told(self, s: ast.Statement) -> tuple[ast.Statement, ...]:
        """Take what a statement says of constants, if that is known now; what is to be looked at once more."""
        match s:
            case ast.If(condition=condition) if self._is_known(condition):
                value = self._value(condition)
                return s.then if value is True else s.other if value is False else ()
            case ast.If():
                return (s,)
            case ast.Equation(subscripts=None, sign="=", split=None) if (
                s.name not in self.tensors | self.found.numbers.keys()
            ):
                if not self._is_known(s.body):
                    return (s,)
                self._define(s.name, s.body)
                return ()
            case _:
                return ()

    def _is_known(self, e: ast.Expr) -> bool:
        return is_constant_shape(e, self.found.tables) and self.found.knows(e)

    def _define(self, name: str, body: ast.Expr) -> None:
        if isinstance(body, ast.Table):
            items = tuple(self._value(item) for item in body.items)
            if None not in items:
                self.found.tables[name] = tuple(item for item in items if item is not None)
            return
        value = self._value(body)
        if value is not None:
            self.found.numbers[name] = value

    def _value(self, e: ast.Expr) -> Number | None:
        try:
            return self.expressions.constant(e)
        except ProgramError:
            return None
