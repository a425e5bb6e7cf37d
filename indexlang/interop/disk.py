"""Opening and writing files with care: only ordinary files, inside the folder where that is asked, written aside."""

import os
import stat
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import BinaryIO

from indexlang.text.diagnostics import DataError, data_error


def open_file(path: Path) -> BinaryIO:
    """Open an ordinary file that the user named; links are followed, devices and pipes refused (E0701)."""
    try:
        return _open_regular(path, 0)
    except (OSError, ValueError) as problem:
        raise _unreadable(path, problem) from None


def open_inside(folder: Path, path: Path) -> BinaryIO:
    """Open an ordinary file that a program named: below `folder`, reached through no link (E0703, E0701).

    path  relative to `folder`, or absolute and below it; `..` and URLs are refused
    """
    parts = _parts_inside(folder, path)
    try:
        return _open_regular(_without_links(folder, parts, path), getattr(os, "O_NOFOLLOW", 0))
    except (OSError, ValueError) as problem:
        raise _unreadable(path, problem) from None


@contextmanager
def written_aside(path: Path) -> Generator[Path, None, None]:
    """A path beside `path` to write to; it takes the place of `path` when the block ends well, else it is removed.

    errors  E0705 when it cannot be written; a failure at any instant leaves the old file whole
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        _synced(aside)
        os.replace(aside, path)
        _synced(path.parent)
    except (OSError, ValueError) as problem:
        raise data_error("E0705", path=path, reason=reason(problem)) from None
    finally:
        with suppress(OSError, ValueError):
            aside.unlink()


def check_place(path: Path, endings: Collection[str], told: str) -> None:
    """Refuse, before anything is computed for it, what cannot be written to (E0705): another ending, no such folder.

    told  the endings, as a sentence has them
    """
    if path.suffix.lower() not in endings:
        raise data_error("E0705", path=path, reason=f"its name should end in {told}")
    try:
        found = path.parent.is_dir()
    except (OSError, ValueError):
        found = False
    if not found:
        raise data_error("E0705", path=path, reason="there is no such folder")


def reason(problem: Exception) -> str:
    """What the system said, without the path that the message has already."""
    said = problem.strerror if isinstance(problem, OSError) else None
    return (said or str(problem) or type(problem).__name__).lower()


def _open_regular(path: Path, flags: int) -> BinaryIO:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | flags)
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise ValueError("it is a folder" if stat.S_ISDIR(mode) else "it is a device or a pipe, not a file")
    return os.fdopen(handle, "rb")


def _parts_inside(folder: Path, path: Path) -> tuple[str, ...]:
    relative = path
    if path.is_absolute():
        try:
            relative = path.relative_to(folder.absolute())
        except ValueError:
            raise _outside(path, "write it relative to the program's folder") from None
    if ":/" in relative.as_posix():  # what is left of `://` in a path
        raise _outside(path, "nothing is fetched: copy the file beside the program")
    if ".." in relative.parts:
        raise _outside(path, "a path with `..` is refused: copy the file beside the program")
    return relative.parts


def _without_links(folder: Path, parts: tuple[str, ...], path: Path) -> Path:
    at = folder
    for part in parts:
        at = at / part
        if stat.S_ISLNK(os.lstat(at).st_mode):
            raise _outside(path, f"`{part}` is a link: copy the file itself beside the program")
    return at


def _outside(path: PurePath, hint: str) -> DataError:
    return data_error("E0703", path=path, hint=hint)


def _unreadable(path: PurePath, problem: Exception) -> DataError:
    missing = isinstance(problem, FileNotFoundError)
    advice = "check the name and the folder" if missing else "give a file that may be read"
    return data_error("E0701", path=path, reason=reason(problem), advice=advice)


def _synced(path: Path) -> None:
    """Have the system write `path` (a file or a folder) to the disk."""
    if os.name != "posix" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
