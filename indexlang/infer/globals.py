"""The constants of a text that stand outside its loops: what decides how blocks are unrolled.

Those of an `if` at the outer level belong to the whole text, so they count as well, once its condition has a value.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush

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

    def has(self, name: str) -> bool:
        """Whether the name is a number or a table of the text, or a number of the language, such as `pi`."""
        return name in self.numbers or name in self.tables or name.lower() in NUMBERS

    def knows(self, e: ast.Expr) -> bool:
        """Whether every name in `e` is a constant with a value."""
        return all(self.has(n) for n, _ in names_in(e))


def global_constants(module: ast.Module, options: Options) -> Constants:
    """Evaluate what can be evaluated without looking into loops; mistakes are left for later."""
    found = Constants({"training": False, **options.constants}, {})
    world = World(options, Builder(options.float_type), True, found.numbers, found.tables)
    search = _Search(found, Expressions(world, Scope()), _declared(module.statements))
    search.all(module.statements)
    return found


def _declared(statements: tuple[ast.Statement, ...]) -> set[str]:
    return {s.name for s in statements if isinstance(s, ast.Declaration)}


_Waiting = tuple[tuple[int, ...], ast.Statement]  # a statement, and its place in the text


@dataclass
class _Search:
    """`waiting` are the statements that wait for a name to have a value, by that name: each looks again only then."""

    found: Constants
    expressions: Expressions
    tensors: set[str]
    waiting: dict[str, list[_Waiting]] = field(default_factory=dict[str, list[_Waiting]])

    def all(self, statements: tuple[ast.Statement, ...]) -> None:
        """Take what statements say of constants, in the order of the text wherever that is one."""
        ready: list[_Waiting] = [((n,), s) for n, s in enumerate(statements)]  # sorted, so a heap
        while ready:
            place, s = heappop(ready)  # pyright: ignore[reportArgumentType]
            for item in self._told(place, s):
                heappush(ready, item)  # pyright: ignore[reportArgumentType]  (no two places are equal)

    def _told(self, place: tuple[int, ...], s: ast.Statement) -> list[_Waiting]:
        """Take what a statement says, if that is known now; what is to be looked at then."""
        match s:
            case ast.If(condition=e):
                pass
            case ast.Equation(subscripts=None, sign="=", split=None, body=e) if (
                s.name not in self.tensors and s.name not in self.found.numbers
            ):
                pass
            case _:
                return []
        unknown = next((n for n, _ in names_in(e) if not self.found.has(n)), None)
        if unknown is not None:
            self.waiting.setdefault(unknown, []).append((place, s))
            return []
        if not is_constant_shape(e, self.found.tables):
            return []
        if isinstance(s, ast.If):
            value = self._value(e)
            chosen = s.then if value is True else s.other if value is False else ()
            return [((*place, n), inner) for n, inner in enumerate(chosen)]
        self._define(s.name, s.body)
        return self.waiting.pop(s.name, []) if self.found.has(s.name) else []

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
