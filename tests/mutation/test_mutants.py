# pyright: reportMissingImports=false
"""Mutants are what they say: a seed gives the same ones again, each changes what its file computes, and nothing but that."""

import ast

import pytest

pytest.importorskip("cosmic_ray")
from mutation import mutants

FILE = "indexlang/ir/affine.py"


def test_each_mutant_is_another_program():
    made = list(mutants.of(FILE))
    plain = ast.dump(ast.parse((mutants.ROOT / FILE).read_text(encoding="utf-8")))
    assert len(made) > 50
    assert len({m.source() for m in made}) == len(made)
    assert all(ast.dump(ast.parse(m.source())) != plain for m in made)


def test_annotations_and_decorators_stay():
    for m in mutants.of(FILE):
        assert m.source().count("@dataclass(frozen=True, slots=True)") == 3, m.shown()
        assert " & None" not in m.source(), m.shown()


def test_a_place_in_the_middle_of_a_statement_belongs_to_its_first_line():
    text = (mutants.ROOT / FILE).read_text(encoding="utf-8").splitlines()
    for m in mutants.of(FILE):
        line, first = m.lines()
        assert first <= line
        assert text[first - 1].strip()


def test_a_seed_gives_the_same_mutants_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mutants, "CORE", ("ir/affine.py", "ir/batches.py"))
    assert mutants.sample(7, 20) == mutants.sample(7, 20)
    assert mutants.sample(7, 20) != mutants.sample(8, 20)
