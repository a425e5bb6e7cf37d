"""Tokens → syntax tree, one statement at a time, so that one broken line costs one message."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError
from lark.lexer import Lexer

from indexlang.syntax import ast, lexer, mistakes
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic, program_error
from indexlang.text.source import Source, Span

MAX_TEXT = 4_000_000
MAX_DEPTH = 200


def parse(source: Source) -> tuple[ast.Module, list[Diagnostic]]:
    """The syntax tree of a text, and every mistake that is one of syntax.

    Statements with mistakes are left out of the tree. Cost: linear in the text.
    """
    if len(source.text) > MAX_TEXT:
        return ast.Module(()), [diagnostic("E0003", size=len(source.text), limit=MAX_TEXT)]
    lines, found = lexer.lines(source)
    statements: list[ast.Statement] = []
    broken: set[str] = set()
    declares = False
    for line in lines:
        declares = declares or line.tokens[0].kind in ("INPUT", "PARAM")
        try:
            if line.is_broken:
                broken |= _heads(line)
            else:
                statements.append(_statement(line))
        except ProgramError as error:
            found.extend(error.diagnostics)
            broken |= _heads(line)
    return ast.Module(tuple(statements), frozenset(broken), declares), found


def _heads(line: lexer.Line) -> set[str]:
    """What a statement with a mistake was to define: its first name."""
    return {next((t.text for t in line.tokens if t.kind == "NAME"), "")}


def _statement(line: lexer.Line) -> ast.Statement:
    if line.column > 1:
        raise program_error("E0107", line.tokens[0].span)
    try:
        statement = _parser().parse(line.tokens)  # pyright: ignore[reportArgumentType]
    except UnexpectedInput as error:
        raise ProgramError([mistakes.explain(error, line.tokens)]) from None
    except VisitError as error:
        raise error.orig_exc from None
    _check_depth(statement)
    return statement  # pyright: ignore[reportReturnType]


@cache
def _parser() -> Lark:
    grammar = files("indexlang.grammar").joinpath("indexlang.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_Tokens, transformer=_Tree(), maybe_placeholders=True, start="start")


class _Tokens(Lexer):
    """Hands our own tokens to lark."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # pyright: ignore[reportIncompatibleMethodOverride]
        for token in data.text if hasattr(data, "text") else data:
            yield Token(token.kind, token)


def _span(token: Token) -> Span:
    return token.value.span


def _text(token: Token) -> str:
    return token.value.text


def _check_depth(statement: Any) -> None:
    """Refuse trees that are nested too deeply, without recursing into them."""
    level: list[Any] = [statement]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise program_error("E0106", level[0].span, limit=MAX_DEPTH)
        level = [child for node in level for child in _children(node)]


def _children(node: Any) -> Iterator[Any]:
    for name in node.__slots__:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (item for item in value if hasattr(item, "span"))
        elif hasattr(value, "span"):
            yield value


