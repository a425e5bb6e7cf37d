"""docs/latex.md is true: its formulas are read, its commands are the ones there are, its list is complete."""

import re
from pathlib import Path

import pytest
from lecture_formulas import FORMULAS, OTHERS

import indexlang as il
from indexlang.syntax.latex import words
from indexlang.syntax.latex.typeset import typeset
from indexlang.syntax.parse import parse
from indexlang.text.source import Source

TEXT = (Path(__file__).parents[2] / "docs" / "latex.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```latex\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("latex", BLOCKS)
def test_a_formula_is_read(latex: str):
    assert il.check(latex) == []
    assert il.compile(latex).outputs


def test_the_example_is_typeset_so():
    (notation,) = re.findall(r"The text\n\n```\n(.*?)```", TEXT, re.DOTALL)
    module, found = parse(Source("<text>", notation))
    assert not found
    assert typeset(module) == BLOCKS[-1].rstrip("\n")


def test_the_python_example_runs():
    (python,) = re.findall(r"^```python\nlayer = (.*?\n\))", TEXT, re.MULTILINE | re.DOTALL)
    parts = re.findall(r'r"(.*?)"', python)
    assert set(il.compile("".join(parts)).inputs) == {"W", "L_l", "B"}


COMMANDS = sorted({*words.SIGNS, *words.REDUCTIONS, *words.FUNCTIONS, *words.TEXTS, *words.ACCENTS})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_listed(command: str):
    known = command in "{}%" or command in ("approx", "to", "in", "equiv", "propto", "mid", "Rightarrow")
    assert known or re.search(rf"\\{command}\b", TEXT)


def test_all_that_cannot_be_computed_is_listed():
    rows = [row for row in TEXT.splitlines() if row.startswith("| ") and re.search(r"; [EW]0\d{3}", row)]
    for slide, code in {*((f.slide, f.fails) for f in FORMULAS if f.fails), *((o.slide, o.code) for o in OTHERS)}:
        assert any(slide in row and code in row for row in rows), (slide, code)


@pytest.mark.parametrize(
    "text", re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| .*; [EW]0.*$", TEXT, re.MULTILINE)))
)
def test_a_listed_formula_is_the_slides(text: str):
    shown = [f.latex for f in FORMULAS] + [o.latex for o in OTHERS]
    parts = [part.strip() for part in re.split(r"…|\[…\]|\\vdots", text)]
    assert text.endswith(".idx") or all(any(part in latex for latex in shown) for part in parts if len(part) > 4)
