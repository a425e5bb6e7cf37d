"""Looking at a text without compiling it. Loads no compiler, so that `indexlang check` starts at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexlang.including import parsed_with_includes
from indexlang.infer.declarations import extent_names
from indexlang.infer.elaborate import elaborate
from indexlang.infer.scope import Options
from indexlang.ir.build import Number
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program as Typed
from indexlang.reading import folded, read_source
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, ProgramError
from indexlang.text.source import Source


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
        source, folder = Source("<text>", folded(text_or_path)), None
    else:
        try:
            source = read_source(Path(text_or_path))
        except ProgramError as error:
            return list(error.diagnostics)
        folder = Path(text_or_path).parent
    return list(checked(source, constants, DType.F32, folder).diagnostics)


def checked(
    source: Source, constants: Mapping[str, Number] | None, float_type: DType, folder: Path | None = None
) -> Checked:
    """Text → typed program, with every independent mistake told. `folder` is where the text's file lies."""
    module, found = parsed_with_includes(source, folder)
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
