"""Program texts from files."""

from pathlib import Path

from indexlang.text.diagnostics import ProgramError, data_error, diagnostic
from indexlang.text.source import MAX_TEXT, Source, Span

_MOST = 4 * MAX_TEXT  # bytes of a text; a character has at most four


def read_source(path: Path) -> Source:
    """A program's text from a file. Raises DataError E0701, ProgramError E0001."""
    try:
        raw = read_bytes(path)
    except (OSError, ValueError) as problem:
        reason, advice = why_not_read(problem)
        raise data_error("E0701", path=str(path), reason=reason, advice=advice) from None
    return decoded(str(path), raw)


def read_bytes(path: Path) -> bytes:
    """A file's bytes, as long as a text may have so many. Raises OSError, ValueError."""
    with path.open("rb") as file:
        raw = file.read(_MOST + 1)
    if len(raw) > _MOST:
        raise ValueError(f"it has more than {_MOST} bytes")
    return raw


def why_not_read(problem: OSError | ValueError) -> tuple[str, str]:
    """The reason, and what to do."""
    advice = "name a file, not a folder" if isinstance(problem, IsADirectoryError) else "check the path"
    return getattr(problem, "strerror", None) or str(problem), advice


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
