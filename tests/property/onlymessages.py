"""The promise of `check`: for every byte string, messages and nothing else. What a sound message has, as assertions."""

import re
import time
from pathlib import Path

import indexlang as il
from indexlang.checking import checked
from indexlang.ir.dtypes import DType
from indexlang.reading import decoded
from indexlang.text.diagnostics import Diagnostic, ProgramError, Severity
from indexlang.text.render import as_json, render_plain, render_short


def findings(path: Path, raw: bytes) -> tuple[Diagnostic, ...]:
    """What `check` says of a file of these bytes that would lie at `path`."""
    try:
        source = decoded(path.name, raw)
    except ProgramError as error:
        return error.diagnostics
    return checked(source, None, DType.F32, path.parent).diagnostics


def only_messages(path: Path, raw: bytes, seconds: float) -> None:
    """`check` ends within `seconds` of its own time with sound messages."""
    started = time.process_time()
    found = findings(path, raw)
    spent = time.process_time() - started
    assert spent < seconds, f"{spent:.1f} s"
    sound(found)


def sound(found: tuple[Diagnostic, ...] | list[Diagnostic]) -> None:
    """Each message has a code, a place inside the text, words, a hint, and can be printed."""
    for d in found:
        assert re.fullmatch(r"[EW]\d{4}", d.code)
        assert (d.severity is Severity.ERROR) == d.code.startswith("E")
        assert d.message
        assert d.hint
        _inside(d)
    for d in found[:2]:
        _printed(d)


def _inside(d: Diagnostic) -> None:
    text = d.span.source.text
    end = len(text) + 1  # what is missing stands just behind the text
    assert 0 <= d.span.start <= d.span.end <= end, f"{d} {d.span.start} {d.span.end} of {len(text)}"
    assert d.line >= 1
    assert 1 <= d.column <= len(d.span.source.line(d.line)) + 1, d
    assert (d.end_line, d.end_column) >= (d.line, d.column)


def _printed(d: Diagnostic) -> None:
    for width in (40, 100):
        plain = render_plain(d, width)
        assert f"[{d.code}]" in plain
        assert "Traceback" not in plain
    assert "\n" not in render_short(d, "ascii")
    assert as_json(d)["code"] == d.code
    assert str(il.IndexlangError([d]))
