"""The tables of the parser are those of the grammars, and the parser takes what lark takes, and expects what it expects."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from bad_programs import BAD
from cases import CASES
from lark import Lark, Token
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from indexlang.grammar import generate
from indexlang.syntax import lexer
from indexlang.syntax.lalr import Parser, Unexpected, parser
from indexlang.syntax.tree import Tree
from indexlang.text.diagnostics import ProgramError
from indexlang.text.source import Source

TEXTS = [case.text for case in CASES] + [b.text for b in BAD if isinstance(b.text, str) and len(b.text) < 500]


@pytest.mark.parametrize("name", generate.GRAMMARS)
def test_tables_are_up_to_date(name: str) -> None:
    written = (generate.HERE / name).read_text(encoding="utf-8")
    assert written == generate.tables(name), "run `python grammar/generate.py`"


class Tokens(Lexer):
    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # pyright: ignore[reportIncompatibleMethodOverride]
        for token in data.text if hasattr(data, "text") else data:
            yield Token(token.kind, token.text)


@cache
def larks() -> Lark:
    text = (generate.HERE / "indexlang.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer=Tokens, start="start")


@cache
def ours() -> Parser:
    return parser("indexlang.json", Tree())


def expected(tokens: tuple[lexer.Token, ...]) -> set[str] | None:
    try:
        larks().parse(tokens)  # pyright: ignore[reportArgumentType]
    except UnexpectedToken as error:
        return set(error.accepts or ())
    return None


def accepted(tokens: tuple[lexer.Token, ...]) -> set[str] | None:
    try:
        ours().parse(tokens)
    except Unexpected as error:
        return error.accepted
    except ProgramError:  # of the tree: the text is in the language of the grammar
        return None
    return None


def test_the_parser_does_what_lark_does() -> None:
    """Every statement of the tables, whole, cut at each token, and with each token left out."""
    seen: set[tuple[str, ...]] = set()
    for text in TEXTS[::3]:
        for line in lexer.lines(Source("<text>", text))[0]:
            tokens = lexer.with_derivatives(lexer.with_keywords(line.tokens))
            for n in range(len(tokens) + 1):
                for some in (tokens[:n], tokens[:n] + tokens[n + 1 :]):
                    kinds = tuple(t.kind for t in some)
                    if kinds not in seen and len(kinds) < 60:
                        seen.add(kinds)
                        assert accepted(some) == expected(some), kinds
    assert len(seen) > 1000
