"""Pieces of LaTeX → tokens of the notation, each with its place in the LaTeX, and where a statement ends."""

from indexlang.syntax import lexer
from indexlang.syntax.latex import words
from indexlang.syntax.latex.commands import Commands
from indexlang.syntax.latex.rows import SIGNS, Statement
from indexlang.syntax.latex.scan import Piece
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.source import Span


class Reader(Commands):
    """Reads the pieces of a text once."""

    def read(self) -> list[Statement]:
        """The statements of all formulas."""
        while self.at < len(self.pieces):
            try:
                self.read_piece()
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

    def read_piece(self) -> None:
        """Take what begins here, whatever it is, and write down its tokens."""
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
            self.indent += words.SPACES[piece.text]
        elif not self.opened and not self.now.kinds.isdisjoint(SIGNS) and self._says_more():
            self.drop_comma()
            self.row_ended = True

    def _says_more(self) -> bool:
        """Whether the rest of the row is an equation or a relation by itself: `A = B \\qquad C = D`."""
        depth = 0
        for at in range(self.at, min(self.at + _ROW, len(self.pieces))):
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
        if self.opened or self.piece.text == "=" or "EQUALS" not in self.now.kinds:
            return
        for at in range(self.at, len(self.pieces)):
            piece = self.pieces[at]
            if piece.kind in ("newline", "end") or piece.text == "\\":
                return
            if at > self.at and piece.kind == "symbol" and piece.text in ("=", "+=", "<-"):
                self.row_ended = True
                self.indent = 0
                return

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

    def _twin(self, plain: str, span: Span) -> None:
        if plain in lexer.REDUCTIONS:
            self._reduction(plain, span)
        else:
            self.push(plain.upper() if plain.isalpha() and plain in lexer.KEYWORDS else "NAME", plain, span)

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


_ROW = 1000  # pieces: a longer row is not looked through for a second equation
_ADVICE = {"|": "write `\\lvert x \\rvert` for an absolute value", "_": "a subscript follows a name",
           "'": "a prime follows a name", "$": "one `$…$` or `$$…$$` holds one formula"}  # fmt: skip
