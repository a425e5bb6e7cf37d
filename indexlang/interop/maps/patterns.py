"""Names of many tensors as one text: `layer{stage}.{unit}.conv{n}`. A pattern takes a name apart and puts it together.

| in a pattern | stands for |
|---|---|
| `{k}` | a whole number: digits, no leading zero |
| `{k+1}`, `{k-1}` | the number that is one more, one less than k |
| `{w:left\\|right}` | one of these words |
| `{*}` | any text, once in a pattern |
| anything else | itself |

What is in braces has a name, and the same name stands for the same on both sides of a rule. So each side follows from the
other. Where the two sides use other words for one thing, a table beside the rule says which belongs to which.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Values = Mapping[str, str]

_PIECE = re.compile(r"\{(\*|[A-Za-z_]+)(?:([+-][0-9]{1,4})|:([^{}]+))?\}")
_NUMBER = "0|[1-9][0-9]{0,8}"
ANY = "*"


@dataclass(frozen=True, slots=True)
class Hole:
    """What stands in braces: `shift` is added to the number; `words` are all that may stand there."""

    name: str
    shift: int = 0
    words: tuple[str, ...] = ()

    @property
    def expression(self) -> str:
        """What may stand here, as a regular expression without groups."""
        if self.name == ANY:
            return ".+"
        return "|".join(map(re.escape, self.words)) if self.words else _NUMBER

    def taken(self, text: str) -> str | None:
        """The value that is written `text` here, or None if there is none."""
        if self.name == ANY or self.words:
            return text
        value = int(text) - self.shift
        return str(value) if value >= 0 else None

    def written(self, value: str) -> str:
        """How the value `value` is written here: `taken` the other way round."""
        return value if self.name == ANY or self.words else str(int(value) + self.shift)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with holes. `values` of a name are None if it is another kind of name."""

    text: str
    pieces: tuple[str | Hole, ...]
    expression: re.Pattern[str]

    @property
    def names(self) -> frozenset[str]:
        """The names of the holes."""
        return frozenset(piece.name for piece in self.pieces if isinstance(piece, Hole))

    def values(self, name: str) -> dict[str, str] | None:
        """What stands in each hole of `name`, or None: one name has to stand for the same everywhere."""
        found = self.expression.fullmatch(name)
        if found is None:
            return None
        values: dict[str, str] = {}
        holes = (piece for piece in self.pieces if isinstance(piece, Hole))
        for hole, text in zip(holes, found.groups(), strict=True):
            value = hole.taken(text)
            if value is None or values.setdefault(hole.name, value) != value:
                return None
        return values

    def name(self, values: Values) -> str:
        """The name in which `values` stand: `values` the other way round."""
        return "".join(piece if isinstance(piece, str) else piece.written(values[piece.name]) for piece in self.pieces)


def pattern(text: str) -> Pattern:
    """The pattern that `text` writes. Raises ValueError for a brace that opens nothing known."""
    pieces: list[str | Hole] = []
    at = 0
    for match in _PIECE.finditer(text):
        pieces += [text[at : match.start()]] if at < match.start() else []
        name, shift, words = match.groups()
        pieces.append(Hole(name, int(shift or 0), tuple(words.split("|")) if words else ()))
        at = match.end()
    pieces += [text[at:]] if at < len(text) else []
    if any(isinstance(piece, str) and ("{" in piece or "}" in piece) for piece in pieces):
        raise ValueError(f"`{text}` is no pattern of names")
    expression = "".join(re.escape(p) if isinstance(p, str) else f"({p.expression})" for p in pieces)
    return Pattern(text, tuple(pieces), re.compile(expression, re.ASCII | re.DOTALL))
