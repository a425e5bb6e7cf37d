"""Blocks → a flat list of statements: `for` repeated, `if` chosen, computed names (`L_{l+1}`) spelled out.

What decides is constants: those of the whole text, and those of a loop (its counter, and the constants that its
block defines, which belong to one turn each).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from indexlang.ir.build import Number
from indexlang.ir.size import Extent, Size
from indexlang.syntax import ast
from indexlang.syntax.parse import MAX_STATEMENTS, parse_expression
from indexlang.syntax.rewrite import rewritten
from indexlang.text.diagnostics import program_error
from indexlang.text.source import Span

Node = TypeVar("Node")
Value = Number | tuple[Number, ...]
Constant = Callable[[ast.Expr], Number]


@dataclass
class Unrolling:
    """Flattens blocks. `constant` evaluates a closed expression; `is_closed` says whether it can now.

    decided  what `constant` is for conditions and loops, where an extent without a value is of no use
    """

    constant: Constant
    is_closed: Callable[[ast.Expr], bool]
    count: int = 0
    decided: Constant | None = None
    waiting: dict[str, ast.Equation] = field(default_factory=dict[str, ast.Equation])  # what was no constant, in blocks

    def block(
        self, statements: tuple[ast.Statement, ...], env: Mapping[str, Value], local: bool
    ) -> list[ast.Statement]:
        """The statements with `env`'s constants filled in; with `local`, constants defined here stay inside."""
        known = dict(env)
        out: list[ast.Statement] = []
        for s in statements:
            self._statement(s, known, local, out)
        return out

    def _statement(self, s: ast.Statement, env: dict[str, Value], local: bool, out: list[ast.Statement]) -> None:
        self.count += 1
        if self.count > MAX_STATEMENTS:
            raise program_error("E0903", s.span, limit=MAX_STATEMENTS)
        match s:
            case ast.For():
                self._for(s, env, out)
            case ast.If(condition=condition, then=then, other=other):
                chosen = then if self._truth(filled(condition, env, self._resolve)) else other
                for inner in chosen:
                    self._statement(inner, env, local, out)
            case ast.Quantifier():
                self._quantifier(s, env, local, out)
            case ast.Equation(subscripts=None, sign="=", split=None) if local and "_{" not in s.name:
                written = filled(s, env, self._resolve)
                if isinstance(written.body, ast.Table) or self.is_closed(written.body):
                    env[s.name] = self._value(written.body)
                else:
                    self.waiting[s.name] = written
                    out.append(written)
            case ast.Def():
                out.append(s)
            case _:
                out.append(filled(s, env, self._resolve))

    def _for(self, s: ast.For, env: dict[str, Value], out: list[ast.Statement]) -> None:
        first, last = (self._integer(filled(e, env, self._resolve)) for e in (s.first, s.last))
        if last - first >= MAX_STATEMENTS:
            raise program_error("E0903", s.span, limit=MAX_STATEMENTS)
        for value in range(first, last + 1):
            out.extend(self.block(s.body, {**env, s.name: value}, True))

    def _truth(self, condition: ast.Expr) -> bool:
        value = self._known(condition, "the condition")
        if not isinstance(value, bool):
            raise program_error(
                "E0316",
                condition.span,
                message="the condition is a number, not a bool",
                advice="compare it, as in `x != 0`",
            )
        return value

    def _integer(self, e: ast.Expr) -> int:
        value = self._known(e, "the range of the loop")
        if isinstance(value, bool) or not isinstance(value, int):
            raise program_error("E0304", e.span, dtype="float")
        return value

    def _known(self, e: ast.Expr, what: str) -> Number:
        if not self.is_closed(e):
            advice = "use numbers, constants and `training`"
            raise program_error("E0312", e.span, what=what, advice=advice, because=self._why(e))
        return (self.decided or self.constant)(e)

    def _why(self, e: ast.Expr) -> list[str | tuple[str, Span]]:
        """The first name in `e` without a value, or what its own definition lacks."""
        missing = self._missing(e)
        found = self.waiting.get(missing or "")
        deeper = found and self._missing(found.body)
        if found is None or deeper is None:
            return [] if missing is None else [f"`{missing}` has no value"]
        return [(f"`{missing}` needs `{deeper}`, which has no value", found.span)]

    def _missing(self, e: ast.Expr) -> str | None:
        parts = (n for n in ast.nodes(e) if isinstance(n, ast.Name | ast.Access))
        return next((n.name for n in parts if not self.is_closed(ast.Name(n.name, n.span))), None)

    def _value(self, e: ast.Expr) -> Value:
        if isinstance(e, ast.Table):
            return tuple(self.constant(item) for item in e.items)
        return self.constant(e)

    def _quantifier(self, s: ast.Quantifier, env: dict[str, Value], local: bool, out: list[ast.Statement]) -> None:
        if s.equation is None:
            raise program_error("E0109", s.span, what="for", wanted="the equation it is about, on the next line")
        left = {n.name for sub in s.equation.subscripts or () for n in ast.nodes(sub) if isinstance(n, ast.Name)}
        odd = next((n for n in s.names if n.name not in left and not n.name[0].isupper()), None)
        if odd is not None:
            raise program_error(
                "E0302",
                odd.span,
                index=odd.name,
                advice=f"put `{odd.name}` on the left side, or drop it from the `for`",
            )
        self._statement(replace(s.equation, ranges=s.ranges), env, local, out)

    def _resolve(self, name: str, span: Span, env: Mapping[str, Value]) -> str:
        return computed_name(name, span, env, lambda e: self._integer(filled(e, env, self._resolve)))


