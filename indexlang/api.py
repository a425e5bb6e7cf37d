"""The front door: compile a text, load a file, check either."""

import os
from collections.abc import Mapping
from pathlib import Path

from indexlang import pipeline
from indexlang.infer.scope import Options
from indexlang.ir.build import Number
from indexlang.ir.dtypes import DType
from indexlang.program import Program
from indexlang.syntax import ast
from indexlang.text.diagnostics import Diagnostic, ProgramError, Severity, data_error, diagnostic
from indexlang.text.source import Source, Span

_FLOATS = {"f32": DType.F32, "f64": DType.F64, "float32": DType.F32, "float64": DType.F64}


def compile(
    text: str, *, constants: Mapping[str, Number] | None = None, dtype: str | None = None, threads: int | None = None, name: str = "<text>",
) -> Program:  # fmt: skip
    """A program from its text. The text is checked now; kernels are made at the first call.

    constants  values for the text's constants and named extents
    dtype      "f32" or "f64"; without it a text that declares nothing follows its inputs, any other is f32
    raises     ProgramError with everything that is wrong
    """
    return _program(Source(name, _folded(text)), constants, dtype, threads, None)


def load(
    path: str | os.PathLike[str], *, constants: Mapping[str, Number] | None = None, dtype: str = "f32", threads: int | None = None,
) -> Program:  # fmt: skip
    """A program from a file; f32 unless `dtype` says "f64".

    raises  ProgramError (the text), DataError E0701 (the file cannot be read), E0001 (it is not UTF-8)
    """
    return _program(_read(Path(path)), constants, dtype, threads, Path(path).parent)


def check(text_or_path: str | os.PathLike[str], *, constants: Mapping[str, Number] | None = None) -> list[Diagnostic]:
    """Everything that is wrong with a text, or with a file (a path object, or a string ending in .idx).

    Loads no compiler. Raises DataError E0701 where a file cannot be read.
    """
    if isinstance(text_or_path, str) and not (text_or_path.endswith(".idx") and "\n" not in text_or_path):
        source = Source("<text>", _folded(text_or_path))
    else:
        try:
            source = _read(Path(text_or_path))
        except ProgramError as error:
            return list(error.diagnostics)
    return list(_checked(source, constants, DType.F32).diagnostics)


def _program(source: Source, constants: Mapping[str, Number] | None, dtype: str | None, threads: int | None, folder: Path | None) -> Program:
    if dtype is not None and dtype not in _FLOATS:
        raise data_error("E0605", kind="dtype", name=dtype, advice="use f32 or f64")
    float_type = _FLOATS[dtype] if dtype else DType.F32
    checked = _checked(source, constants, float_type)
    errors = [d for d in checked.diagnostics if d.severity is Severity.ERROR]
    if errors:
        raise ProgramError(errors)
    declares = any(isinstance(s, ast.Input | ast.Param) for s in checked.module.statements)
    options = _options(checked.module, constants, float_type)
    return Program(source, checked.module, options, dtype is None and not declares, folder, threads)


def _checked(source: Source, constants: Mapping[str, Number] | None, float_type: DType) -> pipeline.Checked:
    module, found = pipeline.parse(source)
    if found:
        return pipeline.Checked(module, None, tuple(found))
    return pipeline.check(module, _options(module, constants, float_type))


def _options(module: ast.Module, constants: Mapping[str, Number] | None, float_type: DType) -> Options:
    """`-D` sets constants of the text; what the text does not define as a constant is a named extent."""
    given = dict(constants or {})
    defined = {s.name for s in module.statements if isinstance(s, ast.Equation) and s.subscripts is None}
    sizes = {n: v for n, v in given.items() if n not in defined and n in pipeline.extent_names(module) and isinstance(v, int)}
    return Options(float_type, sizes, {n: v for n, v in given.items() if n not in sizes})


def _read(path: Path) -> Source:
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        advice = "name a file, not a folder" if isinstance(problem, IsADirectoryError) else "check the path"
        raise data_error("E0701", path=str(path), reason=reason, advice=advice) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        source = Source(str(path), raw[: problem.start].decode("utf-8", "replace"))
        end = len(source.text)
        found = diagnostic("E0001", Span(source, end, end), byte=f"0x{raw[problem.start]:02x}", offset=problem.start)
        raise ProgramError([found]) from None
    return Source(str(path), _folded(text))


def _folded(text: str) -> str:
    """Line ends as LF; a leading byte-order mark is skipped."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")
