"""Write docs/layers.md from the comments in indexlang/prelude.idx: `python docs/generate_layers.py` (`--check` only compares)."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from pages import keep

PAGE = Path(__file__).with_name("layers.md")
PRELUDE = Path(__file__).parents[1] / "indexlang" / "prelude.idx"

HEAD = """# Layers

The functions that every program can call. They are written in the language itself, in
[indexlang/prelude.idx](../indexlang/prelude.idx): read there what they compute. Names match in any case.
Generated from the comments of that file by `python docs/generate_layers.py`; do not edit.
"""
FIELDS = ("Extents", "Groups", "PyTorch", "Source")


@dataclass(frozen=True)
class Layer:
    """One form of a function: its head, what it says of itself, and the labelled lines below that."""

    section: str
    name: str
    head: str
    story: str
    fields: dict[str, str]

    @property
    def needed(self) -> str:
        """The head without what has a default."""
        inner = " ".join(self.head.split())[len(self.name) + 1 : -1]
        parts = re.split(r", (?![^\[]*\])", inner)
        kept = [p for p in parts if "=" not in p or p.endswith("= ?")]
        return f"{self.name}({', '.join([*kept, *(['…'] if len(kept) < len(parts) else [])])})"


def layers(text: str) -> list[Layer]:
    """The functions of the prelude in their order."""
    section, comment, out = "", [], list[Layer]()
    for match in re.finditer(r"^(# -- (?P<section>.*)|#(?P<comment>.*)|def (?P<head>[^:]*\)):|)$", text, re.MULTILINE):
        if match["section"]:
            section = match["section"]
        elif match["comment"] is not None:
            comment.append(match["comment"].strip())
        elif match["head"]:
            out.append(_layer(section, match["head"], comment))
        if not match["comment"]:
            comment = []
    return out


def _layer(section: str, head: str, comment: list[str]) -> Layer:
    joined: list[str] = []
    for line in comment:
        if joined and not line.startswith(tuple(f"{f}:" for f in FIELDS)):
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    fields = dict(line.split(": ", 1) for line in joined[1:])
    return Layer(section, head.partition("(")[0], head, joined[0] if joined else "", fields)


def page() -> str:
    """The whole text of docs/layers.md."""
    found = layers(PRELUDE.read_text(encoding="utf-8"))
    rows = [f"| `{x.needed}` | {_cell(x.story)} | {_cell(x.fields.get('PyTorch', ''))} |" for x in found]
    parts = [HEAD, "| call | what it computes | PyTorch |", "|---|---|---|", *rows, ""]
    for section in dict.fromkeys(x.section for x in found):
        parts.append(f"## {section.capitalize()}\n")
        parts.extend(_entry(x) for x in found if x.section == section)
    return "\n".join(parts)


def _cell(text: str) -> str:
    """The first sentence."""
    return _escaped(text.split(". ")[0].rstrip(".")).replace("|", "\\|")


def _escaped(text: str) -> str:
    """Stars are products here, except in code, where they may stand as they are."""
    parts = text.split("`")
    return "`".join(p if n % 2 else p.replace("*", "\\*") for n, p in enumerate(parts))


def _entry(x: Layer) -> str:
    lines = [f"### {x.needed}", "", "```idx", f"def {x.head}", "```", "", _escaped(x.story), ""]
    fields = [f"- {name}: {_escaped(text)}" for name, text in x.fields.items()]
    return "\n".join([*lines, *fields, ""] if fields else lines)


if __name__ == "__main__":
    sys.exit(keep(PAGE, page(), "the prelude's comments"))
