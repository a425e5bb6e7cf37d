"""Commands: signs, fractions, sums, environments, and the words in `\\text{…}`."""

import re

from indexlang.syntax import lexer
from indexlang.syntax.latex import spell, words
from indexlang.syntax.latex.groups import Groups
from indexlang.syntax.latex.rows import CLOSER
from indexlang.syntax.latex.scan import Piece
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import nearest
from indexlang.text.source import Span

_WORD = re.compile(r"[^\W\d][\w\u0300-\u036f]*'*")


class Commands(Groups):
    """Reads what begins with a backslash."""

    def _command(self, piece: Piece) -> None:
        text, span = piece.text, piece.span
        if text in words.SIGNS:
            self._sign(piece)
        elif text in words.REDUCTIONS:
            self._reduction(words.REDUCTIONS[text], span)
        elif text == "arg" and self.ahead().text in ("max", "min"):
            self._reduction("arg" + self.next().text, span.to(self.pieces[self.at - 1].span))
        elif text in words.FUNCTIONS:
            self.push("NAME" if self.ahead().text == "(" else "FUNCTION", words.FUNCTIONS[text], span)
        elif text in words.TEXTS:
            self._text(piece)
        elif text == "\\":
            self._row_end(span)
        elif text in ("begin", "end"):
            self._environment(piece)
        elif text in ("frac", "dfrac", "tfrac"):
            self.push("FRACTION", "/", span)
            for _ in range(2):
                self.is_apart = True
                self._group("LBRACE", "RBRACE")
        elif text == "sqrt":
            self.push("ROOT", "sqrt", span)
            self._group("LBRACE", "RBRACE")
        elif text in words.DOTS:
            self._dots(span)
        else:
            raise _meaningless(piece)

    def _dots(self, span: Span) -> None:
        """The dots of `\\text{for } l = 1, \\ldots, 3:` and of an axis pack `I\\ldots`; all others leave something out."""
        tokens = self.now.tokens
        if len(tokens) > 3 and tokens[0].kind == "FOR" and tokens[-1].kind == "COMMA" and not self.opened:
            tokens.pop()
            self.push("RANGE", "..", span)
            self.at += self.sees(",")
        elif tokens and tokens[-1].kind == "NAME" and self.opened and self.ahead().text in (",", "]", ")", "text"):
            self.push("ELLIPSIS", "...", span)
        else:
            raise program_error("E0121", span, shown=span.text)

    def _sign(self, piece: Piece) -> None:
        kind, text = words.SIGNS[piece.text]
        if piece.text == "times" and self.opened and self.opened[-1].kind == "LSQB":
            inside = self.now.tokens[self.opened[-1].at + 1 :]
            if all(t.kind in ("NUMBER", "NAME") or t.span.text == "\\times" for t in inside):
                kind, text = "COMMA", ","  # extents: [55 × 55 × 96]
        if kind in CLOSER:
            self.open(kind, text, piece.span)
        elif kind in CLOSER.values():
            self.close(kind, piece.span)
        else:
            self.push(kind, text, piece.span)

    def _environment(self, piece: Piece) -> None:
        start, stop = self.at, self.group_end()
        name = "".join(p.text for p in self.pieces[start + 1 : stop])
        self.at = stop + 1
        if name == "cases" and piece.text == "begin":
            self.open("CASES", "{", piece.span)
        elif name == "cases":
            self._end_cases(piece.span.to(self.pieces[self.at - 1].span))
        elif name.rstrip("*") not in words.ENVIRONMENTS:
            raise program_error(
                "E0120", piece.span, shown=f"\\begin{{{name}}}", advice="write plain formulas, or `cases`"
            )
        elif name == "array" and piece.text == "begin" and self.sees("{"):
            self.at = self.group_end() + 1

    def _end_cases(self, span: Span) -> None:
        if self.opened and self.opened[-1].kind == "CASES":
            rows = self.now.tokens[self.opened[-1].at :]
            inner = sum(t.kind == "CASES" for t in rows) - sum(t.kind == "ENDCASES" for t in rows)
            if inner == 1 and not any(t.kind == "OTHERWISE" for t in rows):
                raise program_error("E0109", span, what="cases", wanted="a last row `… & \\text{otherwise}`",
                                    hint="say what holds in all other cases")  # fmt: skip
        self.close("ENDCASES", span)

    def _row_end(self, span: Span) -> None:
        if self.sees("["):  # \\[2pt]
            while not self.sees("]") and self.piece.kind != "end":
                self.at += 1
            self.at += 1
        if self.opened and self.opened[-1].kind == "CASES":
            self.drop_comma()
            if self.ahead().text != "end":
                self.push("ROW", "\\\\", span)
        elif not self.opened:
            self.drop_comma()
            self.row_ended = True
            self.indent = 0

    # -- words

    def _text(self, piece: Piece) -> None:
        """`\\text{…}`: a name, a word of the notation, or a remark at the end of a row."""
        stop = self.group_end()
        if not self.sees("{"):
            raise _meaningless(piece)
        inner = Span(piece.span.source, self.piece.span.end, self.pieces[stop].span.start)
        span = piece.span.to(self.pieces[stop].span)
        said = " ".join(inner.text.split())
        self.at = stop + 1
        if piece.text == "mathit":  # never anything but a name
            self._named(self.scripted(spell.said(said), span))
            self.after_word = True
        elif said.startswith('"'):
            self.push("STRING", spell.unescaped(inner.text.strip()).strip('"'), span)
        elif kind := self._declaring(said):
            self.push(kind, said, span)
            self.is_apart = True
        elif said.lower() in ("where", "with", "and") and self.row_ended:
            return
        elif said.lower() in words.SAID:
            self._word(words.SAID[said.lower()], said, span)
        elif not said or (self.at_row_end() and (self.after_space or not _WORD.fullmatch(said))):
            return
        elif said.lower() in lexer.REDUCTIONS:
            self._reduction(said.lower(), span)
        elif _WORD.fullmatch(said):
            self._named(self.scripted(said, span))
            self.after_word = True
        elif match := re.fullmatch(rf"({_WORD.pattern}) ([0-9]+)", said):
            self.push("NAME", match[1], span)
            self.is_apart = True
            self.push("NUMBER", match[2], span)
        else:
            raise _meaningless(piece, span)

    def _declaring(self, said: str) -> str:
        """The word that begins a declaration, or the `from` inside one."""
        if not self.now.tokens or self.row_ended:
            return words.DECLARED.get(said, "")
        return "FROM" if said == "from" and self.now.tokens[0].kind == "INPUT" else ""

    def _word(self, kind: str, said: str, span: Span) -> None:
        if self.opened and self.opened[-1].kind == "CASES":
            kind = {"FOR": "WHEN", "IF": "WHEN", "ELSE": "OTHERWISE"}.get(kind, kind)
            self.drop_comma()
            if self.now.tokens[-1].kind == "WHEN" and kind in ("WHEN", "OTHERWISE"):
                self.now.tokens.pop()
        self.push(kind, said.lower(), span)


def _meaningless(piece: Piece, span: Span | None = None) -> ProgramError:
    like = nearest(piece.text, words.KNOWN) if len(piece.text) > 3 and piece.text.isalpha() and span is None else None
    place = span or piece.span
    advice = f"did you mean `\\{like}`?" if like else "leave it out, or say it with the signs of the notation"
    return program_error("E0120", place, shown=place.text, advice=advice)
