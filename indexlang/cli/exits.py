"""Exit codes: what a script learns from a run."""

from collections.abc import Iterable
from enum import IntEnum

from indexlang.text.diagnostics import DataError, Diagnostic, IndexlangError, NumericalError, Severity


class Exit(IntEnum):
    """The exit codes of every command."""

    GOOD = 0
    WRONG = 1  # the program has errors, or a check failed
    USAGE = 2
    DATA = 3  # data, weights or files
    NUMERICAL = 4
    BUG = 70  # ours
    INTERRUPTED = 130


def exit_of_error(error: IndexlangError) -> Exit:
    """The code of what a run ended with: data, a number that was lost, or a program that is wrong."""
    match error:
        case DataError():
            return Exit.DATA
        case NumericalError():
            return Exit.NUMERICAL
        case _:
            return Exit.WRONG


def exit_of_findings(found: Iterable[Diagnostic]) -> Exit:
    """What `check` ends with: warnings are good, a file that cannot be read is a data problem."""
    errors = [d.code for d in found if d.severity is Severity.ERROR]
    if not errors:
        return Exit.GOOD
    return Exit.DATA if any(code.startswith("E07") for code in errors) else Exit.WRONG
