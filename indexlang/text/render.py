"""The one renderer of a `Diagnostic`: plain text, colour, one line, JSON, and GitHub's workflow commands.

A message is laid out once, as lines of pieces with a tone; `render_plain` drops the tones, `render_colour` turns them
into ANSI codes. Nothing here looks at the terminal: the caller says how wide it is and what it can encode.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from typing import Any
from unicodedata import category, east_asian_width

from indexlang.text.diagnostics import Diagnostic, Note, Severity
from indexlang.text.names import visible
from indexlang.text.source import NOWHERE, Span

DEFAULT_WIDTH = 100
NARROWEST = 24
LONGEST_TEXT = 1000  # characters of a message, a note or a hint; a user's text may stand in it


class Tone(Enum):
    """How a piece of a message is shown; the value is the ANSI code."""

    PLAIN = ""
    BOLD = "1"
    ERROR = "1;31"
    WARNING = "1;33"
    FRAME = "34"
    LABEL = "36"


@dataclass(frozen=True, slots=True)
class Page:
    """What is written on: its width in columns, and its encoding."""

    width: int = DEFAULT_WIDTH
    encoding: str = "utf-8"


Piece = tuple[Tone, str]
Line = tuple[Piece, ...]


def render_plain(d: Diagnostic, width: int | None = None, encoding: str = "utf-8") -> str:
    """The message as text without colour, in `width` columns (a file name or a command is never broken)."""
    return "\n".join("".join(text for _, text in line).rstrip() for line in _layout(d, _page(width, encoding)))


def render_colour(d: Diagnostic, width: int | None = None, encoding: str = "utf-8") -> str:
    """The same text as `render_plain`, with ANSI colours."""
    return "\n".join("".join(_painted(piece) for piece in line) for line in _layout(d, _page(width, encoding)))


def render_short(d: Diagnostic, encoding: str = "utf-8") -> str:
    """The message on one line, as editors read it: `file:line:column: error[E0412]: …`."""
    return clean(str(d), encoding)


def render_github(d: Diagnostic) -> str:
    """The message as a workflow command, which puts it beside the line of a change."""
    place: dict[str, Any] = {}
    if d.has_place:
        place = {"file": d.file, "line": d.line, "col": d.column, "endLine": d.end_line, "endColumn": d.end_column}
    settings = ",".join(f"{name}={_escaped_setting(str(value))}" for name, value in {**place, "title": d.code}.items())
    body = "\n".join([d.message, *(f"because {note.text}" for note in d.notes), *([f"try {d.hint}"] if d.hint else [])])
    return f"::{d.severity.value} {settings}::{_escaped(body)}"


def as_json(d: Diagnostic) -> dict[str, Any]:
    """The message as values for `json.dumps`; a message without a place has null there."""
    notes = [{"text": note.text, **_place(note.span)} for note in d.notes]
    head = {"code": d.code, "severity": d.severity.value, "message": d.message}
    return {**head, **_place(d.span), "notes": notes, "hint": d.hint}


# -- the layout


def _layout(d: Diagnostic, page: Page) -> Iterator[Line]:
    tone = Tone.ERROR if d.severity is Severity.ERROR else Tone.WARNING
    head = f"{d.severity.value}[{d.code}]:"
    first, *rest = wrap(clean(d.message, page.encoding), page.width - 2, len(head) - 1)
    yield (tone, head), (Tone.BOLD, " " + first)
    yield from (((Tone.BOLD, "  " + text),) for text in rest)
    if d.has_place:
        yield ((Tone.FRAME, "  " + clean(str(d.span), page.encoding)),)
        yield from _excerpt(d.span, tone, page)
    yield from _labelled("because", [_note(note, page) for note in d.notes], page)
    yield from _advice(d, page)


def _advice(d: Diagnostic, page: Page) -> Iterator[Line]:
    more = f"more: indexlang explain {d.code}"
    lines = list(_labelled("try", [clean(d.hint, page.encoding)] if d.hint else [], page))
    *before, last = lines or [((Tone.PLAIN, ""),)]
    used = sum(cells(text) for _, text in last)
    gap = "    " if lines else "  "
    if used + len(gap) + len(more) <= page.width:
        yield from before
        yield (*last, (Tone.PLAIN, gap), (Tone.FRAME, more))
        return
    yield from lines
    yield ((Tone.FRAME, "  " + more),)


def _note(note: Note, page: Page) -> str:
    where = "" if note.span is NOWHERE else f"   ({note.span})"
    return clean(note.text + where, page.encoding)


def _labelled(label: str, texts: Iterable[str], page: Page) -> Iterator[Line]:
    """Paragraphs under one label, which stands before the first line only; narrow pages indent less."""
    indent = 11 if page.width >= 60 else 4
    lines = [line for text in texts for line in wrap(text, page.width - indent)]
    if lines and indent <= len(label) + 2:
        yield ((Tone.LABEL, f"  {label}"),)
        label = ""
    for number, line in enumerate(lines):
        yield (Tone.LABEL, f"  {'' if number else label}".ljust(indent)), (Tone.PLAIN, line)


# -- the source lines with their carets


@dataclass(frozen=True, slots=True)
class _Mark:
    """Columns `start` to `stop` (from 1, half-open) of one line of a text."""

    line: str
    number: int
    start: int
    stop: int


def _excerpt(span: Span, tone: Tone, page: Page) -> Iterator[Line]:
    """The first line of the span, and the last if it is another, each with carets."""
    first, last = span.line, _last_marked(span)
    gutter = len(str(last[0]))
    text = span.source.line(first)
    if last[0] == first:
        yield from _marked(_Mark(text, first, span.column, last[1]), gutter, tone, page)
        return
    yield from _marked(_Mark(text, first, span.column, len(text) + 1), gutter, tone, page)
    if last[0] > first + 1:
        yield ((Tone.FRAME, f"  {' ' * gutter} {clean('…', page.encoding)}"),)
    text = span.source.line(last[0])
    start = len(text) - len(text.lstrip()) + 1
    yield from _marked(_Mark(text, last[0], min(start, last[1]), last[1]), gutter, tone, page)


def _last_marked(span: Span) -> tuple[int, int]:
    """Line and column behind the last marked character; a span that ends with a line break ends on that line."""
    end = span.end
    while end > span.start + 1 and span.source.text[end - 1 : end] in ("\n", "\r"):
        end -= 1
    if span.source.text[span.start : end] == "\n":
        return span.line, span.column + 1
    return span.source.place(end)


def _marked(mark: _Mark, gutter: int, tone: Tone, page: Page) -> Iterator[Line]:
    """A source line and the line of carets under it."""
    shown, before, carets = _window(mark, page.width - gutter - 5, page.encoding)
    yield (Tone.FRAME, f"  {mark.number:>{gutter}} | "), (Tone.PLAIN, shown)
    yield (Tone.FRAME, f"  {'':>{gutter}} | "), (tone, " " * before + "^" * carets)


def _window(mark: _Mark, room: int, encoding: str) -> tuple[str, int, int]:
    """The part of the line around the mark that fits, the columns before the carets, and their number.

    Only characters near the mark are looked at, so that a line of a megabyte costs nothing.
    """
    start, stop = mark.start - 1, max(mark.stop - 1, mark.start)
    left = max(0, start - 2 * room)
    shown = [_shown(c, encoding) for c in mark.line[left : start + 2 * room]]
    marks = [cells(text) for text in shown]
    at = min(start - left, len(shown))
    first, last = _fitting(marks, at, min(stop - left, len(shown)), room - 8)
    dots = _shown("…", encoding)
    head = dots if first > 0 or left > 0 else ""
    tail = dots if left + last < len(mark.line) else ""
    before = len(head) + sum(marks[first:at])
    carets = sum(marks[at : min(stop - left, last)])
    return head + "".join(shown[first:last]) + tail, before, max(carets, 1)


def _fitting(marks: list[int], at: int, stop: int, room: int) -> tuple[int, int]:
    """The cells to show: all of them if they fit, else those around `at`, a third of the room before it."""
    ends = [0, *accumulate(marks)]
    if ends[-1] <= room + 8:
        return 0, len(marks)
    lead = room // 3 if ends[min(stop, len(marks))] - ends[at] < room else room // 8
    first = at
    while first > 0 and ends[at] - ends[first - 1] <= lead:
        first -= 1
    last = at
    while last < len(marks) and ends[last + 1] - ends[first] <= room:
        last += 1
    while first > 0 and ends[last] - ends[first - 1] <= room:
        first -= 1
    while first < at and marks[first] == 0:  # an accent without its letter
        first += 1
    return first, last


# -- text


_TWINS = {"…": "...", "×": "x", "·": "*", "≤": "<=", "≥": ">=", "≠": "!=", "∞": "inf", "–": "-", "→": "->", "²": "^2"}


def _shown(c: str, encoding: str) -> str:
    """A character as it can be shown: hidden ones and those without a place in the encoding as `<U+202E>`."""
    c = " " if c in "\r\n" else c
    if c.isascii() and c.isprintable():
        return c
    shown = visible(c)
    if shown != c or _encodes(c, encoding):
        return shown
    return _TWINS.get(c, f"<U+{ord(c):04X}>")


def _encodes(c: str, encoding: str) -> bool:
    try:
        c.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def clean(text: str, encoding: str = "utf-8") -> str:
    """`text` on one line, of bounded length, with nothing in it that acts on a terminal."""
    cut = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
    return cut if cut.isascii() and cut.isprintable() else "".join(_shown(c, encoding) for c in cut)


def cells(text: str) -> int:
    """Columns that `text` takes on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cell(c) for c in text)