def computed_name(name: str, span: Span, env: Mapping[str, Value], integer: Callable[[ast.Expr], int]) -> str:
    """`L_{l+1}` → `L_2` where l is 1; `L_{b,l}` and `L_{b}_{l}` → `L_3_1`."""
    out, rest, offset = "", name, span.start
    while "_{" in rest:
        before, _, after = rest.partition("_{")
        inner, _, following = after.partition("}")
        out, offset = out + before, offset + len(before) + 2
        for part in inner.split(","):
            out += f"_{integer(parse_expression(span.source, offset, part))}"
            offset += len(part) + 1
        rest = following
    return out + rest


Resolve = Callable[[str, Span, Mapping[str, Value]], str]


def filled(node: Node, env: Mapping[str, Value], resolve: Resolve) -> Node:
    """A statement or expression with constants of `env` as numbers, and computed names spelled out.

    Raises E0412 for an item that a table does not have, and what `resolve` raises.
    """

    def rule(n: object) -> object:
        match n:
            case ast.Name(name=name, span=span):
                if name in env and not isinstance(env[name], tuple):
                    return known(env[name], span)
                return replace(n, name=resolve(name, span, env)) if "_{" in name else n
            case ast.Access(name=name, subscripts=(item,), span=span) if isinstance(env.get(name), tuple):
                table = env[name]
                assert isinstance(table, tuple)
                at = _position(item)
                if at is not None and 0 <= at < len(table):
                    return known(table[at], span)
                raise program_error(
                    "E0412",
                    span,
                    subscript=item.span.text,
                    axis=0,
                    tensor=name,
                    witness=f"the table has {len(table)} items",
                    advice="count from 0",
                )
            case ast.Access(name=name, name_span=span) if "_{" in name:
                return replace(n, name=resolve(name, span, env))
            case ast.Equation(name=name, left_span=span) if "_{" in name:
                return replace(n, name=resolve(name, span, env))
            case ast.Input() | ast.Param() | ast.State() | ast.Declaration() if "_{" in n.name:
                return replace(n, name=resolve(n.name, n.name_span, env))
            case _:
                return n

    return rewritten(node, rule)


def _position(e: ast.Subscript) -> int | None:
    """The value of a subscript into a table: `l-1` with the number of the turn for l."""
    match e:
        case ast.Number(value=int(value)):
            return value
        case ast.Unary(op="-", operand=operand):
            a = _position(operand)
            return None if a is None else -a
        case ast.Binary(op="+" | "-" | "*" | "//" | "%" as op, left=left, right=right):
            a, b = _position(left), _position(right)
            if a is None or b is None or (op in ("//", "%") and b == 0):
                return None
            return {"+": a + b, "-": a - b, "*": a * b}[op] if op in "+-*" else a // b if op == "//" else a % b
        case _:
            return None


def known(value: "Value | Extent", span: Span) -> ast.Expr:
    """A constant as syntax. (An extent that is not known yet may stand there as well.)"""
    return ast.Number(value, span)  # type: ignore[arg-type]


__all__ = ["Size", "Unrolling", "computed_name", "filled", "known"]
