"""Words that have a sign (`sum`, `Σ`), names that have a twin in ASCII (`Φ1`, `Phi1`), and which of them a text uses."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from indexlang.syntax import ast
from indexlang.syntax.lexer import KEYWORDS, REDUCTIONS, TWINS, Line
from indexlang.text.names import GREEK, normal

# The sign of each word; a text may also use one of the others that lexer.TWINS knows.
SIGNS = {
    "sigmoid": "σ", "sum": "Σ", "prod": "∏", "sqrt": "√", "floor": "⌊", "*": "·", "<=": "≤", ">=": "≥", "!=": "≠",
    "and": "∧", "or": "∨", "not": "¬", "inf": "∞", "<-": "←", "...": "…",
}  # fmt: skip
_WORDS = {**TWINS, "⌊": "floor", "←": "<-", "…": "..."}
# Marks over a letter, and what they are called in ASCII.
MARKS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot", "\u030c": "check"}
_MARK_OF = {word: mark for mark, word in MARKS.items()}
_LETTERS = {letter: word for word, letter in GREEK.items()} | {"π": "pi"}
_GREEK = {word: letter for letter, word in _LETTERS.items() if letter not in ("σ", "Σ")}
_WORDS_OF_NAMES = KEYWORDS | REDUCTIONS | {"sigmoid", "inf"}


class Style(Enum):
    """Which spelling a text is given: the one it uses, the signs, or ASCII."""

    AS_WRITTEN = "as written"
    UNICODE = "unicode"
    ASCII = "ascii"


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a text writes words and names.

    signs  word → what is written for it      names  name → what is written for it
    kept   why a name with a twin keeps its spelling, a sentence each
    """

    signs: Mapping[str, str] = field(default_factory=dict[str, str])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    kept: tuple[str, ...] = ()

    def word(self, word: str) -> str:
        """A sign or a keyword as it is written."""
        return self.signs.get(word, word)

    def name(self, name: str) -> str:
        """A name as it is written; in a computed one (`L_{l+1}`) each name by itself."""
        if name in ("sigmoid", "inf"):
            return self.word(name)
        if "_{" not in name:
            return self.names.get(name, name)
        stem, _, inner = name.partition("_{")
        return f"{self.names.get(stem, stem)}{_COMPUTED.sub(self._computed, '_{' + inner)}"

    def _computed(self, part: re.Match[str]) -> str:
        return f"_{{{_NAME.sub(lambda m: self.names.get(m[0], m[0]), part[1])}}}"


_COMPUTED = re.compile(r"_\{([^{}]*)\}")
_NAME = re.compile(r"[^\W\d][\w'\u0300-\u036f]*")


def spelling(style: Style, module: ast.Module, lines: Iterable[Line]) -> Spelling:
    """The spelling of a text in a style."""
    match style:
        case Style.AS_WRITTEN:
            return Spelling(_signs_used(lines))
        case Style.UNICODE:
            return Spelling(SIGNS, *_twins(module, _in_unicode))
        case Style.ASCII:
            return Spelling({}, *_twins(module, _in_ascii))


def _signs_used(lines: Iterable[Line]) -> dict[str, str]:
    """The first sign that stands for each word: from then on it stands for it everywhere."""
    used: dict[str, str] = {}
    for line in lines:
        for token in line.tokens:
            sign = token.span.text
            if sign in _WORDS:
                used.setdefault(_WORDS[sign], sign)
    return used


# -- names


def _twins(module: ast.Module, twin_of: Callable[[str, frozenset[str]], str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """New names for those of a module, no two alike; and what is to be said of those that stay."""
    used = _names(module)
    wanted = {name: twin for name in sorted(used) if (twin := twin_of(name, used)) != name}
    if wanted and any(isinstance(s, ast.Include) for s in module.statements):
        return {}, ("the names stay as they are: the files that are included use them too",)
    found: dict[str, str] = {}
    kept: list[str] = []
    for name, twin in wanted.items():
        taken = next(
            (other for other in (twin, *_capitals(twin), *_capitals(name)) if other in used | _WORDS_OF_NAMES), None
        )
        again = next((other for other, its in found.items() if its == twin), None)
        if taken is not None:
            kept.append(f"`{name}` stays: `{taken}` is a name of its own")
        elif again is not None:
            kept.append(f"`{name}` stays: `{again}` becomes `{twin}` too")
        else:
            found[name] = twin
    return found, tuple(kept)


def _names(module: ast.Module) -> frozenset[str]:
    """Every name of a module, those inside computed names too."""
    return frozenset(part for n in _named(module) for part in _NAME.findall(n))


def _named(module: ast.Module) -> Iterator[str]:
    for statement in module.statements:
        for node in ast.nodes(statement):
            for slot in ("name", "keyword"):
                if isinstance(found := getattr(node, slot, None), str):
                    yield found


def _capitals(name: str) -> tuple[str, ...]:
    """The names that mean the extent of an index of that name."""
    return tuple(c for c in (name.upper(), name[:1].upper() + name[1:]) if c != name)


def _in_ascii(name: str, used: frozenset[str]) -> str:
    """`Φ1` → `Phi1`, `Δx` → `dx`, `μ̂` → `mu_hat`; the name itself where a letter has no twin."""
    if name.isascii():
        return name
    text = f"d{name[1:]}" if name[0] == "Δ" and len(name) > 1 and name[1].islower() else name
    out, marks = "", ""
    for c in unicodedata.normalize("NFD", text):
        if c in MARKS:
            marks += f"_{MARKS[c]}"
            continue
        if c in _LETTERS and out[-1:].isalpha():
            out += "_"
        out += _LETTERS.get(c, unicodedata.normalize("NFKC", c) if c in "₀₁₂₃₄₅₆₇₈₉" else c)
    return out + marks if out.isascii() else name


def _in_unicode(name: str, used: frozenset[str]) -> str:
    """`Phi1` → `Φ1`, `mu_hat` → `μ̂`, `dx` → `Δx` where `x` is a name too."""
    stem, _, word = name.rpartition("_")
    mark = _MARK_OF.get(word, "")
    match = re.fullmatch(r"([A-Za-z]+)([0-9]*'*)", stem if mark else name)
    if match is None:
        return name
    letters, rest = match[1], match[2]
    if not mark and len(letters) == 2 and letters[0] == "d" and letters[1].islower() and letters[1] in used:
        return f"Δ{letters[1]}{rest}"
    if letters not in _GREEK and (len(letters) > 1 or not mark):
        return name
    return normal(_GREEK.get(letters, letters) + mark + rest)
