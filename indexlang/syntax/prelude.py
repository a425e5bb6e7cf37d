"""The prelude: layers written in the language itself. A function is parsed when it is first called."""

import re
from functools import cache
from importlib.resources import files

from indexlang.syntax import ast
from indexlang.syntax.parse import parse
from indexlang.text.diagnostics import ProgramError
from indexlang.text.source import Source

_HEAD = re.compile(r"^def\s+([^\W\d]\w*)", re.MULTILINE)


@cache
def _text() -> str:
    return files("indexlang").joinpath("prelude.idx").read_text(encoding="utf-8")


@cache
def prelude_names() -> dict[str, str]:
    """The functions of the prelude: their names, by their names in lower case."""
    return {m.group(1).casefold(): m.group(1) for m in _HEAD.finditer(_text())}


@cache
def prelude_forms(folded_name: str) -> tuple[ast.Def, ...]:
    """All forms of a function of the prelude; none for an unknown name."""
    text = _text()
    heads = list(_HEAD.finditer(text))
    out: list[ast.Def] = []
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        if head.group(1).casefold() == folded_name:
            out += _parsed(text, head.start(), after.start() if after else len(text))
    return tuple(out)


def _parsed(text: str, start: int, end: int) -> list[ast.Def]:
    """The one function that stands between two places; the lines before it are kept empty, so that places are right."""
    source = Source("prelude.idx", "\n" * text.count("\n", 0, start) + text[start:end])
    module, found = parse(source)
    if found:
        raise ProgramError(found)
    return [s for s in module.statements if isinstance(s, ast.Def)]
