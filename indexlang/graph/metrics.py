"""How wide a text will be. The font of whoever looks is not known, so these are widths of wide ones, rounded up."""

from unicodedata import combining, east_asian_width

_NARROW = frozenset("iljtfrI.,:;|!'()[]{}`· ")
_SIGNS = frozenset("+×=<>~→")
_WIDE = frozenset("mwMWΦΩ@%—…∞")


def text_width(text: str, size: float) -> float:
    """The width of one line in the unit of `size`, the height of the font."""
    return size * sum(map(_em, text))


def _em(c: str) -> float:
    if combining(c):
        return 0.0
    if east_asian_width(c) in "WF":
        return 1.1
    if c in _NARROW:
        return 0.4
    return 0.95 if c in _WIDE else 0.88 if c in _SIGNS else 0.72 if c.isupper() else 0.62


def shortened(text: str, most: int) -> str:
    """At most `most` characters, the last one a sign that there are more."""
    return text if len(text) <= most else text[: most - 1] + "…"
