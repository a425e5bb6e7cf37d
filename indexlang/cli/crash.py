"""Our bug: a short message, and a log file that has the traceback."""

import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from platformdirs import user_log_path

from indexlang import __version__
from indexlang.cli.exits import Exit
from indexlang.cli.terminal import encoding, tell
from indexlang.text.render import clean


def report(surprise: BaseException) -> Exit:
    """Write the log, say where it is, and what to do with it."""
    name, *said = f"{type(surprise).__name__}: {surprise}".splitlines()
    tell(clean(f"internal error: {' '.join([name, *said])[:300]}", encoding(sys.stderr)))
    tell("  This is a bug in indexlang, not in your program.")
    place = _write("".join(traceback.format_exception(surprise)))
    tell(f"  log      {place}" if place else "  (the log file could not be written)")
    tell("  try      indexlang doctor; then report the bug with the log file and the program")
    return Exit.BUG


def _write(trace: str) -> Path | None:
    about = f"indexlang {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv}\n\n"
    for folder in (user_log_path("indexlang", appauthor=False), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="indexlang-", suffix=".log", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(about + trace)
        except OSError:
            continue
        return Path(name)
    return None
