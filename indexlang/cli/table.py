"""Plain tables: aligned columns, one of which takes what is left of the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from indexlang.text.render import cells, clean

GAP = 2
SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Table:
    """Column titles, rows of texts, and a last row under a line. The first column is cut where the page is narrow."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[str, ...] = ()

    def text(self, width: int, encoding: str = "utf-8") -> str:
        """The table in at most `width` columns, if the numbers leave room for that."""
        lines = [tuple(clean(cell, encoding) for cell in row) for row in self._all()]
        widths = [max(map(cells, column)) for column in zip(*lines, strict=True)]
        others = sum(widths[1:]) + GAP * (len(widths) - 1)
        widths[0] = max(min(widths[0], width - others), SHORTEST)
        out = [_line(row, widths, clean("…", encoding)) for row in lines]
        rule = "-" * (widths[0] + others)
        out.insert(1, rule)
        if self.totals:
            out.insert(len(out) - 1, rule)
        return "\n".join(line.rstrip() for line in out)

    def _all(self) -> Sequence[tuple[str, ...]]:
        return tuple(chain((self.titles,), self.rows, (self.totals,) if self.totals else ()))


def _line(row: tuple[str, ...], widths: Sequence[int], dots: str) -> str:
    first = shortened(row[0], widths[0], dots)
    numbers = (" " * (GAP + width - cells(cell)) + cell for cell, width in zip(row[1:], widths[1:], strict=True))
    return first + " " * (widths[0] - cells(first)) + "".join(numbers)


def shortened(text: str, width: int, dots: str = "…") -> str:
    """`text`, or as much of its start as fits with the dots behind it."""
    if cells(text) <= width:
        return text
    cut = len(text)
    while cut and cells(text[:cut]) > width - len(dots):
        cut -= 1
    return text[:cut] + dots


def counted(number: int) -> str:
    """A count with its thousands set off; nothing for 0."""
    return f"{number:,}" if number else ""


def bytes_told(number: int) -> str:
    """`1.5 MiB`: bytes in the largest unit that leaves a whole part."""
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"
