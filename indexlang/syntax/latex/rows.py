"""The tokens of a statement as they come: brackets, products without a sign, where a statement ends."""

from dataclasses import dataclass, field

from indexlang.syntax import lexer
from indexlang.syntax.latex.cursor import Cursor
from indexlang.syntax.latex.scan import Piece
from indexlang.syntax.lexer import Token
from indexlang.text.diagnostics import Diagnostic, diagnostic, program_error
from indexlang.text.source import Span

_ENDS = {"NAME", "NUMBER", "RPAR", "RSQB", "RBRACE", "RFLOOR", "RABS", "ENDCASES"}
_STARTS = {"NAME", "NUMBER", "LPAR", "LBRACE", "FRACTION", "CASES", "FLOOR", "ROOT", "ABS", "EULER", "FUNCTION",
           "REDUCE"}  # fmt: skip
CLOSER = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE", "SUBSCRIPT": "RBRACE", "FLOOR": "RFLOOR", "ABS": "RABS",
           "CASES": "ENDCASES"}  # fmt: skip
SIGNS = ("EQUALS", "PLUSEQUALS", "ARROW", "TILDE")  # what an equation has one of
_GOES_ON = {"EQUALS", "PLUS", "MINUS", "MULTIPLY", "SEMICOLON", "COMPARE", "COMMA", "AND", "OR", "POWER"}


@dataclass(slots=True)
class Statement:
    """The tokens of one statement, and what is to be said of it; `indent` counts the wide spaces before it."""

    tokens: list[Token] = field(default_factory=list[Token])
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    is_broken: bool = False
    indent: int = 0
    kinds: set[str] = field(default_factory=set[str])  # of its tokens


@dataclass(slots=True)
class Open:
    """A bracket that is open: its token's kind, place in the statement and span."""

    kind: str
    at: int
    span: Span


class Rows(Cursor):
    """Puts tokens together to statements."""

    def __init__(self, pieces: list[Piece], indices: list[frozenset[str]]) -> None:
        super().__init__(pieces, indices)
        self.statements: list[Statement] = []
        self.now = Statement()
        self.opened: list[Open] = []
        self._rest = (0, -1)  # the last places that held nothing but spaces and full stops, and the one behind them
        self.row_ended = False  # the statement is over, unless the next token goes on with it
        self.is_apart = False  # what comes next is no factor of what stands before
        self.after_space = False  # a wide space stands behind the last token
        self.after_word = False  # the last token is a word of \text{…}
        self.indent: int | None = 0  # wide spaces since the row began; None behind its first token

    def push(self, kind: str, text: str, span: Span) -> None:
        """A token; `*` is put before it where two factors stand side by side."""
        if self.row_ended:
            self.row_ended = False
            tokens = self.now.tokens
            if tokens and kind not in _GOES_ON and tokens[-1].kind not in _GOES_ON:
                self.finish()
        if not self.now.tokens:
            self.now.indent = self.indent or 0
        self.indent = None
        if kind in _STARTS and self._multiplies(kind):
            sign = ("COMMA", ",") if self.is_letterwise else ("MULTIPLY", "*")
            self.now.tokens.append(Token(*sign, Span(span.source, span.start, span.start)))
        self.now.tokens.append(Token(kind, text, span))
        self.now.kinds.add(kind)
        self.is_apart = self.after_word = self.after_space = False

    def _multiplies(self, kind: str) -> bool:
        tokens = self.now.tokens
        if self.is_apart or not tokens or tokens[-1].kind not in _ENDS:
            return False
        if tokens[0].kind == "FOR" and all(t.kind in ("FOR", "NAME", "COMMA") for t in tokens):
            return False
        last = tokens[-1]
        if last.kind == "NAME" and kind == "LPAR":
            return last.text in self.indices and not self.after_word
        in_call = len(tokens) > 1 and tokens[-2].kind in ("LPAR", "COMMA") and bool(self.opened)
        return not (self.after_word and in_call and self.opened[-1].kind == "LPAR")

    def finish(self) -> None:
        """End the statement."""
        self.drop_comma()
        if self.opened:
            opened = self.opened[-1]
            said = f"`{opened.span.text}` is never closed"
            advice = "write its other half where it ends"
            self.now.found.append(diagnostic("E0104", opened.span, message=said, advice=advice))
            self.now.is_broken = True
            self.opened.clear()
        if self.now.tokens or self.now.found:
            self.statements.append(self.now)
        self.now = Statement()
        self.row_ended = self.is_apart = False

    def drop_comma(self) -> None:
        """A comma at the end of a row belongs to the prose around the formula."""
        while self.now.tokens and self.now.tokens[-1].kind == "COMMA":
            self.now.tokens.pop()

    def at_row_end(self) -> bool:
        """Whether nothing but spaces and a full stop follows in this row."""
        if not self._rest[0] <= self.at <= self._rest[1]:
            at = self.at
            while self.pieces[at].kind in ("space", "newline") or self.pieces[at].text in (".", ","):
                at += 1
            self._rest = (self.at, at)
        piece = self.pieces[self._rest[1]]
        return piece.kind == "end" or (piece.kind == "command" and piece.text in ("\\", "end"))

    def open(self, kind: str, text: str, span: Span) -> None:
        """Begin a bracket or an environment. Raises ProgramError E0106 where too many are open."""
        if len(self.opened) >= lexer.MAX_NESTING:
            raise program_error("E0106", span, limit=lexer.MAX_NESTING)
        self.push(kind, text, span)
        self.opened.append(Open(kind, len(self.now.tokens) - 1, span))

    def close(self, kind: str, span: Span) -> None:
        """Close a bracket. Raises E0104 where it closes nothing, or another one.

        Two slips of the pen are taken with a warning: `A(i]`, and one `)` too many at the end.
        """
        if not self.opened and self.at_row_end():
            self.now.found.append(diagnostic("W0102", span, message=f"`{span.text}` closes nothing and is left out"))
            return
        if not self.opened:
            raise program_error("E0104", span, message=f"`{span.text}` closes nothing", advice="delete it")
        start = self.opened.pop()
        if kind == "RSQB" and start.kind == "LPAR" and start.at and self.now.tokens[start.at - 1].kind == "NAME":
            self.now.tokens[start.at] = Token("LSQB", "[", start.span)
            said = "`(` is closed by `]` and is read as `[`"
            self.now.found.append(diagnostic("W0102", start.span, message=said))
        elif CLOSER[start.kind] != kind:
            self.opened.append(start)
            said = f"`{span.text}` does not close `{start.span.text}`"
            raise program_error("E0104", span, message=said, advice="close the brackets in the order they were opened",
                                because=[(f"`{start.span.text}` was opened here", start.span)])  # fmt: skip
        self.is_apart = True
        self.push(kind, span.text, span)
