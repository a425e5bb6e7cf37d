"""The renderer: carets under the right columns, whatever the text, the width and the terminal."""

import json
from unicodedata import combining, east_asian_width

import pytest

from indexlang.text.diagnostics import Diagnostic, Note, Severity, data_error, diagnostic
from indexlang.text.render import as_json, render_colour, render_github, render_plain, render_short
from indexlang.text.source import Source, Span

TEXT = "input L0[B,28,28,3]\nL1[b,x,y,j] = relu(sum W[dx,dy,i,j]*L0[b,s*x+dx,s*y+dy,i] - B[j])\n"
NEST = {"subscript": "s*x+dx", "axis": 1, "tensor": "L0", "witness": "x = 12, dx = 4 gives 28"}
ADVICE = "L1[b,x:12,y:12,j], or pad L0 by one row"


def mark(text: str, marked: str, name: str = "conv.idx") -> Span:
    start = text.index(marked)
    return Span(Source(name, text), start, start + len(marked))


def message(span: Span, text: str = "it is wrong", hint: str = "", notes: tuple[Note, ...] = ()) -> Diagnostic:
    return Diagnostic("E0412", Severity.ERROR, text, span, notes, hint)


def columns(text: str) -> int:
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def carets(rendered: str) -> str:
    """What stands above the carets."""
    lines = rendered.splitlines()
    at = next(n for n, line in enumerate(lines) if "^" in line)
    start, stop = lines[at].index("^"), lines[at].rindex("^") + 1
    above, column, out = lines[at - 1], 0, ""
    for c in above:
        if start <= column < stop:
            out += c
        column += columns(c)
    return out


def test_the_whole_of_a_message():
    rows = "L0 has 28 rows, so s*x+dx must stay below 28"
    because = [(rows, mark(TEXT, "input")), "W has 5 rows, so dx reaches 4; and s = 2"]
    d = diagnostic("E0412", mark(TEXT, "s*x+dx"), because, **NEST, advice=ADVICE)
    assert render_plain(d) == (
        "error[E0412]: `s*x+dx` leaves axis 1 of `L0`: x = 12, dx = 4 gives 28\n"
        "  conv.idx:2:42\n"
        "  2 | L1[b,x,y,j] = relu(sum W[dx,dy,i,j]*L0[b,s*x+dx,s*y+dy,i] - B[j])\n"
        "    |                                          ^^^^^^\n"
        "  because  L0 has 28 rows, so s*x+dx must stay below 28   (conv.idx:1:1)\n"
        "           W has 5 rows, so dx reaches 4; and s = 2\n"
        "  try      L1[b,x:12,y:12,j], or pad L0 by one row    more: indexlang explain E0412"
    )


def test_a_message_without_a_place_has_no_excerpt():
    error = data_error("E0701", path="a.npy", reason="there is no such file", advice="check the name")
    assert render_plain(error.diagnostics[0]).splitlines() == [
        "error[E0701]: cannot read a.npy: there is no such file",
        "  try      check the name    more: indexlang explain E0701",
    ]


ODD = (
    ("A[i] = X[i] + q", "q"),
    ("A[i]\t=\tX[i] +\tq", "q"),
    ("漢字[i] = 漢[i] + q", "q"),
    ("漢字[i] = 漢[i] + q", "漢["),
    ("μ\u0302[i] = X[i] + q", "q"),
    ("A = \x1b[31m q", "q"),
    ("A = \u202e q", "q"),
    ("x" * 70 + " q", "q"),
    ("q " + "x" * 70, "q"),
    ("x" * 100_000 + " q " + "y" * 100_000, "q"),
    ("漢" * 1000 + "q" + "漢" * 1000, "q"),
)


@pytest.mark.parametrize("width", [24, 40, 80])
@pytest.mark.parametrize(("text", "marked"), ODD)
def test_carets_stand_under_the_span(text: str, marked: str, width: int):
    rendered = render_plain(message(mark(text, marked)), width)
    assert carets(rendered) == marked
    assert max(columns(line) for line in rendered.splitlines()) <= max(width, len("  more: indexlang explain E0412"))


