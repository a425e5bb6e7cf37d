"""Pieces of LaTeX → tokens of the notation, each with its place in the LaTeX, and where a statement ends."""

import re

from indexlang.syntax import lexer
from indexlang.syntax.latex import spell, words
from indexlang.syntax.latex.cursor import Name
from indexlang.syntax.latex.rows import CLOSER, SIGNS, Open, Rows, Statement
from indexlang.syntax.latex.scan import Piece
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import nearest
from indexlang.text.source import Span

_WORD = re.compile(r"[^\W\d][\w\u0300-\u036f]*'*")


class Reader(Rows):
    """Reads the pieces of a text once."""

    def read(self) -> list[Statement]:
        """The statements of all formulas."""
        while self.at < len(self.pieces):
            try:
                self._piece()
            except ProgramError as error:
                self.now.found += error.diagnostics
                self.now.is_broken = True
                self._skip_row()
        self.finish()
        return self.statements

    def _skip_row(self) -> None:
        """After a mistake: on to the next row that does not go on with this statement, or to the next formula."""
        inside = 0
        while self.at < len(self.pieces) and self.piece.kind != "end":
            piece = self.next()
            if piece.kind == "command" and piece.text in ("begin", "end"):
                inside += 1 if piece.text == "begin" else -1
            elif piece.kind == "command" and piece.text == "\\" and inside <= 0 and not self._goes_on():
                break
        self.opened.clear()
        self.finish()
        self.indent = 0

    def _goes_on(self) -> bool:
        """Whether the row here begins with a sign."""
        at = self.at
        while self.pieces[at].kind in ("space", "newline") or self.pieces[at].text == "&":
            at += 1
        piece = self.pieces[at]
        return piece.kind == "symbol" or (piece.kind == "command" and piece.text in words.SIGNS)

    # -- pieces

    def _piece(self) -> None:
        piece = self.piece
        if self.starts_name():
            self._name()
            return
        self.at += 1
        match piece.kind:
            case "number":
                self.push("NUMBER", piece.text, piece.span)
            case "space":
                self._space(piece)
            case "newline":
                self._line_end()
            case "end":
                self._formula_end()
            case "command":
                self._command(piece)
            case _:
                self._symbol(piece)

    def _formula_end(self) -> None:
        if self.opened:
            self.finish()
        self.drop_comma()
        self.row_ended = True
        self.indent = 0
        self.formula += 1

    def _space(self, piece: Piece) -> None:
        self.is_apart = self.is_apart or not self.opened
        self.after_space = bool(self.now.tokens)
        if self.indent is not None:
            self.indent += words.SPACES[piece.span.text[1:]]
        elif not self.opened and any(t.kind in SIGNS for t in self.now.tokens) and self._says_more():
            self.drop_comma()
            self.row_ended = True

    def _says_more(self) -> bool:
        """Whether the rest of the row is an equation or a relation by itself: `A = B \\qquad C = D`."""
        depth = 0
        for at in range(self.at, len(self.pieces)):
            piece = self.pieces[at]
            if piece.kind == "end" or (piece.kind == "command" and piece.text == "\\"):
                return False
            if piece.kind == "symbol":
                depth += (piece.text in "{([") - (piece.text in "})]")
            if depth == 0 and at > self.at and _kind(piece) in (*SIGNS, "RELATION"):
                return True
        return False

    def _line_end(self) -> None:
        """The end of a line ends an equation if the next line has one of its own."""
        rest: list[Piece] = []
        for piece in self.pieces[self.at :]:
            if piece.kind in ("newline", "end") or piece.text == "\\":
                break
            rest.append(piece)
        has_sign = any(p.kind == "symbol" and p.text in ("=", "+=", "<-") for p in rest[1:])
        if not self.opened and has_sign and rest[0].text != "=" and any(t.kind == "EQUALS" for t in self.now.tokens):
            self.row_ended = True
            self.indent = 0

    def _name(self) -> None:
        if lexer.TWINS.get(self.piece.text) in lexer.REDUCTIONS:  # Σ
            sign = self.next()
            self._reduction(lexer.TWINS[sign.text], sign.span)
            return
        euler = self.piece.text == "e" and self.pieces[self.at + 1].text == "^"
        name = self.name()
        if euler and name.text == "e":
            self.push("EULER", "exp", name.span)
        elif name.text in lexer.TWINS:
            self._twin(lexer.TWINS[name.text], name.span)
        elif name.text.lower() in lexer.REDUCTIONS and name.subscripts is None and not self.sees("["):
            self.push("REDUCE", name.text.lower(), name.span)
        else:
            self._named(name)

    def _named(self, name: Name) -> None:
        self.push("NAME", name.text, name.span)
        if name.subscripts is None:
            return
        start, stop = name.subscripts
        self._inside(start, stop, "LSQB", "RSQB")

    def _twin(self, plain: str, span: Span) -> None:
        if plain in lexer.REDUCTIONS:
            self._reduction(plain, span)
        else:
            self.push(plain.upper() if plain.isalpha() and plain in lexer.KEYWORDS else "NAME", plain, span)

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
            self._piece()
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
        if self.piece.kind == "number" and opener == "LBRACE":  # \frac12 is \frac{1}{2}
            self._split_number(start)
        self._inside(start, stop, opener, closer)

    def _split_number(self, at: int) -> None:
        piece = self.pieces[at]
        if len(piece.text) > 1:
            source, start, end = piece.span.source, piece.span.start, piece.span.end
            first = Piece("number", piece.text[0], Span(source, start, start + 1))
            self.pieces[at : at + 1] = [first, Piece("number", piece.text[1:], Span(source, start + 1, end))]

    # -- commands

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

    # -- signs

    def _symbol(self, piece: Piece) -> None:
        text, span = piece.text, piece.span
        if text in "([":
            self.open("LPAR" if text == "(" else "LSQB", text, span)
        elif text in ")]":
            self.close("RPAR" if text == ")" else "RSQB", span)
        elif text == "{":
            self.at -= 1
            self._group("LBRACE", "RBRACE")
        elif text == "}":
            raise program_error("E0104", span, message="`}` closes nothing", advice="delete it")
        elif text == "&":
            self._ampersand(span)
        elif text == "^":
            self.at -= 1
            self._power()
        elif text == "." and self.at_row_end():
            return
        elif text in lexer.TWINS:
            plain = lexer.TWINS[text]
            kind = lexer.KINDS.get(plain)
            self.push(kind, plain, span) if kind else self._twin(plain, span)
        elif text == "=" and self._compares():
            self.push("COMPARE", "==", span)
        elif text in lexer.KINDS and text != "_{":
            self.push(lexer.KINDS[text], "^" if text == "**" else text, span)
        else:
            raise program_error("E0103", span, shown=f"`{text}`", advice=_ADVICE.get(text, "delete it"))

    def _compares(self) -> bool:
        """Whether `=` here asks: in a condition, or in brackets that are neither a call's nor a subscript's."""
        tokens = self.now.tokens
        if not self.opened:
            return bool(tokens) and tokens[0].kind == "IF"
        inner = self.opened[-1]
        if inner.kind == "LPAR":
            return inner.at == 0 or tokens[inner.at - 1].kind != "NAME"
        return inner.kind in ("CASES", "LBRACE", "ABS", "FLOOR")

    def _ampersand(self, span: Span) -> None:
        """In cases it stands before the condition; elsewhere it only aligns."""
        if not (self.opened and self.opened[-1].kind == "CASES"):
            return
        self.drop_comma()
        if self.now.tokens[-1].kind not in ("WHEN", "OTHERWISE"):
            self.push("WHEN", "&", span)


def _kind(piece: Piece) -> str:
    """The kind of token that a sign becomes; "" for all other pieces."""
    if piece.kind == "command":
        return words.SIGNS.get(piece.text, ("", ""))[0]
    return lexer.KINDS.get(piece.text, "") if piece.kind == "symbol" else ""


_ADVICE = {"|": "write `\\lvert x \\rvert` for an absolute value", "_": "a subscript follows a name",
           "'": "a prime follows a name", "$": "one `$…$` or `$$…$$` holds one formula"}  # fmt: skip


def _unclosed(span: Span) -> ProgramError:
    return program_error(
        "E0104", span, message=f"`{span.text}` is never closed", advice="write its other half where it ends"
    )


def _meaningless(piece: Piece, span: Span | None = None) -> ProgramError:
    like = nearest(piece.text, words.KNOWN) if len(piece.text) > 3 and piece.text.isalpha() and span is None else None
    place = span or piece.span
    advice = f"did you mean `\\{like}`?" if like else "leave it out, or say it with the signs of the notation"
    return program_error("E0120", place, shown=place.text, advice=advice)