@v_args(inline=True)
class _Tree(Transformer[Token, Any]):
    """One method a grammar rule; the names of the rules are the names of the classes."""

    # -- statements

    def input(self, start: Token, name: Token, *rest: Any) -> ast.Input:
        axes, dtype, others = _declared(rest)
        path = next((t for t in others if isinstance(t, Token) and t.type == "STRING"), None)
        span = _span(start).to(_end(name, axes, dtype, path))
        return ast.Input(_text(name), _axes(axes), _dtype(dtype), _text(path) if path else None, span, _span(name))

    def param(self, start: Token, name: Token, *rest: Any) -> ast.Param:
        axes, dtype, others = _declared(rest)
        sign = next((i for i, t in enumerate(others) if isinstance(t, Token)), None)
        start_value = others[sign + 1] if sign is not None else None
        drawn = start_value if sign is not None and others[sign].type == "TILDE" else None
        value = start_value if drawn is None else None
        span = _span(start).to(_end(name, axes, dtype, start_value))
        return ast.Param(_text(name), _axes(axes), _dtype(dtype), drawn, value, span, _span(name))

    def declaration(self, start: Token, name: Token, *rest: Any) -> ast.Declaration:
        axes, dtype, _ = _declared(rest)
        span = _span(start).to(_end(name, axes, dtype))
        return ast.Declaration(_text(name), _axes(axes), _dtype(dtype), span, _span(name))

    def output(self, start: Token, *items: Token) -> ast.Output:
        found = tuple(ast.Name(_text(t), _span(t)) for t in items if t.type == "NAME")
        return ast.Output(found, _span(start).to(_span(items[-1])))

    def equation(self, left: ast.Expr, sign: Token, body: ast.Expr) -> ast.Equation:
        span = left.span.to(body.span)
        match left:
            case ast.Name(name=name):
                return ast.Equation(name, None, _text(sign), body, span, left.span)
            case ast.Access(name=name, subscripts=subscripts, border=None):
                return ast.Equation(name, subscripts, _text(sign), body, span, left.span)
            case _:
                raise program_error("E0108", left.span, what="this", sign=_text(sign))

    def axes(self, *items: Any) -> "_Axes":
        kept = tuple(item for item in items if item is not None and not isinstance(item, Token))
        return _Axes(kept, _span(items[0]).to(_span(items[-1])))

    def axis(self, item: ast.Subscript) -> ast.Subscript:
        return item

    def dtype(self, colon: Token, name: Token) -> "_Dtype":
        return _Dtype(_text(name), _span(name))

    def initialiser(self, name: Token, *rest: Any) -> ast.Name | ast.Call:
        if rest[0] is None:
            return ast.Name(_text(name), _span(name))
        return self.call(name, *rest)

    # -- expressions

    def conditional(self, value: ast.Expr, _if: Token, condition: ast.Expr, _else: Token, other: ast.Expr) -> ast.Expr:
        return ast.Conditional(value, condition, other, value.span.to(other.span))

    def binary(self, left: ast.Expr, op: Token, right: ast.Expr) -> ast.Expr:
        return ast.Binary(_text(op), left, right, left.span.to(right.span))

    def juxtaposed(self, left: ast.Expr, right: ast.Expr) -> ast.Expr:
        return ast.Binary("*", left, right, left.span.to(right.span))

    def unary(self, op: Token, operand: ast.Expr) -> ast.Expr:
        return ast.Unary(_text(op), operand, _span(op).to(operand.span))

    def root(self, op: Token, operand: ast.Expr) -> ast.Expr:
        return ast.Call("sqrt", (operand,), _span(op).to(operand.span), _span(op))

    def floor(self, op: Token, operand: ast.Expr, end: Token) -> ast.Expr:
        return ast.Call("floor", (operand,), _span(op).to(_span(end)), _span(op))

    def comparison(self, *items: Any) -> ast.Expr:
        ops = tuple(_text(t) for t in items[1::2])
        return ast.Comparison(ops, tuple(items[0::2]), items[0].span.to(items[-1].span))

    def reduction(self, op: Token, *rest: Any) -> ast.Expr:
        binders = rest[0] if len(rest) == 2 else None
        return ast.Reduction(_text(op), binders, rest[-1], _span(op).to(rest[-1].span), _span(op))

    def binders(self, *items: Any) -> tuple[ast.Binder, ...]:
        flat: list[ast.Binder] = []
        for item in items:
            flat.extend(item if isinstance(item, tuple) else () if isinstance(item, Token) else (item,))
        return tuple(flat)

    binder_group = binders

    def binder(self, name: Token, _colon: Token | None, extent: ast.Expr | None) -> ast.Binder:
        return ast.Binder(_text(name), extent, _span(name).to(extent.span) if extent else _span(name))

    def number(self, token: Token) -> ast.Expr:
        text = _text(token)
        value = float(text) if any(c in text for c in ".eE") else int(text)
        return ast.Number(value, _span(token))

    def name(self, token: Token) -> ast.Expr:
        return ast.Name(_text(token), _span(token))

    def parens(self, start: Token, inner: ast.Expr, end: Token) -> ast.Expr:
        return inner

    def call(self, name: Token, *rest: Any) -> ast.Call:
        args = tuple(item for item in rest if item is not None and not isinstance(item, Token))
        return ast.Call(_text(name), args, _span(name).to(_span(rest[-1])), _span(name))

    def table(self, *items: Any) -> ast.Expr:
        kept = tuple(item for item in items if item is not None and not isinstance(item, Token))
        return ast.Table(kept, _span(items[0]).to(_span(items[-1])))

    def access(self, name: Token, *rest: Any) -> ast.Expr:
        border = next((rest[i + 1] for i, t in enumerate(rest) if isinstance(t, Token) and t.type == "ELSE"), None)
        items = tuple(item for item in rest if item is not None and not isinstance(item, Token))
        subscripts = items[:-1] if border is not None else items
        return ast.Access(_text(name), subscripts, border, _span(name).to(_span(rest[-1])), _span(name))

    def ranged(self, index: ast.Expr, _colon: Token, extent: ast.Expr) -> ast.Subscript:
        return ast.Ranged(index, extent, index.span.to(extent.span))

    def group(self, *items: Any) -> ast.Subscript:
        kept = tuple(item for item in items if not isinstance(item, Token))
        return ast.Group(kept, _span(items[0]).to(_span(items[-1])))


class _Axes:
    __slots__ = ("items", "span")

    def __init__(self, items: tuple[ast.Subscript, ...], span: Span) -> None:
        self.items = items
        self.span = span


class _Dtype:
    __slots__ = ("name", "span")

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span


def _declared(rest: tuple[Any, ...]) -> tuple[_Axes | None, _Dtype | None, list[Any]]:
    axes = next((item for item in rest if isinstance(item, _Axes)), None)
    dtype = next((item for item in rest if isinstance(item, _Dtype)), None)
    others = [item for item in rest if item is not None and not isinstance(item, _Axes | _Dtype)]
    return axes, dtype, others


def _axes(axes: _Axes | None) -> tuple[ast.Subscript, ...]:
    return axes.items if axes else ()


def _dtype(dtype: _Dtype | None) -> str:
    return dtype.name if dtype else "float"


def _end(*items: Any) -> Span:
    last = next(item for item in reversed(items) if item is not None)
    return _span(last) if isinstance(last, Token) else last.span
