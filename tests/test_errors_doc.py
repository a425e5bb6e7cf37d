"""The table of codes: in order, documented, and told the same by `explain` and by docs/errors.md."""

import string
from pathlib import Path

import generate_errors
import pytest

from indexlang.text.codes import CODES, Code

DOCS = Path(__file__).parents[1] / "docs"


def test_the_page_is_up_to_date():
    wanted = generate_errors.page()
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == wanted, "run `python docs/generate_errors.py`"
    assert all(f"### {code}:" in wanted for code in CODES)


def test_codes_stand_in_order():
    assert list(CODES) == sorted(CODES)


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_a_row_is_whole(row: Code):
    assert row.title
    assert row.title[0].islower() or row.title.split()[0].isupper()
    assert row.message
    assert row.hint
    assert row.story.endswith(".")
    assert row.severity == ("warning" if row.code.startswith("W") else "error")
    for text in (row.message, row.hint):
        assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(text))
