"""Names of generated code: ASCII, unique, never a word of Python or of the kernels; readable where possible."""

import keyword
import re
import unicodedata
from typing import Protocol

from indexlang.emit.words import is_word
from indexlang.text.names import GREEK

_LATIN = {letter: word for word, letter in GREEK.items()}


class Namer(Protocol):
    """Gives each IR name one name of its own."""

    def __call__(self, kind: str, name: str) -> str:
        """The name of the IR name `name`; two of different `kind` (an index, a tensor) differ."""
        ...


class Readable:
    """The user's letters, as far as ASCII goes."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.given: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, name: str) -> str:
        """As much of the name as is ASCII, with a number behind it where that is taken."""
        key = (kind, name)
        if key not in self.given:
            self.given[key] = self._unique(_stem(name))
        return self.given[key]

    def _unique(self, stem: str) -> str:
        found, n = stem, 1
        while found in self.taken or is_word(found) or keyword.iskeyword(found) or keyword.issoftkeyword(found):
            n += 1
            found = f"{stem}_{n}"
        self.taken.add(found)
        return found


class Canonical:
    """Numbers only, so that equal structures give equal text whatever the user's letters."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, name: str) -> str:
        """`v0`, `v1`, … in the order in which names are asked for."""
        return self.given.setdefault((kind, name), f"v{len(self.given)}")


def _stem(name: str) -> str:
    """What stands before a NUL is the stem; what stands behind it only tells equal stems apart."""
    spelled = "".join(_LATIN.get(c, c) for c in name.split("\0")[0]).replace("'", "_p")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    cleaned = re.sub(r"\W", "_", plain)[:40]
    return cleaned if cleaned[:1].isalpha() else f"v_{cleaned.lstrip('_')}"
