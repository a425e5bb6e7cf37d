"""Braces as tokens: what a command or a script takes, and the places of a list of subscripts."""

from abc import ABC, abstractmethod

from indexlang.syntax import lexer
from indexlang.syntax.latex.cursor import Name
from indexlang.syntax.latex.rows import Open, Rows
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.source import Span


class Groups(Rows, ABC):
    """Reads what stands in braces."""

    @abstractmethod
    def read_piece(self) -> None:
        """Read the piece here, and what belongs to it."""

    def _named(self, name: Name) -> None:
        self.push("NAME", name.text, name.span)
        if name.subscripts is None:
            return
        start, stop = name.subscripts
        self._inside(start, stop, "LSQB", "RSQB")

    def _inside(self, start: int, stop: int, opener: str, closer: str) -> None:
        """Read a group that has been passed, between two tokens."""
        if len(self.opened) >= lexer.MAX_NESTING:
            raise program_error("E0106", self.pieces[start].span, limit=lexer.MAX_NESTING)
        first, last = self.pieces[start], self.pieces[stop - 1]
        braced = first.text == "{" and first.kind == "symbol"
        self.push(opener, {"LSQB": "[", "SUBSCRIPT": "_{"}.get(opener, "{"), first.span)
        self.opened.append(Open(opener, len(self.now.tokens) - 1, first.span))
        self.is_letterwise = opener in ("LSQB", "SUBSCRIPT") and self._lists_letters(start, stop)
        self.at = start + braced
        while self.at < stop - braced:
            self.read_piece()
        self.at = stop
        if not self.opened or self.opened[-1].span != first.span:
            raise _unclosed(self.opened[-1].span if self.opened else first.span)
        self.opened.pop()
        self.is_apart, self.is_letterwise = True, False
        self.push(closer, {"RSQB": "]"}.get(closer, "}"), last.span)

    def _lists_letters(self, start: int, stop: int) -> bool:
        """`_{ij}` lists two indices, where `ij` is none itself."""
        inside = [p.text for p in self.pieces[start + 1 : stop - 1] if p.kind == "letter"]
        whole = "".join(inside)
        return len(inside) == stop - start - 2 > 1 and whole not in self.indices and set(whole) <= self.indices

    def _group(self, opener: str, closer: str) -> None:
        """Read the braces here, or the one piece in their place, between two tokens."""
        start = self.at
        while self.pieces[start].kind in ("newline", "space"):
            start += 1
        self.at = start
        if self.piece.kind == "end":
            raise program_error("E0102", self.piece.span, expected="`{`")
        stop = self.group_end() + self.sees("{")
        if self.piece.kind == "number" and len(self.piece.text) > 1 and opener == "LBRACE":
            raise program_error("E0120", self.piece.span, shown=self.piece.text, advice="put braces around the number")
        self._inside(start, stop, opener, closer)

    def _reduction(self, op: str, span: Span) -> None:
        self.push("REDUCE", op, span)
        if self.sees("_"):
            self.at += 1
            self._group("SUBSCRIPT", "RBRACE")
            self.is_apart = True
            if self.sees("^"):
                self._power()
                self.is_apart = True

    def _power(self) -> None:
        self.push("POWER", "^", self.next().span)
        if self.sees("{"):
            self._group("LBRACE", "RBRACE")


def _unclosed(span: Span) -> ProgramError:
    return program_error(
        "E0104", span, message=f"`{span.text}` is never closed", advice="write its other half where it ends"
    )
