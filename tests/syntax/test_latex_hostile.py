"""Hostile LaTeX: whatever stands in it, the answer is messages, in linear time."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lecture_formulas import FORMULAS, Formula
from test_latex_in import WAYS, read

import indexlang as il


def only_messages(text: str) -> None:
    """Whatever stands in LaTeX, the answer is messages with places and hints."""
    found = il.check(text + " %\\sum")
    for d in found:
        assert d.message
        assert d.hint
        assert str(il.IndexlangError([d]))


@pytest.mark.parametrize("text", [f.latex for f in FORMULAS[::3]] + [w[0] for w in WAYS[::4]])
def test_latex_cut_anywhere_gets_messages(text: str):
    for end in range(0, len(text), 1 if len(text) < 200 else 3):
        only_messages(text[:end])
        only_messages(text[end:])


SIGNS = r"""\sum_ \frac \sqrt { } { } [ ] ( ) _ ^ & \\ \begin{cases} \end{cases} \text{for} \text{otherwise} \left \right
    \hat \tilde \ell \Delta x L i j , ; = + - * ' . | $ $$ % 1 \max \cdot \times \quad \textcolor{red} \lfloor \rfloor
    \lvert \{ \text{ \begin \dots \infty \log e < ~ # 2.5 σ \textbf \label NEWLINE"""
PIECES = SIGNS.split()


def with_lines(text: str) -> str:
    return text.replace("NEWLINE", "\n")


@settings(max_examples=600)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join).map(with_lines))
def test_any_pieces_of_latex_get_messages(text: str):
    only_messages(text)


@settings(max_examples=300)
@given(
    st.sampled_from(FORMULAS), st.lists(st.tuples(st.floats(0, 0.999), st.sampled_from(PIECES)), min_size=1, max_size=3)
)
def test_lecture_formulas_with_pieces_put_in_get_messages(chosen: Formula, added: list[tuple[float, str]]):
    text = chosen.latex
    for where, piece in added:
        at = int(where * len(text))
        text = text[:at] + piece + text[at:]
    only_messages(text)


def test_deep_nesting_is_refused():
    for text in (r"A = \sin" + "(" * 500, r"A = \frac{1}{" * 500, "A = x^{" * 400 + r"\sin 1", r"A = \hat{" * 500):
        assert any(d.severity.value == "error" for d in il.check(text))


def test_long_latex_takes_linear_time():
    text = "$$A_{n}[i] = \\frac{1}{2} \\sum_j X[i,j]$$\n"
    long = "".join(text.replace("n", str(n)) for n in range(400))
    started = time.perf_counter()
    assert read(long)[1] == []
    assert time.perf_counter() - started < 3


# pieces that a careless reader would look through again and again, or go down into
AGAIN = (
    "{", "}", "(", "[", "$", "$$", r"\[", "%!\n", r"\frac", r"\frac{", r"\hat", r"\hat{x}.", "L.", ".", r"\text{a},", "_{", "^{",
    r"\begin{cases}", r"\begin{cases} 1 & ", r"\begin{equation}", r"\quad=", r"= \quad a", "\n=", "a=\n", "x\n", "A[i]=x\n\n",
    r"{ \\ ", "{{}", r"\textcolor{red}{", r"\mathcal{L", r"\left|", r"\sum_", "A_{ij}", r"\text{for } a, ", "e^", r"\frac12",
)  # fmt: skip


@pytest.mark.parametrize("piece", AGAIN)
def test_a_piece_many_times_takes_linear_time(piece: str):
    text = "\\sum " + piece * (20_000 // len(piece))
    started = time.perf_counter()
    only_messages(text)
    assert time.perf_counter() - started < 3


def test_closed_accents_are_refused_when_deep():
    assert "E0120" in [d.code for d in il.check("A = " + r"\hat{" * 400 + "x" + "}" * 400 + "[0]")]


# -- files


SLIDE = "%! input X[4, 3]\n\nThe squares:\n\n$$y[i] =  \\sum_j X[i,j]^2$$\n"


@pytest.mark.parametrize(
    "raw",
    [
        SLIDE.encode(),
        SLIDE.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + SLIDE.encode(),
        SLIDE.replace("  ", "\t").replace("! input", "!\tinput").encode(),
    ],
)
def test_line_ends_marks_and_tabs_change_nothing(tmp_path: Path, raw: bytes):
    path = tmp_path / "slide.tex"
    path.write_bytes(raw)
    assert il.check(path) == []
    assert il.load(path).inputs["X"].extents == (4, 3)


@pytest.mark.parametrize("c", ["\u202e", "\u200b", "\x00", "\u2028", "\f"])
def test_hidden_characters_are_refused_in_prose_too(c: str):
    (found,) = il.check(c + SLIDE)
    assert (found.code, found.line, found.column) == ("E0002", 1, 1)


def test_a_text_that_is_no_utf8_is_told(tmp_path: Path):
    path = tmp_path / "slide.tex"
    path.write_bytes(SLIDE.encode("utf-16"))
    assert [d.code for d in il.check(path)] == ["E0001"]
