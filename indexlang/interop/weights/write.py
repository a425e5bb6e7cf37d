"""Tensors to a file: safetensors, or npz."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.interop.disk import written_aside
from indexlang.interop.weights import safe
from indexlang.text.diagnostics import data_error

Array = np.ndarray[Any, Any]
ENDINGS = (".safetensors", ".npz")


def write_weights(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write `arrays` as an .npz file if `path` ends so, else as safetensors: aside first, then one rename (E0705)."""
    place = Path(path)
    with written_aside(place) as aside:
        if place.suffix.lower() == ".npz":
            write_npz(aside, arrays)
        else:
            write_tensors(aside, arrays)


def write_tensors(path: Path, arrays: Mapping[str, Array], notes: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file as it is, with notes in its header. Raises OSError, ValueError."""
    safe.write(path, arrays, notes)


def check_target(path: Path) -> None:
    """Refuse an ending that says another format than those that are written (E0705)."""
    if path.suffix.lower() not in ENDINGS:
        raise data_error("E0705", path=path, reason="its name should end in .safetensors or .npz")


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write an uncompressed .npz file as it is. Raises OSError, ValueError."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
