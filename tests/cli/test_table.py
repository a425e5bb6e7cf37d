"""Plain tables: aligned whatever the letters, cut to the page, never failing."""

import pytest

from indexlang.cli.table import Table, bytes_told, counted, shortened

ROWS = (("L1[b,x] = relu(sum W[i]*L0[b,x+i])", "1×55", "34,944"), ("漢字[i] = μ̂[i]", "9", ""))
TABLE = Table(("equation", "extents", "parameters"), ROWS, ("total", "", "34,944"))


def test_a_table():
    assert TABLE.text(42).splitlines() == [
        "equation               extents  parameters",
        "------------------------------------------",
        "L1[b,x] = relu(sum W…     1×55      34,944",
        "漢字[i] = μ\u0302[i]               9",
        "------------------------------------------",
        "total                               34,944",
    ]
    assert "…" not in TABLE.text(200)


@pytest.mark.parametrize("width", [0, 10, 40, 80])
def test_any_width(width: int):
    lines = TABLE.text(width, "ascii").splitlines()
    assert all(line.isascii() for line in lines)
    assert max(map(len, lines)) <= max(width, 8 + 2 * 2 + 7 + 10)


@pytest.mark.parametrize(
    ("text", "width", "wanted"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("漢字漢", 5, "漢字…"), ("", 0, "")]
)
def test_shortened(text: str, width: int, wanted: str):
    assert shortened(text, width) == wanted


@pytest.mark.parametrize(
    ("number", "wanted"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (32 << 20, "32 MiB"), (1 << 50, "1024 TiB")]
)
def test_bytes(number: int, wanted: str):
    assert bytes_told(number) == wanted


def test_counts():
    assert (counted(0), counted(1135256096)) == ("", "1,135,256,096")
