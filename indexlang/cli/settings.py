"""Options that several commands share: `NAME=VALUE`, `NAME=PATH`, `--exact`, `--json`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]

_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)

Number = int | float | bool


def program_file(command: Command) -> Command:
    """The argument FILE. That it exists is looked at where it is read, so that all commands say it alike."""
    return click.argument("file", type=click.Path(path_type=Path))(command)


def constants(command: Command) -> Command:
    """The option `-D NAME=VALUE`: a dict of numbers."""
    text = "Set a constant or a named extent; may be repeated."
    return click.option("-D", "constants", multiple=True, metavar="NAME=VALUE", callback=_numbers, help=text)(command)


def exact_flag(command: Command) -> Command:
    """The option `--exact`."""
    text = "Compute no windows in a shorter way that rounds a little more (docs/trust.md)."
    return click.option("--exact", is_flag=True, help=text)(command)


def as_json_flag(command: Command) -> Command:
    """The option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(command)


def paths(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Path]:
    """The values of a repeated option `NAME=PATH`."""
    return {name: Path(value) for name, value in _pairs(given, "NAME=PATH").items()}


def names(ctx: click.Context, parameter: click.Parameter, given: str | None) -> tuple[str, ...]:
    """The value of an option `A,B`."""
    return tuple(name.strip() for name in (given or "").split(",") if name.strip())


def _numbers(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Number]:
    return {name: _number(name, value) for name, value in _pairs(given, "NAME=VALUE").items()}


def _pairs(given: tuple[str, ...], form: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not (equals and name and value):
            raise click.BadParameter(f"{text!r} is not of the form {form}")
        if name in pairs:
            raise click.BadParameter(f"{name} is given twice")
        pairs[name] = value
    return pairs


def _number(name: str, text: str) -> Number:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    raise click.BadParameter(f"{name} is set to {text!r}, which is not a number")
