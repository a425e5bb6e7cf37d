"""Looking at a text without compiling it. Loads no compiler, so that `indexlang check` starts at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexlang.infer.elaborate import elaborate, extent_names
from indexlang.infer.scope import Options
from indexlang.ir.build import Number
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program as Typed
from indexlang.syntax import ast
from indexlang.syntax.parse import parse
from indexlang.text.diagnostics import Diagnostic, ProgramError, data_error, diagnostic
from indexlang.text.source import Source, Span


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that was looked at: its tree, its program if it has no mistakes, and what is to be said of it."""

    module: ast.Module
    options: Options
    program: Typed | None
    diagnostics: tuple[Diagnostic, ...]


def check(text_or_path: str | os.PathLike[str], *, constants: Mapping[str, Number] | None = None) -> list[Diagnostic]:
    """Everything that is wrong with a text, or with a file (a path object, or a string ending in .idx).

    Loads no compiler. Raises DataError E0701 where a file cannot be read.
    """
    if isinstance(text_or_path, str) and not (text_or_path.endswith(".idx") and "\n" not in text_or_path):
        source = Source("<text>", folded(text_or_path))
    else:
        try:
            source = read_source(Path(text_or_path))
        except ProgramError as error:
            return list(error.diagnostics)
    return list(checked(source, constants, DType.F32).diagnostics)


def checked(source: Source, constants: Mapping[str, Number] | None, float_type: DType) -> Checked:
    """Text → typed program, with every independent mistake told."""
    module, found = parse(source)
    options = _options(module, constants, float_type)
    result = elaborate(module, options)
    if not found:
        return Checked(module, options, result.program, result.diagnostics)
    told = sorted([*found, *result.diagnostics], key=lambda d: d.span.start)
    return Checked(module, options, None, tuple(told))


def _options(module: ast.Module, constants: Mapping[str, Number] | None, float_type: DType) -> Options:
    """`-D` sets constants of the text; what the text does not define as a constant is a named extent."""
    given = dict(constants or {})
    defined = {s.name for s in module.statements if isinstance(s, ast.Equation) and s.subscripts is None}
    sizes = {n: v for n, v in given.items() if n not in defined and n in extent_names(module) and isinstance(v, int)}
    return Options(float_type, sizes, {n: v for n, v in given.items() if n not in sizes})


def read_source(path: Path) -> Source:
    """A program's text from a file. Raises DataError E0701, ProgramError E0001."""
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        advice = "name a file, not a folder" if isinstance(problem, IsADirectoryError) else "check the path"
        raise data_error("E0701", path=str(path), reason=reason, advice=advice) from None
    return decoded(str(path), raw)


def decoded(name: str, raw: bytes) -> Source:
    """A program's text from its bytes. Raises ProgramError E0001."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        source = Source(name, raw[: problem.start].decode("utf-8", "replace"))
        end = len(source.text)
        found = diagnostic("E0001", Span(source, end, end), byte=f"0x{raw[problem.start]:02x}", offset=problem.start)
        raise ProgramError([found]) from None
    return Source(name, folded(text))


def folded(text: str) -> str:
    """Line ends as LF; a leading byte-order mark is skipped."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")
