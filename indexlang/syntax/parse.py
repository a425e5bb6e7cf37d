# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
"""Tokens → syntax tree, one statement at a time, so that one broken line costs one message."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from indexlang.syntax import ast, lexer, mistakes
from indexlang.syntax.blocks import assembled
from indexlang.syntax.lalr import Parser, Unexpected, parser
from indexlang.syntax.tree import Head, Tree
from indexlang.text.diagnostics import Diagnostic, ProgramError, diagnostic, program_error
from indexlang.text.source import MAX_TEXT, Source, Span

MAX_DEPTH = 200
MAX_STATEMENTS = 6_000
"""Of a program. The longest that we know, DenseNet-201 in training with every call spelled out, has 3,325; each takes a
quarter of a millisecond or more to check."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How many items a node may have."""

    items: str
    limit: int
    what: str
    advice: str


BOUNDS = (
    Bound("subscripts", 64, "subscripts", "take fewer axes: arrays have at most 64"),
    Bound("axes", 64, "axes", "take fewer axes: arrays have at most 64"),
    Bound("binders", 64, "indices of a reduction", "reduce in steps, with an equation for each"),
    Bound("operands", 100, "comparisons in a chain", "compare in steps, or with `all`"),
    Bound("parts", 1000, "joined vectors", "join in steps, with an equation for each"),
    Bound("args", 1000, "arguments", "give fewer arguments"),
)


def parse(source: Source) -> tuple[ast.Module, list[Diagnostic]]:
    """The syntax tree of a text, and every mistake that is one of syntax.

    Statements with mistakes are left out of the tree. Cost: linear in the text.
    """
    if len(source.text) > MAX_TEXT:
        return ast.Module(()), [diagnostic("E0003", size=len(source.text), limit=MAX_TEXT)]
    lines, found = lexer.lines(source)
    if len(lines) > MAX_STATEMENTS:
        place = lines[MAX_STATEMENTS].tokens[0].span
        return ast.Module(()), [diagnostic("E0903", place, limit=MAX_STATEMENTS)]
    items: list[tuple[int, ast.Statement | Head | None]] = []  # None: a statement with a mistake
    broken: set[str] = set()
    declares = False
    for line in lines:
        declares = declares or line.tokens[0].kind in ("INPUT", "PARAM")
        item: ast.Statement | Head | None = None
        try:
            if not line.is_broken:
                item = statement(line)
        except ProgramError as error:
            found.extend(error.diagnostics)
        if item is None:
            broken |= _heads(line)
        items.append((line.column, item))
    statements, misplaced, incomplete = assembled(items, [line.tokens[0].span for line in lines])
    broken |= incomplete | ({""} if misplaced else set())
    return ast.Module(statements, frozenset(broken), declares), [*found, *misplaced]


_DECLARE = ("INPUT", "PARAM", "STATE", "TENSOR")
# What stands behind one of these in a declaration is a dtype or a value.
_NO_HEAD = {"COLON", "TILDE", "EQUALS", "FROM", "PLUS", "MINUS", "MULTIPLY", "POWER"}


def _heads(line: lexer.Line) -> set[str]:
    """What a statement with a mistake was to define: its first name, and others of a list (`param W, V`, `W, V = 3`)."""
    declares = line.tokens[0].kind in _DECLARE
    found = [next((t.text for t in line.tokens if t.kind == "NAME"), "")]
    depth, before = 0, ""
    for token in line.tokens:
        depth += lexer.nesting(token)
        if token.kind == "EQUALS" and not declares:
            break
        follows = before in ("COMMA", "SEMICOLON", "NAME") or (declares and before not in _NO_HEAD)
        if token.kind == "NAME" and depth == 0 and follows:
            found.append(token.text)
        before = token.kind
    return set(found)


@lru_cache(maxsize=4096)  # a loop computes the same names in every turn
def parse_expression(source: Source, offset: int, text: str) -> ast.Expr:
    """The expression inside a computed name (`L_{l+1}`), with its place in the source. Raises E0101."""
    inside, found = lexer.lines(Source(source.name, " " * offset + "x = " + text))
    if found or len(inside) != 1:
        raise program_error(
            "E0101", Span(source, offset, offset + len(text)), found=f"`{text}`", expected="a constant expression"
        )
    equation = statement(inside[0])
    assert isinstance(equation, ast.Equation)
    return equation.body


def statement(line: lexer.Line) -> ast.Statement | Head:
    """The tree of one line, or the first line of a block. Raises ProgramError."""
    return parsed(line.tokens, _parser())


def parsed(tokens: tuple[lexer.Token, ...], by: Parser) -> ast.Statement | Head:
    """The tree of the tokens of one statement. Raises ProgramError."""
    conditions = [t for t in tokens if t.kind in ("IF", "NOT")]
    if len(conditions) > MAX_DEPTH:  # each nests in the one before: not worth parsing
        raise program_error("E0106", conditions[MAX_DEPTH].span, limit=MAX_DEPTH)
    tokens = lexer.with_derivatives(lexer.with_keywords(tokens))
    try:
        found = by.parse(tokens)
    except Unexpected as error:
        raise ProgramError([mistakes.explain(error, tokens)]) from None
    if len(tokens) > min(bound.limit for bound in BOUNDS):  # a level needs a token at least, and so does an item
        _check_bounds(found)
    return found


@cache
def _parser() -> Parser:
    return parser("indexlang.json", Tree())


def _check_bounds(statement: Any) -> None:
    """Refuse trees that are nested too deeply, or too wide, without recursing into them."""
    level: list[Any] = [statement]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise program_error("E0106", level[0].span, limit=MAX_DEPTH)
        for node in level:
            for bound in BOUNDS:
                items = getattr(node, bound.items, None)
                if isinstance(items, tuple) and len(items) > bound.limit:  # pyright: ignore[reportUnknownArgumentType]
                    raise program_error("E0905", node.span, limit=bound.limit, what=bound.what, advice=bound.advice)
        level = [child for node in level for child in ast.children(node)]
