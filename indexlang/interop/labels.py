"""Names of classes from a file: one a line, or a list in JSON."""

import json
from pathlib import Path
from typing import Any, cast

from indexlang.interop.disk import open_file
from indexlang.text.diagnostics import data_error
from indexlang.text.names import visible

LONGEST = 16 << 20


def read_labels(path: Path) -> tuple[str, ...]:
    """The names in order: a list of texts if `path` ends in .json, else the lines, empty ones at the end left out.

    errors  E0701 when it cannot be read; E0707 when it holds no names
    """
    with open_file(path) as file:
        raw = file.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise data_error("E0707", message=f"{path} is too long for names of classes", advice="give one name a line")
    try:
        text = raw.decode("utf-8-sig")
        names = _listed(json.loads(text)) if path.suffix.lower() == ".json" else _lines(text)
    except (ValueError, RecursionError):
        names = ()
    if not names or not all(names):
        kind = "list of texts in JSON" if path.suffix.lower() == ".json" else "text of one name a line"
        raise data_error(
            "E0707", message=f"{path} is no {kind}", advice="give one name a line, in the order of the scores"
        )
    return tuple(visible(name) for name in names)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.rstrip().split("\n")) if text.strip() else ()


def _listed(value: Any) -> tuple[str, ...]:
    """The texts of a list; anything else makes an empty name, which is refused."""
    names = cast(list[object], value) if isinstance(value, list) else []
    return tuple(name.strip() if isinstance(name, str) else "" for name in names)
