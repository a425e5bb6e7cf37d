"""Typeset programs as pictures, by matplotlib's own reader of TeX: it knows formulas, but no rows and no cases."""

import re
from collections.abc import Iterator
from pathlib import Path

_CASES = re.compile(r"\\begin\{cases\} ((?:(?!\\begin).)*?) \\end\{cases\}")


def rows(latex: str) -> list[str]:
    """The rows of `aligned`, each a formula that mathtext can read."""
    return [_row(line.removesuffix(r" \\")) for line in latex.splitlines()[1:-1]]


def _row(line: str) -> str:
    while (simple := _CASES.sub(_stacked, line)) != line:  # from the inside out
        line = simple
    return line.replace("&", "", 1)


def _stacked(match: re.Match[str]) -> str:
    lines = r" \\ ".join(_outside(match[1].replace("&", r"\quad ")))
    return rf"\left\{{ \substack{{{lines}}} \right."


def _outside(text: str) -> Iterator[str]:
    """The rows of a text, without those of `\\substack` in it."""
    depth, start = 0, 0
    for m in re.finditer(r"[{}]| \\\\ ", text):
        depth += (m[0] == "{") - (m[0] == "}")
        if depth == 0 and m[0] == r" \\ ":
            yield text[start : m.start()]
            start = m.end()
    yield text[start:]


def draw(latex: str, path: Path) -> None:
    """A picture of a program, for looking at."""
    from matplotlib.figure import Figure

    lines = rows(latex)
    figure = Figure(figsize=(16, 0.5 * len(lines) + 0.4))
    for n, line in enumerate(lines):
        figure.text(0.02, 1 - (n + 0.7) / (len(lines) + 0.6), f"${line}$", fontsize=13, math_fontfamily="cm")
    figure.savefig(path, dpi=70)
