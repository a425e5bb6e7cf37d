"""docs/gradients.md shows what the compiler makes, and every function of numbers stands in its table."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from indexlang.ir import ops

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_gradients", DOCS / "generate_gradients.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    text = (DOCS / "gradients.md").read_text(encoding="utf-8")
    assert text == generator.page(text), "run `python docs/generate_gradients.py`"


def test_every_program_of_the_page_has_its_equations(generator: ModuleType) -> None:
    text = (DOCS / "gradients.md").read_text(encoding="utf-8")
    blocks = text.count("\n```\n") // 2
    found = [m["adjoint"] for m in generator._GIVES.finditer(text)]
    assert len(found) == text.count("\ngives") + text.count("\nchanges with") == blocks // 2
    assert all(found)


def test_every_function_has_its_row(generator: ModuleType) -> None:
    table = generator.slopes()
    for op in ops.FUNCTIONS.values():
        assert f"{op.name}(" in table or f"`{op.name}`" in table
