"""Names in LaTeX: `L̃'_{l+1}` → `\\tilde{L}'_{\\ell+1}`. What `cursor` reads back is the same name."""

import re
import unicodedata
from dataclasses import dataclass

from indexlang.syntax.latex import words
from indexlang.syntax.lexer import REDUCTIONS

_LETTERS = {letter: f"\\{word}" for word, letter in reversed(words.LETTERS.items()) if word not in ("imath", "jmath")}
_ACCENTS = {mark: word for word, mark in words.ACCENTS.items() if not word.startswith("wide") and word != "overline"}
_MARK = "".join(_ACCENTS)
_WORD = r"(?:[A-Z]|[a-z]{2})[A-Za-z]+"
_NAME = re.compile(
    rf"(?:(?P<letter>Δ[a-z]|[^\W\d_])(?P<mark>[{_MARK}]?)(?P<prime>'*)(?P<number>[0-9]*)|(?P<word>{_WORD})(?=_))"
    r"(?:_(?:\{(?P<computed>[^{}]*)\}|(?P<label>[^\W_]+)|(?P<said>[^\W_]+(?:_(?:plus|minus|times|over)_[^\W_]+)+)))?"
)
_SIGNS = {"_plus_": "+", "_minus_": "-", "_times_": "*", "_over_": "/"}
_PART = re.compile(r"[^\W\d]\w*")
_COMPUTED = re.compile(r"_\{([^{}]*)\}")
WHOLE = re.compile(r"\([^()]*\)")  # a script that says with its brackets that it is computed
_SPECIAL = re.compile(r"[_%#&${}]")


@dataclass(frozen=True, slots=True)
class Names:
    """Writes the names of a text.

    indices, constants  of the text: as subscripts of names they would mean something
    kept                names that would look like another one with a subscript (`L1` beside `L_1`)
    fixed, counters     the constants that have a value here: everywhere, and in the loops around here
    ell                 what is set as ℓ: the sign itself, unless the text has a name `l` too
    """

    indices: frozenset[str] = frozenset()
    constants: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    counters: frozenset[str] = frozenset()
    ell: str = "l"

    def spelled(self, name: str) -> str:
        """A name as the lecture sets it; one of several letters stands upright."""
        if name in _OF_WORDS:
            return _OF_WORDS[name]
        stem, dot, member = name.partition(".")
        if dot:
            return f"{self.spelled(stem)}.{self.spelled(member)}"
        match = _NAME.fullmatch(unicodedata.normalize("NFD", name))
        if match is None or name in self.kept or not self._may_be_set(match):
            return word(name)
        script = match["label"] or match["number"] or _signs(match["said"] or "")
        if match["computed"] is not None:
            script = self._computed(match["computed"])
        return self._stem(match) + self._subscript(script)

    def _stem(self, match: re.Match[str]) -> str:
        """The letter of a name with its mark and primes, or its word."""
        letter = match["letter"]
        if letter is None:
            return word(match["word"])
        letter = "\\Delta " + self._letter(letter[1]) if len(letter) > 1 else self._letter(letter)
        if match["mark"]:
            letter = f"\\{_ACCENTS[match['mark']]}{{{letter.strip()}}}"
        return letter.rstrip() + match["prime"]

    def _may_be_set(self, match: re.Match[str]) -> bool:
        """Whether the subscript is one, and would not be read as indices or computed."""
        label, said = match["label"] or "", match["said"] or ""
        if match["number"]:
            return not (label or said or match["computed"])
        letters = frozenset(re.findall(r"[^\W\d_]+", _signs(said)))
        return not self._lists(label) and label not in self.constants and not letters & self.constants

    def _lists(self, script: str) -> bool:
        """Whether a subscript would be read as a list of indices."""
        return bool(script) and (script in self.indices or set(script) <= self.indices)

    def _computed(self, script: str) -> str:
        """A computed subscript; brackets around it say so where it does not show."""
        parts = frozenset(_PART.findall(script))
        shows = (
            parts
            and parts <= self.fixed | self.counters
            and "," not in script
            and (script in self.counters or script == self.ell or not script.isalnum())
        )
        return script if shows and not self._lists(script) else f"({script})"

    def _subscript(self, script: str) -> str:
        if not script:
            return ""
        if len(script) > 1 and script.isascii() and script.isalpha():
            return f"_{{\\text{{{script}}}}}"
        text = re.sub(r"[^\W\d_]", lambda m: self._spaced(m[0]), script).rstrip()
        text = re.sub(r" (?=[^A-Za-z])", "", text)
        return f"_{text}" if len(text) == 1 or re.fullmatch(r"\\[A-Za-z]+", text) else f"_{{{text}}}"

    def _spaced(self, c: str) -> str:
        command = self._letter(c)
        return command if command == c else f"{command} "

    def _letter(self, c: str) -> str:
        if c in "lℓ":
            return "\\ell" if c == self.ell else c
        return _LETTERS.get(c, c)


_OF_WORDS = {"sigmoid": "\\sigma", "inf": "\\infty"}


def _is_reserved(name: str) -> bool:
    return name in words.DECLARED or name == "from" or name.lower() in words.SAID or name.lower() in REDUCTIONS


def word(name: str) -> str:
    """A name of several letters; `\\mathit` is never anything but a name."""
    if re.fullmatch(rf"{_WORD}[0-9]*'*", name) and not _is_reserved(name):
        return f"\\text{{{name}}}"
    letters = "".join(f"{_LETTERS[c]} " if c in _LETTERS and c != "l" else c for c in name)
    return f"\\mathit{{{re.sub(r' (?=[^A-Za-z])| $', '', letters).replace('_', chr(92) + '_')}}}"


def said(text: str) -> str:
    """The name that `word` has written as `text`; what is computed in it stays computed."""
    text = re.sub(r"\\([A-Za-z]+) ?", lambda m: words.LETTERS.get(m[1], m[0]), text).replace("\\_", "_")
    return _COMPUTED.sub(r"_{(\1)}", text)


def escaped(text: str) -> str:
    """Any text, for `\\text{…}`."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def unescaped(text: str) -> str:
    """The text that `escaped` was given."""
    return re.sub(r"\\([_%#&${}])", r"\1", text)


def _signs(said: str) -> str:
    for text, sign in _SIGNS.items():
        said = said.replace(text, sign)
    return said
