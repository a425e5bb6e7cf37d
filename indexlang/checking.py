"""Looking at a text without compiling it. Loads no compiler, so that `indexlang check` starts at once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexlang.including import parsed_with_includes
from indexlang.infer.context import capitals
from indexlang.infer.declarations import extent_names
from indexlang.infer.elaborate import elaborate
from indexlang.infer.scope import Options
from indexlang.infer.unroll import known
from indexlang.ir.build import Number
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program as Typed
from indexlang.reading import folded, read_source
from indexlang.syntax import ast
from indexlang.syntax.latex.scan import is_latex
from indexlang.text.diagnostics import Diagnostic, ProgramError, Severity
from indexlang.text.source import NOWHERE, Source


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that was looked at: its tree, its program if it has no mistakes, and what is to be said of it."""

    module: ast.Module
    options: Options
    program: Typed | None
    diagnostics: tuple[Diagnostic, ...]


def check(text_or_path: str | os.PathLike[str], *, constants: Mapping[str, Number] | None = None) -> list[Diagnostic]:
    """Everything that is wrong with a text, or with a file (a path object, or a string ending in .idx or .tex).

    Loads no compiler. Raises DataError E0701 where a file cannot be read.
    """
    if isinstance(text_or_path, str) and not (text_or_path.endswith((".idx", ".tex")) and "\n" not in text_or_path):
        source, folder = Source("<text>", folded(text_or_path)), None
    else:
        try:
            source = read_source(Path(text_or_path))
        except ProgramError as error:
            return list(error.diagnostics)
        folder = Path(text_or_path).parent
    return list(checked(source, constants, DType.F32, folder).diagnostics)


def checked(
    source: Source,
    constants: Mapping[str, Number] | None,
    float_type: DType,
    folder: Path | None = None,
    exact: bool = False,
) -> Checked:
    """Text → typed program, with every independent mistake told. `folder` is where the text's file lies."""
    module, found = parsed_with_includes(source, folder)
    if is_latex(source):
        module = _with_constants(module, constants or {})
    options = replace(_options(module, constants, float_type), exact=exact)
    is_wrong = any(d.severity is Severity.ERROR for d in found)
    if is_wrong and not module.statements:
        return Checked(module, options, None, tuple(found))
    result = elaborate(module, options)
    told = sorted([*found, *result.diagnostics], key=lambda d: d.span.start) if found else result.diagnostics
    return Checked(module, options, None if is_wrong else result.program, tuple(told))


def _with_constants(module: ast.Module, constants: Mapping[str, Number]) -> ast.Module:
    """A slide says in its prose what `s` is: a constant that is given and used counts as one of the text."""
    nodes = [n for s in module.statements for n in ast.nodes(s)]
    defined = {n.name for n in nodes if isinstance(n, ast.Equation)} | set(extent_names(module))
    used = {n.name for n in nodes if isinstance(n, ast.Name | ast.Binder)}
    used |= {capital for name in used for capital in capitals(name)}
    added = (
        ast.Equation(name, None, "=", known(value, NOWHERE), NOWHERE, NOWHERE)
        for name, value in constants.items()
        if name in used - defined
    )
    return replace(module, statements=(*added, *module.statements))


def _options(module: ast.Module, constants: Mapping[str, Number] | None, float_type: DType) -> Options:
    """`-D` sets constants of the text; what the text does not define as a constant is a named extent."""
    given = dict(constants or {})
    defined = {s.name for s in module.statements if isinstance(s, ast.Equation) and s.subscripts is None}
    sizes = {n: v for n, v in given.items() if n not in defined and n in extent_names(module) and isinstance(v, int)}
    return Options(float_type, sizes, {n: v for n, v in given.items() if n not in sizes})
