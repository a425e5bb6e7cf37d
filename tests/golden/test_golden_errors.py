"""Each code's example and what is said about it, as files: tests/golden/errors/E….txt."""

from pathlib import Path

import pytest

from indexlang.api import check
from indexlang.text.codes import CODES, Code
from indexlang.text.render import render_plain

FOLDER = Path(__file__).parent / "errors"
RULE = "\n----\n"
WIDTH = 80
SHOWN = tuple(row for row in CODES.values() if row.example)


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.code)
def test_the_example_of_a_code(
    row: Code, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    path = Path("example.tex" if "$$" in row.example else "example.idx")
    path.write_text(row.example, encoding="utf-8")
    found = check(path)
    golden = FOLDER / f"{row.code}.txt"
    got = row.example.strip("\n") + RULE + "\n\n".join(render_plain(d, WIDTH) for d in found) + "\n"
    if request.config.getoption("--update-golden", default=False):
        golden.write_text(got, encoding="utf-8")
    assert row.code in [d.code for d in found], got
    assert golden.exists(), "run `pytest tests/golden --update-golden`, and review the new file"
    assert golden.read_text(encoding="utf-8") == got


def test_no_file_is_left_over():
    assert {path.stem for path in FOLDER.glob("*.txt")} == {row.code for row in SHOWN}
