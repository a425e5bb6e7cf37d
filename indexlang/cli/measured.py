"""The inputs of programs whose speed is measured."""

from pathlib import Path
from typing import Any

import numpy as np

from indexlang.interop.files import read_input
from indexlang.program import Program
from indexlang.text.diagnostics import data_error

Array = np.ndarray[Any, Any]


def measured_inputs(program: Program, folder: Path) -> dict[str, Array]:
    """An array for every input of a program whose text lies in `folder`."""
    return {name: _array(program, name, folder) for name in program.inputs}


def _array(program: Program, name: str, folder: Path) -> Array:
    """The file that the text names, else random numbers; named extents are 1 unless -D says more (E0604)."""
    info = program.inputs[name]
    if name in program.defaults:
        return read_input(program.defaults[name], info, folder)
    if info.dtype not in ("float", "f32", "f64"):
        return np.zeros(tuple(n if isinstance(n, int) else 1 for n in info.extents), np.int64)
    formulas = [n for n in info.extents if isinstance(n, str) and not n.isidentifier()]
    if formulas:
        raise data_error("E0604", tensor=name, advice=f"its extent {formulas[0]} is not known: give the sizes with -D")
    extents = tuple(n if isinstance(n, int) else 1 for n in info.extents)
    return np.random.default_rng(0).random(extents, np.float32)
