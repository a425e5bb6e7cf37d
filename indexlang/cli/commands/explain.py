"""`indexlang explain CODE`: the long story of an error, with an example and what is said about it."""

import sys

import click

from indexlang.checking import checked
from indexlang.cli.terminal import encoding, result, width
from indexlang.ir.dtypes import DType
from indexlang.text.codes import CODES, Code
from indexlang.text.names import nearest
from indexlang.text.render import clean, render_plain, wrap
from indexlang.text.source import Source


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """The long story of an error, such as E0412; without CODE, the list of all."""
    if code is None:
        result("\n".join(f"{row.code}  {row.title}" for row in CODES.values()))
        return
    result(story(_row(code), width(sys.stdout), encoding(sys.stdout)))


def story(row: Code, columns: int, charset: str = "utf-8") -> str:
    """What `explain` prints: the title, the story, the example and what is said about it."""
    parts = [f"{row.code}: {row.title}", "\n".join(wrap(clean(row.story, charset), min(columns, 90)))]
    if row.example:
        lines = [clean(line, charset) for line in row.example.strip("\n").split("\n")]
        parts += ["For example:", _indented(lines), "gives", _indented(said(row, columns - 4, charset))]
    return "\n\n".join(parts)


def said(row: Code, columns: int, charset: str = "utf-8") -> list[str]:
    """The lines of the message that the example of a code raises."""
    name = "example.tex" if "$$" in row.example else "example.idx"
    found = checked(Source(name, row.example), None, DType.F32).diagnostics
    messages = [render_plain(d, columns, charset) for d in found if d.code == row.code]
    return "\n\n".join(messages).split("\n")


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}".rstrip() for line in lines)


def _row(code: str) -> Code:
    wanted = code.upper()
    if wanted in CODES:
        return CODES[wanted]
    like = nearest(wanted, CODES)
    advice = f"did you mean {like}?" if like else "`indexlang explain` lists them all"
    raise click.BadParameter(f"there is no error {clean(code)[:40]}; {advice}", param_hint="CODE")
