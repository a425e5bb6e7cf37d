# pyright: reportUnknownVariableType=false
"""LaTeX → the same syntax tree as that of the notation, with places in the LaTeX."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TypeVar

from indexlang.syntax import ast, lexer
from indexlang.syntax.blocks import Item, assembled
from indexlang.syntax.lalr import Parser, parser
from indexlang.syntax.latex import words
from indexlang.syntax.latex.names import flat as _flat
from indexlang.syntax.latex.names import plainly_named
from indexlang.syntax.latex.read import Reader
from indexlang.syntax.latex.rows import SIGNS, Statement
from indexlang.syntax.latex.scan import declarations, formulas, pieces, plain
from indexlang.syntax.latex.tree import LatexTree
from indexlang.syntax.lexer import Token
from indexlang.syntax.parse import MAX_STATEMENTS, parsed, statement
from indexlang.syntax.tree import Head
from indexlang.text.diagnostics import Diagnostic, ProgramError, Severity, diagnostic
from indexlang.text.source import MAX_TEXT, NOWHERE, Source, Span

_LETTER = r"(\\Delta\s*[a-z]|\\?[a-z]+'*)"
_INDEX = re.compile(
    rf"[\[,(]\s*{_LETTER}(?=\s*[],)}}])|{{\s*{_LETTER}(?=\s*,)|\\(?:sum|prod|max|min)\w*_(?:{{\s*)?{_LETTER}"
)
_RUN = re.compile(r"_\{([a-z]{2,})\}")
MAX_FORMULAS = 150_000  # characters; the formulas of a lecture have a tenth of that
_NEED_NO_SIGN = ("FOR", "IF", "ELSE", *words.DECLARED.values())
_OPENS = ("LPAR", "LSQB", "SUBSCRIPT", "FLOOR", *lexer.OPENS_IN_LATEX)
_CLOSES = ("RPAR", "RSQB", "RBRACE", "RFLOOR", *lexer.CLOSES_IN_LATEX)

Placed = TypeVar("Placed", Token, Diagnostic)


def parse_latex(source: Source) -> tuple[ast.Module, list[Diagnostic]]:
    """The tree of the formulas of a text, and everything that is to be said of them, warnings included.

    What is no equation is left out with a warning; a text without any is an error. Cost: linear in the text.
    """
    if len(source.text) > MAX_TEXT:
        return ast.Module(()), [diagnostic("E0003", size=len(source.text), limit=MAX_TEXT)]
    if hidden := list(lexer.hidden(source)):
        return ast.Module(()), hidden
    lines, found = lexer.lines(declarations(source))
    gathered = _Gathered(found=[_at_home(d, source) for d in found])
    for line in lines:
        line = replace(line, tokens=tuple(_at_home(t, source) for t in line.tokens))
        gathered.add(None if line.is_broken else partial(statement, line), line.tokens, line.column)
    gathered.columns.clear()
    found_formulas = list(formulas(source.text))
    if len(found_formulas) > MAX_STATEMENTS:
        place = Span(source, *found_formulas[MAX_STATEMENTS])
        return ast.Module(()), [diagnostic("E0903", place, limit=MAX_STATEMENTS)]
    if sum(stop - start for start, stop in found_formulas) > MAX_FORMULAS:
        advice = "leave formulas out, or split the text"
        what = "characters in formulas"
        return ast.Module(()), [
            diagnostic("E0905", Span(source, *found_formulas[0]), limit=MAX_FORMULAS, what=what, advice=advice)
        ]
    for formula in _formulas(source, found_formulas):
        gathered.found += formula.found
        if formula.is_broken:
            gathered.add(None, formula.tokens, formula.indent)
        elif tokens := _equation(formula.tokens, gathered.found):
            gathered.add(partial(parsed, tokens, _parser()), tokens, formula.indent)
    return gathered.module(source), sorted(gathered.found, key=lambda d: d.span.start)


def _at_home(item: Placed, source: Source) -> Placed:
    """A token or message of the declarations, with its place in the whole text."""
    return replace(item, span=Span(source, item.span.start, item.span.end))


@dataclass
class _Gathered:
    """What has been read so far: the statements with the depth they stand at, None for those with mistakes."""

    items: list[Item] = field(default_factory=list[Item])
    spans: list[Span] = field(default_factory=list[Span])
    columns: list[int] = field(default_factory=list[int])  # of the blocks around here
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    broken: set[str] = field(default_factory=set[str])

    def add(self, parse: Callable[[], ast.Statement | Head] | None, tokens: Sequence[Token], column: int) -> None:
        """Keep a statement; nothing is said of uses of what one with a mistake was to define."""
        made = None
        try:
            made = parse() if parse is not None else None
        except ProgramError as error:
            self.found += error.diagnostics
        if made is None:
            self.broken.add(_flat(next((t.text for t in tokens if t.kind == "NAME"), ""), frozenset()))
        self.items.append((self._depth(column), made))
        self.spans.append(tokens[0].span if tokens else NOWHERE)

    def _depth(self, column: int) -> int:
        """How many blocks stand around a row. Only what stands under a head is deeper: elsewhere spaces mean nothing."""
        under_head = bool(self.items) and isinstance(self.items[-1][1], Head)
        while len(self.columns) > 1 and column < self.columns[-1]:
            self.columns.pop()
        if not self.columns or (under_head and column > self.columns[-1]):
            self.columns.append(column)
        return len(self.columns)

    def module(self, source: Source) -> ast.Module:
        if not self.items and not any(d.severity is Severity.ERROR for d in self.found):
            self.found.append(diagnostic("E0122", Span(source, 0, 1)))
        statements, misplaced, incomplete = assembled(self.items, self.spans)
        self.found += misplaced
        unknown: set[str] = {""} if misplaced else set()
        broken = self.broken | incomplete | unknown
        parts = (node for s in statements for node in ast.nodes(s))
        declares = any(isinstance(node, ast.Input | ast.Param) for node in parts)
        return ast.Module(plainly_named(statements), frozenset(broken), declares)


@cache
def _parser() -> Parser:
    return parser("latex.json", LatexTree())


def _formulas(source: Source, found: list[tuple[int, int]]) -> list[Statement]:
    indices = [_indices(source.text[start:stop]) for start, stop in found]
    return Reader(plain(pieces(source, found)), indices).read()


def _indices(text: str) -> frozenset[str]:
    """Letters that stand in lists of subscripts or under a sum. `\\ell` counts layers: it is none.

    Where no square bracket stands, subscripts are written `A_{ij}`: an index is a single letter.
    """
    found = {next(filter(None, m.groups())) for m in _INDEX.finditer(text)} - {"\\ell"}
    if "[" not in text:
        found = {letter for run in found for letter in (run if run.isalpha() else [run])}
        runs = _RUN.findall(text)
        while more := {c for run in runs if found & set(run) for c in run} - found:
            found |= more
    names = (n.replace("\\Delta", "Δ").replace(" ", "").lstrip("\\") for n in found)
    return frozenset(words.LETTERS.get(n, n) for n in names)


def _equation(tokens: list[Token], found: list[Diagnostic]) -> tuple[Token, ...]:
    """The tokens of an equation with one right side; () and a warning for what is none."""
    if not tokens:
        return ()
    outside = _outside_brackets(tokens)
    signs = [at for at in outside if tokens[at].kind in SIGNS]
    reason = _not_an_equation(tokens, outside, signs)
    if reason:
        found.append(diagnostic("W0101", tokens[0].span.to(tokens[-1].span), reason=reason))
        return ()
    if tokens[0].kind == "NAME" and _is_head(tokens, signs):
        start = tokens[0].span
        return (Token("DEF", "def", Span(start.source, start.start, start.start)), *tokens)
    if len(signs) > 1 and tokens[signs[1]].kind == "EQUALS":
        place = tokens[signs[1]].span.to(tokens[-1].span)
        found.append(diagnostic("W0103", place, because=[("the first right side", tokens[signs[0]].span)]))
        return tuple(tokens[: signs[1]])
    return tuple(tokens)


def _not_an_equation(tokens: list[Token], outside: list[int], signs: list[int]) -> str:
    relation = next((tokens[at] for at in outside if tokens[at].kind == "RELATION"), None)
    if relation is not None:
        return f"`{relation.span.text}` defines nothing"
    if not signs and tokens[0].kind not in _NEED_NO_SIGN:
        return "it has no `=`"
    return ""


def _is_head(tokens: list[Token], signs: list[int]) -> bool:
    """Whether `F(x) = …` says what a function is."""
    return bool(signs) and tokens[1].kind == "LPAR" and _closing(tokens, 1) == signs[0] - 1


def _closing(tokens: list[Token], at: int) -> int:
    """The place of the token that closes the bracket at a place."""
    depth = 0
    for here in range(at, len(tokens)):
        depth += (tokens[here].kind in _OPENS) - (tokens[here].kind in _CLOSES)
        if depth == 0:
            return here
    return len(tokens)


def _outside_brackets(tokens: list[Token]) -> list[int]:
    """The places of the tokens that stand in no bracket."""
    out: list[int] = []
    depth = 0
    for at, token in enumerate(tokens):
        depth -= token.kind in _CLOSES
        if depth == 0:
            out.append(at)
        depth += token.kind in _OPENS
    return out
