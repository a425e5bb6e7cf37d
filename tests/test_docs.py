"""Every program in the documents is one: it checks, or it is marked wrong and raises the codes it names."""

import re
from pathlib import Path

import pytest

from indexlang.api import check

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs() -> list[tuple[str, str]]:
    """(place, text) of each block without a language in which something is defined."""
    found = []
    for name in ("README.md", "docs/notation.md", "docs/latex.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if re.search(r"^\w+\[.*\] *\+?=", match[1], re.MULTILINE) and "error[" not in match[1]:
                found.append((f"{name}:{line}", match[1]))
    return found


FOUND = programs()


def test_there_are_programs():
    assert len(FOUND) > 8


@pytest.mark.parametrize(("place", "text"), FOUND, ids=[place for place, _ in FOUND])
def test_a_program_of_the_documents(place: str, text: str):
    told = [d.code for d in check(text)]
    if text.startswith("# wrong"):
        assert told == re.findall(r"E0\d{3}", text)
    else:
        assert told == []
