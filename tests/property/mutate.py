"""Mutated sources: bytes flipped, tokens edited, texts spliced and cut, of every file that ships. Plain `random`, so a
seed and a number name a mutant for ever."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("examples", "indexlang")
TOKEN = re.compile(rb"[A-Za-z0-9_]+|[^\x00-\x7f]+|\s+|.", re.DOTALL)
SPARE = tuple(
    word.encode("utf-8", "surrogatepass")
    for word in (
        *"[](){}=+-*/%^,:;~<>#\"'_|&!?.@$\\\n\t 0123456789ijxAN",
        *("input", "param", "state", "tensor", "output", "include", "if", "else", "and", "not", "for", "def", "return"),
        *("sum", "max", "mean", "argmax", "sum_{", "d(", ")/d(", "stop", "floor(", "draw", "training", "from"),
        *("+=", "<-", "==", "..", "...", "i:0", "i:-1", "else 0", "else wrap", "= ?", ": int", "~ normal(0, 1)"),
        *("1e999", "0.5", "1/0", "99999999999999999999", "9223372036854775807", "2^63", "inf", "nan", "-0", "1e-400"),
        *("σ", "Σ", "√", "∞", "≤", "⌊", "²", "٣", "é", "e\u0301", "\u202e", "\u200b", "\x00", "\r", "\u2028", "𝔸"),
        *("\ud800", "ﬁ", "А", "\ufeff", "\x0c", "\x85", "`", "{l}", "\n    ", "\n\n", '"../x.idx"', "%!", "%\n"),
        *("$$", "\\sum_", "\\frac{", "\\left(", "\\right]", "\\tilde", "\\\\", "\\begin{cases}", "\\text{for }"),
        *("\\ldots", "\\[", "\\]", "\\begin{align}", "\\end{align}", "\\operatorname{"),
    )
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A good source: where it lies, and its bytes."""

    path: Path
    raw: bytes


def shipped() -> tuple[Seed, ...]:
    """Every .idx and .tex of the examples, the lecture, the prelude and the optimisers."""
    paths = sorted(p for f in FOLDERS for kind in ("*.idx", "*.tex") for p in (ROOT / f).rglob(kind))
    return tuple(Seed(p, p.read_bytes()) for p in paths)


def mutant(random: Random, seed: Seed, others: tuple[Seed, ...]) -> bytes:
    """One to four edits of a source."""
    raw = seed.raw
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        raw = random.choice(_EDITS)(random, raw, others)
    return raw


def _flipped(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    out = bytearray(raw or b" ")
    out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def _any_byte(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    out = bytearray(raw or b" ")
    out[random.randrange(len(out))] = random.randrange(256)
    return bytes(out)


def _cut(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]


def _beheaded(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    return raw[random.randrange(len(raw) + 1) :]


def _lines(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    """A line dropped, doubled, moved or indented."""
    lines = raw.split(b"\n")
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[a]
        case 1:
            lines.insert(b, lines[a])
        case 2:
            lines[a], lines[b] = lines[b], lines[a]
        case _:
            lines[a] = b"    " + lines[a]
    return b"\n".join(lines)


def _tokens(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    """A token dropped, doubled, swapped, replaced, or a spare one put in."""
    words = TOKEN.findall(raw) or [b""]
    a, b = random.randrange(len(words)), random.randrange(len(words))
    match random.randrange(6):
        case 0:
            del words[a]
        case 1:
            words.insert(b, words[a])
        case 2:
            words[a], words[b] = words[b], words[a]
        case 3:
            words[a] = words[b]
        case 4:
            words.insert(a, random.choice(SPARE))
        case _:
            words[a] = random.choice(SPARE)
    return b"".join(words)


def _spliced(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    """The start of this source and the end of another, or a piece of another put in."""
    other = random.choice(others).raw
    a, b = random.randrange(len(raw) + 1), random.randrange(len(other) + 1)
    if random.random() < 0.5:
        return raw[:a] + other[b:]
    return raw[:a] + other[b : b + random.randrange(1, 200)] + raw[a:]


def _repeated(random: Random, raw: bytes, others: tuple[Seed, ...]) -> bytes:
    """A short piece many times."""
    a = random.randrange(len(raw) + 1)
    piece = raw[a : a + random.randrange(1, 12)]
    return raw[:a] + piece * random.choice((2, 3, 30, 300)) + raw[a:]


Edit = Callable[[Random, bytes, tuple[Seed, ...]], bytes]
_EDITS: tuple[Edit, ...] = (
    *(_flipped, _any_byte, _cut, _beheaded, _lines, _lines, _spliced, _repeated),
    *(_tokens, _tokens, _tokens, _tokens),
)
