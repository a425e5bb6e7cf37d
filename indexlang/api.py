"""The front door: compile a text, load a file, check either."""

import os
from collections.abc import Mapping
from pathlib import Path

from indexlang.checking import check, checked
from indexlang.ir.build import Number
from indexlang.ir.dtypes import DType
from indexlang.program import Program
from indexlang.reading import folded, read_source
from indexlang.text.diagnostics import ProgramError, Severity, data_error
from indexlang.text.source import Source

_FLOATS = {"f32": DType.F32, "f64": DType.F64, "float32": DType.F32, "float64": DType.F64}


def compile(
    text: str,
    *,
    constants: Mapping[str, Number] | None = None,
    dtype: str | None = None,
    training: bool = False,
    threads: int | None = None,
    exact: bool = False,
    name: str = "<text>",
) -> Program:
    """A program from its text. The text is checked now; kernels are made at the first call.

    constants  values for the text's constants and named extents
    training   the value of the constant `training`; states and params take their next values in training only
    dtype      "f32" or "f64"; without it a text that declares nothing follows its inputs, any other is f32
    exact      no windows by Winograd's way, which f32 results else may come from: see docs/trust.md
    raises     ProgramError with everything that is wrong
    """
    return _program(Source(name, folded(text)), _with_training(constants, training), dtype, threads, None, exact)


def load(
    path: str | os.PathLike[str],
    *,
    constants: Mapping[str, Number] | None = None,
    dtype: str = "f32",
    training: bool = False,
    threads: int | None = None,
    exact: bool = False,
) -> Program:
    """A program from a file; f32 unless `dtype` says "f64". Its `include`s are read too; the rest is as in `compile`.

    raises  ProgramError (the text), DataError E0701 (the file cannot be read), E0001 (it is not UTF-8)
    """
    known = _with_training(constants, training)
    return _program(read_source(Path(path)), known, dtype, threads, Path(path).parent, exact)


def _with_training(constants: Mapping[str, Number] | None, training: bool) -> Mapping[str, Number]:
    return {"training": training, **(constants or {})} if training else constants or {}


def _program(
    source: Source,
    constants: Mapping[str, Number] | None,
    dtype: str | None,
    threads: int | None,
    folder: Path | None,
    exact: bool,
) -> Program:
    if dtype is not None and dtype not in _FLOATS:
        raise data_error("E0605", kind="dtype", name=dtype, advice="use f32 or f64")
    float_type = _FLOATS[dtype] if dtype else DType.F32
    found = checked(source, constants, float_type, folder, exact)
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    if errors:
        raise ProgramError(errors)
    follows_inputs = dtype is None and not found.module.declares
    return Program(source, found.module, found.options, follows_inputs, folder, threads, found.program)


__all__ = ["check", "compile", "load"]
