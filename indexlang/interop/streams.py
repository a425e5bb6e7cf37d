"""What is known of a stream that text goes to: whether it is a terminal, its width, its characters, its colours."""

import os
from contextlib import suppress
from typing import TextIO

UNKNOWN_WIDTH = 80


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody watches; a closed stream is no terminal."""
    try:
        return stream is not None and stream.isatty()
    except (ValueError, AttributeError, OSError):
        return False


def is_dumb() -> bool:
    """Whether the terminal is said to know no control sequences."""
    return os.environ.get("TERM") == "dumb"


def has_colour(stream: TextIO | None) -> bool:
    """Whether colours may be written: a terminal that knows them, and `NO_COLOR` is not set."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and not is_dumb()


def width(stream: TextIO | None) -> int:
    """Columns to write in: `COLUMNS`, else the terminal's own, else 80."""
    told = os.environ.get("COLUMNS", "")
    if told.isascii() and told.isdigit() and int(told[:6]) > 0:
        return int(told[:6])
    with suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(stream.fileno()).columns or UNKNOWN_WIDTH  # type: ignore[union-attr]
    return UNKNOWN_WIDTH


def encoding(stream: TextIO | None) -> str:
    """The stream's encoding; ascii, which suits every one, where it has none."""
    return getattr(stream, "encoding", None) or "ascii"


__all__ = ["encoding", "has_colour", "is_dumb", "is_terminal", "width"]
