"""What a message is: facts with places. Rendering is `text/render.py`; the codes are `text/codes.py`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from indexlang.text.codes import CODES
from indexlang.text.source import NOWHERE, Span


class Severity(Enum):
    """An error refuses the program; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that the message follows from, with its own place if it has one."""

    text: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake, one message: what is wrong, where, because of what, what to try."""

    code: str
    severity: Severity
    message: str
    span: Span = field(repr=False)
    notes: tuple[Note, ...] = ()
    hint: str = ""

    @property
    def file(self) -> str:
        """The name of the text: a path, or what stands for one, such as `<text>`; empty without a place."""
        return self.span.source.name

    @property
    def line(self) -> int:
        """The line on which the place begins, from 1."""
        return self.span.line

    @property
    def column(self) -> int:
        """The column at which the place begins, from 1, in characters."""
        return self.span.column

    @property
    def end_line(self) -> int:
        """The line of the character just behind the place."""
        return self.span.last_place[0]

    @property
    def end_column(self) -> int:
        """The column just behind the place: with `column`, a half-open range."""
        return self.span.last_place[1]

    @property
    def has_place(self) -> bool:
        """Whether it points into a text; a value given from outside has none."""
        return self.span is not NOWHERE

    def __str__(self) -> str:
        where = f"{self.span}: " if self.has_place else ""
        return f"{where}{self.severity.value}[{self.code}]: {self.message}"


def diagnostic(
    code: str,
    span: Span = NOWHERE,
    because: Iterable[Note | tuple[str, Span] | str] = (),
    hint: str | None = None,
    **facts: Any,
) -> Diagnostic:
    """Fill the message and the hint of a code's row with `facts`.

    `hint` replaces the row's own hint. Raises KeyError for an unknown code or a missing fact (our bug).
    """
    row = CODES[code]
    notes = tuple(_note(note) for note in because)
    advice = row.hint.format(**facts) if hint is None else hint
    return Diagnostic(code, Severity(row.severity), row.message.format(**facts), span, notes, advice)


def _note(note: Note | tuple[str, Span] | str) -> Note:
    match note:
        case Note():
            return note
        case (text, span):
            return Note(text, span)
        case str():
            return Note(note)


class IndexlangError(Exception):
    """Every failure that a user can cause; `diagnostics` holds the messages."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from indexlang.text.render import render_plain  # the renderer imports this module

        return "\n" + "\n".join(render_plain(d) for d in self.diagnostics)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(str(d) for d in self.diagnostics)})"


class ProgramError(IndexlangError):
    """The text of a program is wrong."""


class DataError(IndexlangError):
    """Arguments, files or weights do not fit: says which tensor, what was wanted, what came."""


class NumericalError(IndexlangError):
    """A number is not what it should be: a failed gradient check, NaN in training."""


def program_error(code: str, span: Span = NOWHERE, **facts: Any) -> ProgramError:
    """A ProgramError of one diagnostic; arguments as for `diagnostic`."""
    return ProgramError([diagnostic(code, span, **facts)])


def data_error(code: str, span: Span = NOWHERE, **facts: Any) -> DataError:
    """A DataError of one diagnostic; arguments as for `diagnostic`."""
    return DataError([diagnostic(code, span, **facts)])
