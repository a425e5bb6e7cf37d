"""A text in canonical layout: `indexlang fmt`. The tree stays the same, and every comment is kept."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from indexlang.syntax import ast, lexer
from indexlang.syntax.latex.scan import is_latex
from indexlang.syntax.parse import parse, statement
from indexlang.syntax.rewrite import rewritten
from indexlang.syntax.spelling import Spelling, Style, spelling
from indexlang.syntax.wrap import INDENT, WIDTH, wrapped
from indexlang.syntax.write import Writer
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.render import cells
from indexlang.text.source import Source, Span


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text laid out, and why names that have a twin keep their spelling."""

    text: str
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A statement or a comment of its own: its lines, whether a blank line stands before it, its comment."""

    lines: tuple[str, ...]
    is_apart: bool
    comment: str = ""


def formatted(source: Source, style: Style = Style.AS_WRITTEN) -> Formatted:
    """The canonical layout of a text. Raises ProgramError where it has mistakes of syntax.

    A comment inside a statement goes to a line of its own above it. Cost: linear in the text.
    """
    if is_latex(source):
        raise program_error("E0124", Span(source, 0, 1))
    module, found = parse(source)
    if found:
        raise ProgramError(found)
    lines, _ = lexer.lines(source)
    chosen = spelling(style, module, lines)
    taken = frozenset(t.text for line in lines for t in line.tokens if t.kind == "NAME") & lexer.REDUCTIONS
    text = "".join(_printed(_rows(source, lines, Writer(chosen, taken))))
    _check_same(module, Source(source.name, text), chosen)
    return Formatted(text, chosen.kept)


def _check_same(module: ast.Module, source: Source, chosen: Spelling) -> None:
    """What was laid out is the same program; anything else is a bug of ours, and nothing is written."""
    again, found = parse(source)
    wanted = rewritten(module, lambda n: _renamed(n, chosen)) if chosen.names else module
    if found or again != wanted:
        raise AssertionError(f"the layout changed the program:\n{source.text}")


def _renamed(node: object, chosen: Spelling) -> object:
    changes = {
        slot: chosen.name(name)
        for slot in ("name", "keyword")
        if isinstance(name := getattr(node, slot, None), str) and name not in ("sigmoid", "inf")
    }
    return replace(node, **changes) if changes else node  # type: ignore[type-var]


# -- rows


def _rows(source: Source, lines: list[lexer.Line], writer: Writer) -> Iterator[_Row]:
    """Statements and comments in order, each with what stands around it."""
    comments = deque(lexer.comments(source))
    columns = [1]
    end = 0
    for line in lines:
        first, last = line.tokens[0].span.line, line.tokens[-1].span.last_place[0]
        before, columns = columns, [*(c for c in columns if c < line.column), line.column]
        for comment in _taken(comments, first):
            yield _Row((_placed(comment, before + columns),), 0 < end < comment.line - 1)
            end = comment.line
        is_apart = 0 < end < first - 1
        indent = INDENT * (len(columns) - 1)
        for comment in _taken(comments, last):
            yield _Row((" " * indent + comment.text.rstrip(),), is_apart)
            is_apart = False
        trailing = "".join(comment.text.rstrip() for comment in _taken(comments, last + 1))
        *heads, text = writer.lines(statement(line))
        for head in heads:
            yield _Row(tuple(wrapped(head, indent)), is_apart)
            is_apart = False
        yield _Row(tuple(wrapped(text, indent)), is_apart, trailing)
        end = last
    for comment in comments:
        yield _Row((_placed(comment, columns),), 0 < end < comment.line - 1)
        end = comment.line


def _taken(comments: deque[Span], line: int) -> Iterator[Span]:
    """The comments above a line, taken out."""
    while comments and comments[0].line < line:
        yield comments.popleft()


def _placed(comment: Span, columns: list[int]) -> str:
    """A comment of its own, in the innermost block around that does not begin to its right."""
    depth = sum(c <= comment.column for c in set(columns)) - 1
    return " " * (INDENT * max(depth, 0)) + comment.text.rstrip()


# -- lines


def _printed(rows: Iterable[_Row]) -> Iterator[str]:
    """The lines of all rows; comments behind neighbours stand in one column."""
    for run in _runs(rows):
        margin = max(cells(row.lines[-1]) for row in run)
        if any(margin + 2 + cells(row.comment) > WIDTH for row in run):
            margin = 0
        for row in run:
            if row.is_apart:
                yield "\n"
            *others, last = row.lines
            yield from (line + "\n" for line in others)
            gap = " " * (max(margin - cells(last), 0) + 2)
            yield (last + gap + row.comment if row.comment else last) + "\n"


def _runs(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Neighbours that are one line each and have comments behind them; every other row by itself."""
    run: list[_Row] = []
    for row in rows:
        if run and not (_has_short_comment(row) and _has_short_comment(run[-1]) and not row.is_apart):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _has_short_comment(row: _Row) -> bool:
    return row.comment != "" and len(row.lines) == 1
