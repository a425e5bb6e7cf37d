"""Write docs/errors.md from the table of codes: `python docs/generate_errors.py` (`--check` only compares)."""

import sys
from pathlib import Path

from pages import keep

from indexlang.cli.commands.explain import said
from indexlang.text.codes import CODES, Code

PAGE = Path(__file__).with_name("errors.md")

GROUPS = {
    "E00": "Text",
    "E01": "Syntax",
    "E02": "Names",
    "E03": "Expressions and types",
    "E04": "Ranges, extents, bounds",
    "E05": "Gradients",
    "E06": "Arguments and weights",
    "E07": "Files",
    "E08": "Training",
    "E09": "Limits",
    "E10": "Numbers",
    "E11": "Export",
    "W": "Warnings",
}
HEAD = """# Errors

Every message has a code. `indexlang explain E0412` prints what stands here.
Generated from `indexlang/text/codes.py` by `python docs/generate_errors.py`; do not edit.
"""


def page() -> str:
    """The whole text of docs/errors.md."""
    parts = [HEAD]
    for prefix, title in GROUPS.items():
        rows = [row for row in CODES.values() if row.code.startswith(prefix)]
        if rows:
            parts.append(f"## {title}\n")
            parts.extend(map(_entry, rows))
    return "\n".join(parts)


def _entry(row: Code) -> str:
    lines = [f"### {row.code}: {row.title}", "", row.story, ""]
    if row.example:
        lines += ["```", *(_plain(line) for line in row.example.strip("\n").split("\n")), "```", ""]
        lines += ["```", *said(row, 100), "```", ""]
    return "\n".join(lines)


def _plain(line: str) -> str:
    """Invisible characters, which some examples are about, are shown by their numbers."""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in line)


if __name__ == "__main__":
    sys.exit(keep(PAGE, page(), "the codes"))
