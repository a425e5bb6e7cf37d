"""One long line → several: a line may be broken where the writer left a mark."""

from indexlang.text.render import cells

WIDTH = 120
INDENT = 4
MARK = "\n"
"""Stands where a line may end, in place of a space."""

# Columns that a line may be shorter to end one bracket further out; subscripts belong together.
_NESTING = {"(": 12, "[": 48, "{": 48, "⌊": 48}
_ENDS = {")": "(", "]": "[", "}": "{", "⌋": "⌊"}


def flat(text: str) -> str:
    """The text on one line."""
    return text.replace(MARK, " ")


def wrapped(text: str, indent: int) -> list[str]:
    """The lines of a statement that starts at column `indent`; what follows the first is indented further.

    What a block's first line runs on to stands deeper than the block.
    """
    lines: list[str] = []
    further = indent + (2 * INDENT if text.endswith(":") else INDENT)
    margin, rest = indent, text
    while further < WIDTH and margin + cells(rest) > WIDTH:
        at = _best_break(rest, WIDTH - margin)
        if at < 0:
            break
        lines.append(" " * margin + flat(rest[:at]))
        margin, rest = further, rest[at + 1 :]
    return [*lines, " " * margin + flat(rest)]


def _best_break(text: str, room: int) -> int:
    """The mark to break at: far to the right, and in few brackets; the first if none fits; -1 if there is none."""
    best, cost = -1, 0
    nesting = 0
    for at, c in enumerate(text):
        nesting += _NESTING.get(c, 0) - _NESTING.get(_ENDS.get(c, ""), 0)
        if c != MARK:
            continue
        used = cells(text[:at])
        if used > room:
            return at if best < 0 else best
        here = nesting + room - used
        if best < 0 or here < cost:
            best, cost = at, here
    return best
