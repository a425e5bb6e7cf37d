"""The command line: a table of commands, each loaded when it is called, and what becomes of a failure."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from indexlang import __version__
from indexlang.cli.exits import Exit, exit_of_error
from indexlang.cli.terminal import prepare, result_json, tell, tell_all
from indexlang.text.diagnostics import IndexlangError
from indexlang.text.render import as_json

# Name, and what `indexlang --help` says of it. A command is `command` in `cli/commands/NAME.py`.
COMMANDS = {
    "run": "Compile a program, run it, and show what each equation took.",
    "check": "Find mistakes: syntax, names, ranges, extents, bounds.",
    "show": "Print a program at a stage of the compiler, or its layer table.",
    "train": "Train a program on data; every run has a folder of its own.",
    "plot": "Draw runs of training: curves, filters, features, signals.",
    "grad": "Print the equations of a gradient, or check it with differences.",
    "fmt": "Lay out programs: spaces, brackets, line breaks, signs.",
    "export": "Write a program as an ONNX file.",
    "explain": "The long story of an error.",
    "weights": "Show what a file of weights holds, or convert it to other names and axes.",
    "bench": "Time every equation, and say what bounds it.",
    "tune": "Try other schedules within a time, and keep those that are faster here.",
    "doctor": "What this machine offers: versions, cores, cache, measured speed.",
}


class Commands(click.Group):
    """A group that imports a command only when it is called: `--help` and `check` must start fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table, which is that of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imported now; None for a word that is no command."""
        if cmd_name not in COMMANDS:
            return None
        return import_module(f"indexlang.cli.commands.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, so that `--help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="indexlang", message="%(prog)s %(version)s")
def cli() -> None:
    """A compiler for tensor-index equations: write a network as the lecture writes it, and run it."""


def outcome(arguments: Sequence[str]) -> int:
    """Run one command; every failure becomes a message and an exit code."""
    prepare()
    return _flushed(_ended(arguments))


def _ended(arguments: Sequence[str]) -> int:
    try:
        return _exit_code(cli.main(list(arguments), prog_name="indexlang", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        tell(help_wanted.format_message())
        return Exit.USAGE
    except click.ClickException as wrong:
        with suppress(OSError, ValueError):
            wrong.show()
        return Exit.USAGE
    except IndexlangError as error:
        tell_all(error.diagnostics)
        if "--json" in arguments:  # whoever reads stdout gets an object in any case
            result_json({"command": arguments[0], "diagnostics": [as_json(d) for d in error.diagnostics]})
        return exit_of_error(error)
    except (KeyboardInterrupt, click.Abort):
        tell("interrupted")
        return Exit.INTERRUPTED
    except SystemExit:  # click's word for a reader of stdout that went away
        return Exit.DATA
    except Exception as surprise:
        return _surprised(surprise)


def _exit_code(returned: Any) -> int:
    return returned if isinstance(returned, int) else Exit.GOOD


def _surprised(surprise: Exception) -> int:
    if isinstance(surprise, OSError) and surprise.filename is None:  # not of a file: a stream does not take the text
        return _lost(surprise)
    crash: Any = import_module("indexlang.cli.crash")  # only a bug needs it
    return crash.report(surprise)


def _flushed(code: int) -> int:
    """Write out what stdout still holds; a reader that went away or a full disk must not end in a traceback."""
    try:
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  (None when started with >&-)
            sys.stdout.flush()
    except (OSError, ValueError) as problem:
        return code or _lost(problem)
    return code


def _lost(problem: Exception) -> int:
    """The result could not be written. That a reader has seen enough needs no words."""
    _silence()
    if not isinstance(problem, BrokenPipeError):
        tell(f"error: cannot write the result: {problem}")
    return Exit.DATA


def _silence() -> None:
    """Python flushes stdout once more at exit: let that go nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
