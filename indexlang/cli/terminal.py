"""Where text goes: results to stdout, messages and progress to stderr; colour and progress on a terminal only."""

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from indexlang.interop.streams import encoding, has_colour, is_terminal, width
from indexlang.text.diagnostics import Diagnostic
from indexlang.text.render import clean, render_colour, render_plain

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


__all__ = [
    "SCHEMA",
    "Progress",
    "encoding",
    "has_colour",
    "is_terminal",
    "prepare",
    "result",
    "result_json",
    "tell",
    "tell_all",
    "width",
]
