"""Parameters from files and to files: safetensors (and npz to read). Nothing is unpickled."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file  # pyright: ignore[reportUnknownVariableType]

from indexlang.interop.disk import open_file, reason, written_aside
from indexlang.interop.files import read_arrays
from indexlang.text.diagnostics import data_error

HINT = "give a .safetensors file"


def read_weights(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a .safetensors or .npz file by name.

    errors  E0701 when it cannot be read; E0704 when it is damaged: the header's sizes are checked against the file's
    """
    place = Path(path)
    with open_file(place) as file:
        if place.suffix.lower() == ".npz":
            return read_arrays(file, place)
    try:
        return dict(load_file(place))
    except SafetensorError as problem:
        raise data_error("E0704", path=place, reason=_said(problem), hint=HINT) from None
    except (OSError, ValueError, KeyError, TypeError, MemoryError) as problem:
        said = reason(problem) if isinstance(problem, OSError) else f"it holds what numpy cannot: {problem}"
        raise data_error("E0704", path=place, reason=said, hint=HINT) from None


def write_weights(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write `arrays` as a .safetensors file: aside first, then in place by one rename (E0705)."""
    ready = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    with written_aside(Path(path)) as aside:
        try:
            save_file(ready, aside)
        except SafetensorError as problem:
            raise ValueError(_said(problem)) from None


def _said(problem: SafetensorError) -> str:
    """safetensors names its own types; what a reader wants is that the file is no good, and roughly why."""
    text = str(problem)
    return "it is damaged, or not a .safetensors file" if "deserializ" in text or "Header" in text else text
