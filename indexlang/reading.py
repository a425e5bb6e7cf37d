"""Program texts from files."""

from pathlib import Path

from indexlang.text.diagnostics import ProgramError, data_error, diagnostic
from indexlang.text.source import Source, Span


def read_source(path: Path) -> Source:
    """A program's text from a file. Raises DataError E0701, ProgramError E0001."""
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        advice = "name a file, not a folder" if isinstance(problem, IsADirectoryError) else "check the path"
        raise data_error("E0701", path=str(path), reason=reason, advice=advice) from None
    return decoded(str(path), raw)


def decoded(name: str, raw: bytes) -> Source:
    """A program's text from its bytes. Raises ProgramError E0001."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        source = Source(name, raw[: problem.start].decode("utf-8", "replace"))
        end = len(source.text)
        found = diagnostic("E0001", Span(source, end, end), byte=f"0x{raw[problem.start]:02x}", offset=problem.start)
        raise ProgramError([found]) from None
    return Source(name, folded(text))


def folded(text: str) -> str:
    """Line ends as LF; a leading byte-order mark is skipped."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")
