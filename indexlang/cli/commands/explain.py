"""`indexlang explain CODE`: the long story of an error, with an example and what is said about it."""

import sys

import click

from indexlang.cli.terminal import encoding, result, width
from indexlang.text.codes import CODES, Code
from indexlang.text.names import nearest
from indexlang.text.render import clean, wrap


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """The long story of an error, such as E0412; without CODE, the list of all."""
    if code is None:
        result("\n".join(f"{row.code}  {row.title}" for row in CODES.values()))
        return
    result(story(_row(code), width(sys.stdout), encoding(sys.stdout)))


def story(row: Code, columns: int, charset: str = "utf-8") -> str:
    """What `explain` prints: the title, the story, the example."""
    parts = [f"{row.code}: {row.title}", *("\n".join(wrap(clean(row.story, charset), min(columns, 90))),)]
    if row.example:
        lines = (f"    {clean(line, charset)}" for line in row.example.rstrip("\n").split("\n"))
        parts.append("For example:\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _row(code: str) -> Code:
    wanted = code.upper()
    if wanted in CODES:
        return CODES[wanted]
    like = nearest(wanted, CODES)
    advice = f"did you mean {like}?" if like else "`indexlang explain` lists them all"
    raise click.BadParameter(f"there is no error {clean(code)[:40]}; {advice}", param_hint="CODE")