def _cell(c: str) -> int:
    if category(c) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(c) in ("W", "F") else 1


def wrap(text: str, width: int, used: int = 0) -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces where it can be; `used` are taken of the first."""
    lines: list[str] = []
    line, room = "", max(width - used, 1)
    for word in _broken(text.split(" "), max(width, 8)):
        joined = f"{line} {word}" if line else word
        if line and cells(joined) > room:
            lines.append(line)
            joined, room = word, width
        line = joined
    return [*lines, line]


def _broken(words: Iterable[str], width: int) -> Iterator[str]:
    for word in words:
        while cells(word) > width:
            cut = next(n for n in range(len(word), 0, -1) if cells(word[:n]) <= width)
            yield word[:cut]
            word = word[cut:]
        yield word


def _painted(piece: Piece) -> str:
    tone, text = piece
    return f"\x1b[{tone.value}m{text}\x1b[0m" if tone.value and text.strip() else text


def _page(width: int | None, encoding: str) -> Page:
    return Page(max(NARROWEST, DEFAULT_WIDTH if width is None else width), encoding)


def _place(span: Span) -> dict[str, Any]:
    if span is NOWHERE:
        return dict.fromkeys(("file", "line", "column", "end_line", "end_column"))
    end_line, end_column = span.last_place
    place = {"file": span.source.name, "line": span.line, "column": span.column}
    return {**place, "end_line": end_line, "end_column": end_column}


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_setting(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
