"""docs/layers.md is what the prelude says of itself, and every layer says enough."""

from pathlib import Path

import generate_layers
import pytest

from indexlang.syntax.prelude import prelude_names

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    wanted = generate_layers.page()
    assert (DOCS / "layers.md").read_text(encoding="utf-8") == wanted, "run `python docs/generate_layers.py`"


def test_every_layer_is_on_the_page() -> None:
    made = generate_layers
    found = made.layers(made.PRELUDE.read_text(encoding="utf-8"))
    assert {x.name for x in found} == set(prelude_names().values())
    assert all(x.story and x.section for x in found)


@pytest.mark.parametrize("name", sorted(prelude_names().values()))
def test_a_layer_names_its_twin(name: str) -> None:
    made = generate_layers
    forms = [x for x in made.layers(made.PRELUDE.read_text(encoding="utf-8")) if x.name == name]
    assert any("PyTorch" in x.fields or x.story == "Padding, by its other name." for x in forms)
