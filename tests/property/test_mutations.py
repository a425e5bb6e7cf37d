"""Wrong sources by the thousand: whatever stands in a program, `check` answers with messages, and never with a fault."""

from pathlib import Path
from random import Random

import pytest
from bad_programs import BAD
from cases import CASES
from fuzz import numbered, run
from hypothesis import given, settings
from hypothesis import strategies as st
from lecture_formulas import FORMULAS
from long_runs import part_of
from mutate import Seed, mutant, shipped
from onlymessages import only_messages

HERE = Path("program.idx")
TEXTS = [case.text for case in CASES] + [b.text for b in BAD if isinstance(b.text, str) and len(b.text) < 500]
SEEDS = tuple(Seed(HERE, text.encode("utf-8", "surrogatepass")) for text in (*TEXTS, *(f.latex for f in FORMULAS)))
SHIPPED = shipped()
SECONDS = 1.0
DEEP = 3.0  # of a deep network


def seconds(path: Path) -> float:
    return DEEP if path.parent.name in ("models", "indexlang", "train") else SECONDS


@pytest.mark.parametrize("number", range(20))
def test_mutated_texts_of_the_tables_get_messages(number: int) -> None:
    random = Random(f"tables/{number}")
    for _ in range(100):
        only_messages(HERE, mutant(random, random.choice(SEEDS), SEEDS), SECONDS)


def test_mutated_files_get_messages() -> None:
    assert run(seed=0, numbers=range(1000), minutes=10.0, folder=None) == (1000, 0)


@pytest.mark.soak
def test_mutated_files_get_messages_for_long() -> None:
    """A million of them; `python tests/property/fuzz.py` takes another seed, or less time."""
    numbers = part_of(range(1_000_000))
    assert run(seed=20, numbers=numbers, minutes=600.0, folder=None) == (len(numbers), 0)


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_gets_messages(text: str) -> None:
    only_messages(HERE, text.encode("utf-8", "surrogatepass"), SECONDS)


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_get_messages(raw: bytes) -> None:
    only_messages(HERE, raw, SECONDS)


@pytest.mark.parametrize("seed", SEEDS[::25])
def test_a_text_cut_anywhere_gets_messages(seed: Seed) -> None:
    for end in range(len(seed.raw)):
        only_messages(HERE, seed.raw[:end], SECONDS)


@pytest.mark.parametrize("seed", SHIPPED, ids=lambda s: s.path.name)
def test_a_file_cut_at_some_bytes_gets_messages(seed: Seed) -> None:
    """At twelve places, other ones for each file: the soak run cuts at every byte."""
    random = Random(seed.path.name)
    for end in sorted(random.sample(range(len(seed.raw)), 12)):
        only_messages(seed.path, seed.raw[:end], seconds(seed.path))


@pytest.mark.soak
@pytest.mark.parametrize("seed", SHIPPED, ids=lambda s: s.path.name)
def test_a_file_cut_at_every_byte_gets_messages(seed: Seed) -> None:
    for end in range(len(seed.raw)):
        only_messages(seed.path, seed.raw[:end], seconds(seed.path))


def test_a_mutant_is_the_same_for_ever() -> None:
    (chosen, one), (again, two) = (numbered(1, 2, SHIPPED) for _ in range(2))
    assert chosen == again
    assert one == two != chosen.raw
    assert len(SHIPPED) > 50
