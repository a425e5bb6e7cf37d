"""The lecture's formulas in examples/lecture: each file runs, and what it says of its results holds.

A file says it behind its outputs: `output error  # 0`, `output variance  # 1 ± 0.03`.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import indexlang as il
from indexlang.interop.files import read_input

FOLDER = Path(__file__).parents[1] / "examples" / "lecture"
FILES = sorted(path for path in FOLDER.glob("[0-9][0-9]-*.idx"))
SLOW = {
    "08-fully-convolutional.idx",
    "14-alexnet.idx",
    "15-vgg.idx",
    "20-xavier.idx",
    "19-repeated-multiplication.idx",
}  # for the interpreter
_SAID = re.compile(r"^output ([^#,\n]+?)\s*#\s*(-?[0-9.e+-]+)(?:\s*±\s*([0-9.e-]+))?", re.MULTILINE)


def said(path: Path) -> dict[str, tuple[float, float]]:
    """What a file says of its results: the value, and how far it may be off."""
    found = _SAID.findall(path.read_text(encoding="utf-8"))
    return {name: (float(value), float(within or 1e-4)) for name, value, within in found}


def results(path: Path, *, interpreted: bool = False) -> dict[str, np.ndarray]:
    program = il.load(path)
    given = {n: read_input(path.parent / file, program.inputs[n]) for n, file in program.defaults.items()}
    found = program.interpret(*given.values()) if interpreted else program(*given.values(), want=list(program.outputs))
    names = list(program.outputs)
    return {names[0]: found} if len(names) == 1 else {n: found[n] for n in names}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_what_a_file_says_of_its_results_holds(path: Path) -> None:
    expected = said(path)
    assert expected, "the file checks nothing"
    found = results(path)
    for name, (value, within) in expected.items():
        assert abs(float(found[name]) - value) <= within * max(1, abs(value)), (name, float(found[name]))


@pytest.mark.parametrize("path", [p for p in FILES if p.name not in SLOW], ids=lambda p: p.name)
def test_the_interpreter_agrees(path: Path) -> None:
    found, wanted = results(path), results(path, interpreted=True)
    for name, value in wanted.items():
        assert np.allclose(found[name], value, rtol=1e-3, atol=1e-4), name


def test_the_table_lists_the_files() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(([0-9][0-9]-[^)]+\.idx)\)", text) == [p.name for p in FILES]
