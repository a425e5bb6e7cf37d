"""A place among the pieces of LaTeX, and reading names there: `\\tilde{L}'_{\\ell+1}` → `L̃'_{l+1}`."""

import re
from dataclasses import dataclass

from indexlang.syntax.latex import spell, words
from indexlang.syntax.latex.scan import Piece, braces
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import normal
from indexlang.text.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the notation; `subscripts` are the places of a subscript that is a list of indices (`w_{i,j}`)."""

    text: str
    span: Span
    subscripts: tuple[int, int] | None = None


class Cursor:
    """Goes over pieces from left to right.

    indices  of each formula, the letters that are indices: as a subscript they list, they do not name
    """

    def __init__(self, pieces: list[Piece], indices: list[frozenset[str]]) -> None:
        self.pieces = pieces
        self.at: int = 0
        self.formula = 0
        self._indices = indices
        self._closing = braces(pieces)
        self._accents = 0  # how many are over the letter here
        self.is_letterwise = False  # inside `_{ij}`, where each letter is a name

    @property
    def indices(self) -> frozenset[str]:
        """The indices of the formula here."""
        return self._indices[min(self.formula, len(self._indices) - 1)]

    @property
    def piece(self) -> Piece:
        """The piece here; at the end, the last one for ever."""
        return self.pieces[min(self.at, len(self.pieces) - 1)]

    def next(self) -> Piece:
        """The piece here, which is taken."""
        piece = self.piece
        self.at += 1
        return piece

    def ahead(self) -> Piece:
        """The next piece that is not the end of a line."""
        at = self.at
        while at < len(self.pieces) - 1 and self.pieces[at].kind == "newline":
            at += 1
        return self.pieces[min(at, len(self.pieces) - 1)]

    def group_end(self) -> int:
        """The place of the brace that closes the one here (E0104), or the place behind the single piece here."""
        if not self.sees("{"):
            return self.at + 1
        end = self._closing[self.at]
        if self.pieces[end].kind != "end":
            return end
        raise program_error("E0104", self.piece.span, message="`{` is never closed", advice="write `}` where it ends")

    def sees(self, *signs: str) -> bool:
        """Whether one of these symbols is here."""
        return self.piece.kind == "symbol" and self.piece.text in signs

    # -- names

    def name(self) -> Name:
        """The name that begins here, with its primes and scripts."""
        start = self.piece.span
        return self.scripted(self._stem(), start)

    def scripted(self, text: str, start: Span) -> Name:
        """A name whose letters have been read, with the primes and scripts that follow, and its parts behind points."""
        found = self._scripted(text, start)
        parts = [found.text]
        while self._sees_member() and not found.subscripts:
            self.at += 1
            behind = self.piece.span
            found = self._scripted(self._worded() if self._sees_word() else self._stem(), behind)
            parts.append(found.text)
        return Name(".".join(parts), start.to(found.span), found.subscripts)

    def _sees_member(self) -> bool:
        """Whether a point and a name follow, without a space."""
        point, here = self.piece, self.at
        self.at += 1
        found = point.text == "." and self.piece.span.start == point.span.end
        found = found and (self.starts_name() or self._sees_word())
        self.at = here
        return found

    def _sees_word(self) -> bool:
        """Whether a name of several letters stands here: `\\text{conv}`."""
        return self.piece.kind == "command" and self.piece.text in ("text", "mathit")

    def _worded(self) -> str:
        """The name in `\\text{conv}`."""
        self.at += 1
        start, stop = self.piece.span, self.group_end()
        inner = Span(start.source, start.end, self.pieces[stop].span.start)
        self.at = stop + 1
        return spell.said(inner.text.strip())

    def _scripted(self, text: str, start: Span) -> Name:
        subscript, label, span = "", "", start.to(self.pieces[self.at - 1].span)
        while True:
            if self.sees("'"):
                text += self.next().text
            elif self.sees("_") and not subscript:
                self.at += 1
                first, subscript = self.at, self._script()
                if self._lists(subscript):
                    return Name(text, span, (first, self.at))
            elif self.sees("^") and self._is_label():
                self.at += 1
                script = self._script()
                text, label = (text + "'" * len(script), label) if set(script) == {"'"} else (text, f"_{script}")
            else:
                return Name(_joined(text, subscript, label), span)
            span = start.to(self.pieces[self.at - 1].span)

    def _stem(self) -> str:
        piece = self.next()
        if piece.kind == "letter":
            return self._run(piece)
        if piece.text in words.ACCENTS:
            return self._accented(words.ACCENTS[piece.text], piece)
        letter = words.LETTERS[piece.text]
        if letter == "Δ" and self.piece.kind == "letter":
            letter += self.next().text
        return normal(letter)

    def _run(self, first: Piece) -> str:
        """Letters without a space between are one name; but capitals are a product of extents: `BXY`."""
        start, text = self.at, first.text
        if self.is_letterwise:
            return normal(text)
        while self.piece.kind in ("letter", "number") and self.piece.span.start == self.pieces[self.at - 1].span.end:
            if self.piece.kind == "number" and not self.piece.text.isdigit():
                break
            text += self.next().text
        if text.isalpha() and text.isupper() and not self.sees("[", "(", "_", "'"):
            self.at = start
            return normal(first.text)
        return normal(text)

    def _accented(self, mark: str, accent: Piece) -> str:
        if self._accents > 2:
            raise _not_over(accent)
        self.group_end()  # the braces are closed
        braced = self.sees("{")
        self.at += braced
        if not self.starts_name():
            raise _not_over(accent)
        self._accents += 1
        text = self._stem() if braced or self.piece.kind == "command" else self.next().text
        self._accents -= 1
        while braced and self.sees("'"):
            text += self.next().text
        if braced and not self.sees("}"):
            raise _not_over(accent)
        self.at += braced
        return normal(text[0] + mark + text[1:])

    def starts_name(self) -> bool:
        """Whether a name begins here: a letter, a Greek one, one with an accent."""
        piece = self.piece
        return piece.kind == "letter" or (
            piece.kind == "command" and (piece.text in words.LETTERS or piece.text in words.ACCENTS)
        )

    def _script(self) -> str:
        """What a script says, as text of the notation without spaces."""
        end = self.group_end()
        inside = self.pieces[self.at + 1 : end] if self.sees("{") else self.pieces[self.at : end]
        self.at = end + self.sees("{")
        return "".join(map(_said, inside))

    def _lists(self, script: str) -> bool:
        """Whether a subscript lists indices; a name before `[` is never read so, nor is `L_{(k,l)}`, which is computed."""
        if self.ahead().text == "[" or spell.WHOLE.fullmatch(script):
            return False
        return "," in script or script in self.indices or (script.isalpha() and set(script) <= self.indices)

    def _is_label(self) -> bool:
        """Whether a superscript belongs to the name: before `[`, or a prime."""
        here = self.at
        self.at += 1
        script = self._script()
        label = self.ahead().text == "[" or set(script) == {"'"}
        self.at = here
        return label and re.fullmatch(r"[\w'+*/-]+", script) is not None


def _said(piece: Piece) -> str:
    if piece.kind == "command":
        if piece.text == "prime":
            return "'"
        if piece.text in words.TEXTS:
            return ""
        return words.LETTERS.get(piece.text) or words.SIGNS.get(piece.text, ("", piece.span.text))[1]
    return "" if piece.kind in ("newline", "space") or piece.text in "{}" else piece.text


def _not_over(accent: Piece) -> ProgramError:
    advice = "put it over one letter, as in `\\hat{x}`"
    return program_error("E0120", accent.span, shown=accent.span.text, advice=advice)


def _joined(text: str, subscript: str, label: str) -> str:
    """Stem, subscript and label as one name: a subscript that is computed stays in braces."""
    if not subscript:
        return text + label
    if subscript.isdigit():
        return f"{text}_{subscript}{label}"
    return f"{text}{label}_{{{subscript}}}"
