"""`indexlang check FILE…`: find mistakes without compiling anything."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from indexlang.checking import check
from indexlang.cli import settings
from indexlang.cli.exits import Exit, exit_of_findings
from indexlang.cli.terminal import encoding, result, result_json, tell_all
from indexlang.text.diagnostics import Diagnostic, IndexlangError, Severity
from indexlang.text.names import plural
from indexlang.text.render import as_json, clean, render_github, render_short

Findings = Mapping[Path, Sequence[Diagnostic]]


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@settings.constants
@click.option("--format", "style", type=click.Choice(["human", "short", "json", "github"]), default="human",
              show_default=True, help="How to print what is found.")  # fmt: skip
@click.option("--json", "style", flag_value="json", help="The same as --format json.")
def command(files: Sequence[Path], constants: Mapping[str, settings.Number], style: str) -> Exit:
    """Find mistakes: syntax, names, ranges, extents, bounds. Nothing is compiled or run."""
    found = {file: _findings(file, constants) for file in files}
    match style:
        case "json":
            _print_json(found)
        case "github":
            _print_lines(render_github(d) for d in _all(found))
        case "short":
            _print_lines(render_short(d, encoding(sys.stdout)) for d in _all(found))
        case _:
            _print_human(found)
    return max(exit_of_findings(findings) for findings in found.values())


def _findings(file: Path, constants: Mapping[str, settings.Number]) -> Sequence[Diagnostic]:
    try:
        return check(file, constants=constants)
    except IndexlangError as error:
        return error.diagnostics


def _print_human(found: Findings) -> None:
    tell_all(_all(found))
    for file, findings in found.items():
        result(clean(f"{file}: {_count(findings)}", encoding(sys.stdout)))


def _print_json(found: Findings) -> None:
    files = [{"file": str(file), "errors": _errors(findings)} for file, findings in found.items()]
    result_json({"command": "check", "files": files, "diagnostics": [as_json(d) for d in _all(found)]})


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        result(line)


def _all(found: Findings) -> Iterable[Diagnostic]:
    return (d for findings in found.values() for d in findings)


def _count(findings: Sequence[Diagnostic]) -> str:
    errors = _errors(findings)
    warnings = len(findings) - errors
    said = plural(errors, "error") if errors else "no errors"
    return f"{said}, {plural(warnings, 'warning')}" if warnings else said


def _errors(findings: Sequence[Diagnostic]) -> int:
    return sum(d.severity is Severity.ERROR for d in findings)
