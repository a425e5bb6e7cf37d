"""Texts and places in them: every message points with a `Span`."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property

from indexlang.text.values import immutable

MAX_TEXT = 4_000_000  # characters of a text


@dataclass(frozen=True, eq=False)
class Source:
    """A program text with its name; lines end at LF only (CRLF is folded when a file is read)."""

    name: str
    text: str

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset at which each line begins, found once."""
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return tuple(starts)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1; columns count characters."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end]


@immutable
class Span:
    """A half-open range of characters of one source."""

    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters that the span covers."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line of its first character, from 1."""
        return self.source.place(self.start)[0]

    @property
    def column(self) -> int:
        """The column of its first character, from 1."""
        return self.source.place(self.start)[1]

    @property
    def last_place(self) -> tuple[int, int]:
        """Line and column just behind the span."""
        return self.source.place(self.end)

    def to(self, other: "Span") -> "Span":
        """The span from the start of this one to the end of the other."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


NOWHERE = Span(Source("", ""), 0, 0)
"""The span of what has no text: a value given from Python or the command line."""