@pytest.mark.parametrize(("text", "marked"), ODD)
def test_an_ascii_terminal_gets_ascii(text: str, marked: str):
    rendered = render_plain(message(mark(text, marked, "漢.idx"), "Σ … ×"), 60, "ascii")
    assert rendered.isascii()
    assert all(line.isprintable() for line in rendered.splitlines())
    assert "<U+03A3> ... x" in rendered


PLACES = (
    ("", 0, 0),
    ("A =", 3, 3),
    ("A =\n", 3, 4),
    ("A =\n", 4, 4),
    ("A =", 99, 120),
    ("A[i,\n j]\n = 3", 2, 12),
    ("\n\n\n", 0, 3),
)


@pytest.mark.parametrize(("text", "start", "stop"), PLACES)
def test_any_span_has_carets_inside_its_line(text: str, start: int, stop: int):
    lines = render_plain(message(Span(Source("a.idx", text), start, stop)), 60).splitlines()
    under = [(lines[n - 1], line) for n, line in enumerate(lines) if "^" in line]
    assert under
    assert all(len(line) <= max(len(above), 6) + 1 for above, line in under)


def test_a_span_of_several_lines_shows_its_first_and_last():
    text = "A[i,\n  j] = (X[i\n   ,j]\n + 3"
    lines = render_plain(message(Span(Source("a.idx", text), 2, len(text)))).splitlines()
    assert lines[2:7] == ["  1 | A[i,", "    |   ^^", "    …", "  4 |  + 3", "    |  ^^^"]


def test_nothing_acts_on_the_terminal():
    d = message(mark("A = q", "q", "\x1b[2J.idx"), "\x1b]0;title\x07 \u202e\n second", "\x9b31m", (Note("\ud800"),))
    for rendered in (render_plain(d), render_short(d)):
        assert "\x1b" not in rendered
        assert "\u202e" not in rendered
        assert "\x9b" not in rendered
    assert "<U+D800>" in render_plain(d)
    assert "\n" not in render_short(d)


def test_long_texts_are_cut():
    assert len(render_plain(message(mark("A", "A"), "x" * 10**6, "y" * 10**6))) < 4000


def test_colour_is_the_plain_text_with_codes():
    import re

    d = diagnostic("E0412", mark(TEXT, "s*x+dx"), ["a fact"], **NEST, advice=ADVICE)
    bare = re.sub("\x1b\\[[0-9;]*m", "", render_colour(d, 80))
    assert [line.rstrip() for line in bare.splitlines()] == render_plain(d, 80).splitlines()
    assert "\x1b[1;31m" in render_colour(d, 80)


def test_one_line():
    d = diagnostic("E0412", mark(TEXT, "s*x+dx"), **NEST, advice=ADVICE)
    assert render_short(d) == "conv.idx:2:42: error[E0412]: `s*x+dx` leaves axis 1 of `L0`: x = 12, dx = 4 gives 28"


def test_json_has_the_fields_of_the_contract():
    d = diagnostic("E0412", mark(TEXT, "s*x+dx"), [("a fact", mark(TEXT, "input")), "another"], **NEST, advice=ADVICE)
    value = json.loads(json.dumps(as_json(d)))
    assert (value["code"], value["severity"], value["file"]) == ("E0412", "error", "conv.idx")
    assert (value["line"], value["column"], value["end_line"], value["end_column"]) == (2, 42, 2, 48)
    place = {"file": "conv.idx", "line": 1, "column": 1, "end_line": 1, "end_column": 6}
    assert value["notes"][0] == {"text": "a fact", **place}
    assert value["notes"][1]["file"] is None
    assert value["hint"] == ADVICE


def test_a_workflow_command_is_escaped():
    d = message(mark("A = 100% q", "q", "a,b:c.idx"), "100%\nwrong", "try this")
    assert render_github(d) == (
        "::error file=a%2Cb%3Ac.idx,line=1,col=10,endLine=1,endColumn=11,title=E0412::100%25%0Awrong%0Atry try this"
    )
