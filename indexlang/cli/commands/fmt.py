"""`indexlang fmt FILE…`: programs in canonical layout, in place, as a difference, or from stdin to stdout."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import click

from indexlang.cli.exits import Exit, exit_of_findings
from indexlang.cli.terminal import encoding, result, tell, tell_all
from indexlang.interop.disk import open_file, written_aside
from indexlang.reading import decoded
from indexlang.syntax.format import Formatted, formatted
from indexlang.syntax.spelling import Style
from indexlang.text.diagnostics import IndexlangError
from indexlang.text.render import clean

STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class _Laid:
    """A file as it is, and as it should be."""

    path: Path
    before: bytes
    after: Formatted

    @property
    def changes(self) -> bool:
        return self.before != self.after.text.encode()


@click.command("fmt")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; fail if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--unicode", "style", flag_value="UNICODE", help="Signs and Greek letters: σ Σ √ ≤ ∧ Φ1.")
@click.option("--ascii", "style", flag_value="ASCII", help="Words in their place: sigmoid sum sqrt <= and Phi1.")
def command(files: Sequence[Path], check: bool, diff: bool, style: str | None) -> Exit:
    """Lay out programs in place; `-` reads stdin and writes stdout. A file with mistakes is left as it is."""
    chosen = Style[style] if style else Style.AS_WRITTEN
    return max(_one(path, chosen, check, diff) for path in files)


def _one(path: Path, style: Style, check: bool, diff: bool) -> Exit:
    try:
        laid = _laid(path, style)
    except IndexlangError as error:
        tell_all(error.diagnostics)
        return exit_of_findings(error.diagnostics)
    for reason in laid.after.kept:
        tell(clean(f"{path}: {reason}", encoding(sys.stderr)))
    if diff:
        _show_difference(laid)
    if check or diff:
        return _told(laid) if check else Exit.GOOD
    _put(laid)
    return Exit.GOOD


def _laid(path: Path, style: Style) -> _Laid:
    if path == STDIN:
        raw = sys.stdin.buffer.read()
    else:
        with open_file(path) as file:
            raw = file.read()
    name = "<stdin>" if path == STDIN else str(path)
    return _Laid(path, raw, formatted(decoded(name, raw), style))


def _told(laid: _Laid) -> Exit:
    if not laid.changes:
        return Exit.GOOD
    tell(clean(f"{laid.path}: the layout would change", encoding(sys.stderr)))
    return Exit.WRONG


def _show_difference(laid: _Laid) -> None:
    before = laid.before.decode("utf-8-sig").splitlines()
    lines = unified_diff(before, laid.after.text.splitlines(), str(laid.path), f"{laid.path} laid out", lineterm="")
    for line in lines:
        result(line)


def _put(laid: _Laid) -> None:
    if laid.path == STDIN:
        sys.stdout.write(laid.after.text)
    elif laid.changes:
        target = laid.path.resolve()  # a link stays a link
        with written_aside(target) as aside:
            aside.write_bytes(laid.after.text.encode())
            shutil.copymode(target, aside)
        tell(clean(f"{laid.path}: laid out", encoding(sys.stderr)))
