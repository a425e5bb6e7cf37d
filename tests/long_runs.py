"""Long runs in parts: `SOAK_PART=3/100 pytest -m soak` does the third of a hundred parts of every run that is counted.

Each part has a seed of its own, which is its name, so that a run can be gathered over many sittings on many machines, and what
was looked at is known. Without the variable there is one part, `1/1`: the whole.
"""

import os
import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

PART = os.environ.get("SOAK_PART", "1/1")


def parsed(part: str) -> tuple[int, int]:
    """`3/100` is (2, 100): how many parts come before, and how many there are."""
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", part)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"SOAK_PART is {part!r}; it is a part of so many, as in 3/100")
    return int(found[1]) - 1, int(found[2])


def part_of(whole: range, part: str = PART) -> range:
    """The numbers of a counted run that are this part's: every number is in one part."""
    before, parts = parsed(part)
    return whole[len(whole) * before // parts : len(whole) * (before + 1) // parts]


def many(count: int) -> Callable[[Any], Any]:
    """A property that is looked at in so many examples in all, with seeds of this part."""

    def marked(test: Any) -> Any:
        wanted = hypothesis.settings(max_examples=max(1, len(part_of(range(count)))))
        return pytest.mark.soak(hypothesis.seed(PART)(wanted(test)))

    return marked
