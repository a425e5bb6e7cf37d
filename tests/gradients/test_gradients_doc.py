"""docs/gradients.md shows what the compiler makes, and every function of numbers stands in its table."""

from pathlib import Path

import generate_gradients

from indexlang.ir import ops

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    text = (DOCS / "gradients.md").read_text(encoding="utf-8")
    assert text == generate_gradients.page(text), "run `python docs/generate_gradients.py`"


def test_every_program_of_the_page_has_its_equations() -> None:
    text = (DOCS / "gradients.md").read_text(encoding="utf-8")
    blocks = text.count("\n```\n") // 2
    found = [m["adjoint"] for m in generate_gradients._GIVES.finditer(text)]
    assert len(found) == text.count("\ngives") + text.count("\nchanges with") == blocks // 2
    assert all(found)


def test_every_function_has_its_row() -> None:
    table = generate_gradients.slopes()
    for op in ops.FUNCTIONS.values():
        assert f"{op.name}(" in table or f"`{op.name}`" in table
