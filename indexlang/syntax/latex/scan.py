"""LaTeX → its pieces: which parts of a text are formulas, and the commands, letters, numbers and signs of those."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from indexlang.syntax.latex import words
from indexlang.text.source import MAX_TEXT, Source, Span

_COMMAND = re.compile(r"^[^#\n\"]*(?:\\[A-Za-z]|\$)", re.MULTILINE)
_DISPLAY = re.compile(
    r"""\\[%$\\] | %[^\n]* | (?P<dollars>\$\$) | (?P<bracket>\\\[)
      | \\begin\{(?P<name>(?:equation|align|gather|multline|displaymath|eqnarray|flalign)\*?)\}""",
    re.VERBOSE,
)
_INLINE = re.compile(r"(?<![\\$])\$(?P<inline>[^$]+)\$")
_SAID = re.compile(r"^[ \t]*(?:%![ \t]*(?P<line>[^\n]*)|Given[ \t]+\$?(?P<given>[^\W\d]\w*\[[^]\n]*\]))", re.MULTILINE)
_PIECE = re.compile(
    r"""(?P<skip>[ \t~]+|%[^\n]*)
      | (?P<half>\\[dt]?frac[ \t]*[0-9]{2})
      | (?P<newline>\n)
      | (?P<command>\\(?:[A-Za-z]+\*?|.|\n))
      | (?P<number>(?<=[_^])[0-9]|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<letter>[^\W\d_][\u0300-\u036f]*)
      | (?P<symbol>\+=|<-|<=|>=|!=|==|//|.)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A command (`text` without its backslash), letter, number, sign, newline, or the end of a formula."""

    kind: str
    text: str
    span: Span


def is_latex(source: Source) -> bool:
    """Whether a text is LaTeX: a .tex file, or any text but a .idx file with a command or `$` outside comments."""
    if source.name.endswith((".tex", ".idx")):
        return source.name.endswith(".tex")
    return _COMMAND.search(source.text, 0, MAX_TEXT) is not None


def pieces(source: Source, places: list[tuple[int, int]]) -> list[Piece]:
    """The pieces of formulas; each formula ends with a piece of kind `end`."""
    out: list[Piece] = []
    for start, stop in places:
        for match in _PIECE.finditer(source.text, start, stop):
            kind, text = match.lastgroup or "", match[0]
            if kind == "skip":
                continue
            if kind == "half":
                out += _half(source, match)
                continue
            out.append(Piece(kind, text[1:].rstrip("*") if kind == "command" else text, _at(source, match)))
        out.append(Piece("end", "", Span(source, stop, stop)))
    return out


def _half(source: Source, match: re.Match[str]) -> Iterator[Piece]:
    """`\\frac12` is `\\frac{1}{2}`."""
    end = match.end()
    yield Piece("command", "frac", Span(source, match.start(), match.start() + len(match[0].rstrip("0123456789 \t"))))
    yield Piece("number", match[0][-2], Span(source, end - 2, end - 1))
    yield Piece("number", match[0][-1], Span(source, end - 1, end))


def _at(source: Source, match: re.Match[str]) -> Span:
    return Span(source, match.start(), match.end())


def formulas(text: str) -> list[tuple[int, int]]:
    """The displayed formulas; those in the line if there is none; the whole text if there are none either."""
    found = list(_displayed(text)) or [m.span("inline") for m in _INLINE.finditer(text)]
    return found or list(_between(text))


def _displayed(text: str) -> Iterator[tuple[int, int]]:
    """The displayed formulas; one that is never closed is none."""
    at = 0
    unclosed: set[str] = set()  # ends that do not come any more: looking for them once is enough
    while match := _DISPLAY.search(text, at):
        at = match.end()
        if match.lastgroup is None:
            continue
        end = {"dollars": "$$", "bracket": "\\]"}.get(match.lastgroup, f"\\end{{{match['name']}}}")
        stop = -1 if end in unclosed else text.find(end, at)
        if stop < 0:
            unclosed.add(end)
            continue
        yield at, stop
        at = stop + len(end)


def _between(text: str) -> Iterator[tuple[int, int]]:
    """All of a text but the lines that are declarations."""
    at = 0
    for match in _SAID.finditer(text):
        yield at, match.start()
        at = match.end()
    yield at, len(text)


def declarations(source: Source) -> Source:
    """The lines `%! input X[B,3]` and `Given X[3]` of a text, in the notation, each at its place."""
    out = [" " if c != "\n" else c for c in source.text]
    for match in _SAID.finditer(source.text):
        group = "line" if match["line"] is not None else "given"
        start, stop = match.span(group)
        out[start:stop] = source.text[start:stop]
        if group == "given":
            before = match.start() + len(match[0]) - len(match[0].lstrip())
            out[before : before + 5] = "input"
    return Source(source.name, "".join(out))


def plain(found: list[Piece]) -> list[Piece]:
    """The pieces without what only changes how a formula looks; wide spaces stay, as kind `space`."""
    out: list[Piece] = []
    drop: set[int] = set()  # braces of `\textcolor{red}{…}`
    closing = braces(found)
    at = 0
    while at < len(found):
        piece = found[at]
        at += 1
        if at - 1 in drop:
            continue
        if piece.kind != "command" or piece.text not in _PASSING:
            out.append(piece)
        elif piece.text in words.SPACES:
            out.append(Piece("space", piece.text, piece.span))
        elif piece.text in words.LOOKS:
            for _ in range(words.LOOKS[piece.text]):
                at = _behind_group(found, closing, at)
            end = _behind_group(found, closing, at)
            if end > at + 1:
                drop |= {at, end - 1}
        elif piece.text in ("left", "right", "middle"):
            at = _fence(found, at, piece.text, out)
        else:
            for _ in range(words.SILENT[piece.text]):
                at = _behind_group(found, closing, at)
    return out


_PASSING = {*words.SILENT, *words.LOOKS}


def _fence(found: list[Piece], at: int, side: str, out: list[Piece]) -> int:
    """`\\left|` is a bracket, `\\left.` is none."""
    after = found[at].text if at < len(found) else ""
    if after == "|" and side != "middle":
        out.append(Piece("command", "lvert" if side == "left" else "rvert", found[at].span))
    return at + 1 if after in ("|", ".") else at


def _behind_group(found: list[Piece], closing: Mapping[int, int], at: int) -> int:
    """The place behind the braces that open at `at`, or behind the one piece there."""
    while at < len(found) and found[at].kind == "newline":
        at += 1
    if at == len(found) or found[at].kind == "end":
        return at
    last = closing.get(at, at)
    return last if found[last].kind == "end" else last + 1


def braces(found: list[Piece]) -> dict[int, int]:
    """For the place of each `{` the place of its `}`; for one that is never closed, that of the formula's end."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for at, piece in enumerate(found):
        if piece.kind == "end":
            closing.update(dict.fromkeys(opened, at))
            opened.clear()
        elif piece.kind == "symbol" and piece.text == "{":
            opened.append(at)
        elif piece.kind == "symbol" and piece.text == "}" and opened:
            closing[opened.pop()] = at
    return closing
