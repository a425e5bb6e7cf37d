"""Where text goes: results to stdout, messages and progress to stderr; colour and progress on a terminal only."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO

from indexlang.text.diagnostics import Diagnostic
from indexlang.text.render import clean, render_colour, render_plain

UNKNOWN_WIDTH = 80
SCHEMA = 1


def prepare() -> None:
    """Make the streams unable to fail on a character."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def result(text: str) -> None:
    """Write a result to stdout. A stdout that is closed takes nothing; one that fails is the caller's to report."""
    if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  (None when started with >&-)
        sys.stdout.write(text + "\n")


def result_json(value: dict[str, Any]) -> None:
    """Write a result as one JSON object; the characters are ASCII, whatever the terminal."""
    result(json.dumps({"schema": SCHEMA, **value}, indent=2, allow_nan=False))


def tell(text: str) -> None:
    """Write a line to stderr; there is nobody to tell when that fails."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text + "\n")


def tell_all(found: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, in colour if it is a terminal."""
    render = render_colour if has_colour(sys.stderr) else render_plain
    for d in found:
        tell(render(d, width(sys.stderr), encoding(sys.stderr)) + "\n")


class Progress:
    """One line on stderr that says what is being done, gone when it is done; nothing unless stderr is a terminal."""

    def __init__(self, doing: str) -> None:
        self._doing = doing if is_terminal(sys.stderr) else ""

    def __enter__(self) -> None:
        self._write(clean(self._doing, encoding(sys.stderr)))

    def __exit__(self, *_: object) -> None:
        self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._doing:
            with suppress(OSError, ValueError):
                sys.stderr.write(text)
                sys.stderr.flush()


def has_colour(stream: TextIO | None) -> bool:
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def width(stream: TextIO | None) -> int:
    """Columns to write in: `COLUMNS`, else the terminal's own, else 80."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told[:6]) > 0:
        return int(told[:6])
    with suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN_WIDTH  # type: ignore[union-attr]
    return UNKNOWN_WIDTH


def encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "ascii"
