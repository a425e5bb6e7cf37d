"""Wrong texts by the thousand: whatever stands in a program, `check` answers with messages, and never with a fault."""

import re
import time
from pathlib import Path

import pytest
from bad_programs import BAD
from cases import CASES
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lecture_formulas import FORMULAS

import indexlang as il

SEEDS = [case.text for case in CASES] + [b.text for b in BAD if isinstance(b.text, str) and len(b.text) < 500]
SEEDS += [formula.latex for formula in FORMULAS]
TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
SPARE = (
    *"[](){}=+-*/%^,:;~<>#\"'_|&!?.@$\\\n\t 0123456789ijxAN",
    *(
        "input",
        "param",
        "tensor",
        "output",
        "if",
        "else",
        "and",
        "not",
        "from",
        "sum",
        "max",
        "mean",
        "argmax",
        "sum_{",
        "+=",
        "==",
    ),
    *(
        "i:0",
        "i:-1",
        "else 0",
        "else wrap",
        "floor(",
        "1e999",
        "0.5",
        "99999999999999999999",
        "for",
        "def",
        "state",
        "inf",
        "nan",
    ),
    *(
        "σ",
        "Σ",
        "√",
        "∞",
        "≤",
        "⌊",
        "²",
        "٣",
        "é",
        "e\u0301",
        "\u202e",
        "\u200b",
        "\x00",
        "\r",
        "\u2028",
        "𝔸",
        "\ud800",
        "ﬁ",
        "А",
    ),
    *("$$", "\\sum_", "\\frac{", "\\left(", "\\right]", "\\tilde", "\\\\", "\\begin{cases}", "\\text{for }", "\\ldots"),
)


def mutated() -> st.SearchStrategy[str]:
    """A good or nearly good text with a few tokens dropped, doubled, swapped, replaced, or cut off."""
    return st.builds(_edited, st.sampled_from(SEEDS), st.lists(_edit(), min_size=1, max_size=4))


def _edit() -> st.SearchStrategy[tuple[str, float, float, str]]:
    where = st.floats(0, 1, exclude_max=True)
    return st.tuples(
        st.sampled_from(["drop", "double", "swap", "put", "replace", "cut", "join"]),
        where,
        where,
        st.sampled_from(SPARE),
    )


def _edited(text: str, edits: list[tuple[str, float, float, str]]) -> str:
    words = TOKEN.findall(text)
    for kind, here, there, spare in edits:
        a, b = int(here * len(words)), int(there * len(words))
        match kind if words else "put":
            case "drop":
                del words[a]
            case "double":
                words.insert(b, words[a])
            case "swap":
                words[a], words[b] = words[b], words[a]
            case "put":
                words.insert(a, spare)
            case "replace":
                words[a] = spare
            case "cut":
                del words[a:]
            case _:
                words += ["\n", *TOKEN.findall(SEEDS[int(there * len(SEEDS))])]
    return "".join(words)


@settings(max_examples=1000)
@given(mutated())
@example("")
@example("\n")
@example("=")
@example("A[i]")
def test_a_mutated_text_gets_messages(text: str) -> None:
    only_messages(text)


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_gets_messages(text: str) -> None:
    only_messages(text)


@pytest.mark.soak
@settings(max_examples=1_000_000)
@given(mutated())
def test_a_mutated_text_gets_messages_for_long(text: str) -> None:
    only_messages(text)


@settings(max_examples=300)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes_get_messages(
    tmp_path_factory: pytest.TempPathFactory, text: str, flips: list[tuple[float, int]]
) -> None:
    raw = bytearray(text.encode())
    for where, byte in flips:
        raw[int(where * len(raw))] = byte
    path = tmp_path_factory.getbasetemp() / "flipped.idx"
    path.write_bytes(raw)
    sound(il.check(path))


@pytest.mark.parametrize("text", SEEDS[::25])
def test_a_text_cut_anywhere_gets_messages(text: str) -> None:
    for end in range(len(text)):
        only_messages(text[:end])


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "examples").rglob("*.idx")), ids=lambda p: p.name)
def test_an_example_cut_at_any_line_gets_messages(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    step = max(17, len(text) // 12) if path.parent.name == "models" else 17  # deep networks take their time
    for end in range(0, len(text), step):
        only_messages(text[:end], 3.0 if path.parent.name == "models" else 1.0)


def only_messages(text: str, seconds: float = 1.0) -> None:
    """`check` ends within a second of its own time with sound messages; a text without errors compiles."""
    started = time.process_time()
    found = il.check(text + "\n")
    assert time.process_time() - started < seconds
    sound(found)
    if not any(d.severity.value == "error" for d in found):
        il.compile(text + "\n")


def sound(found: list[il.Diagnostic]) -> None:
    """Each message has a code, a place inside the text, words, a hint, and can be printed."""
    for d in found:
        assert re.fullmatch(r"[EW]\d{4}", d.code)
        assert d.line >= 1
        assert d.column >= 1
        assert (d.end_line, d.end_column) >= (d.line, d.column)
        assert d.message
        assert d.hint
    if found:
        assert "Traceback" not in str(il.IndexlangError(found))
