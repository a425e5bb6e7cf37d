"""Arrays and notes in one safetensors file: what a run of training needs to go on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from indexlang.interop.disk import open_file, reason, written_aside
from indexlang.interop.weights.write import write_tensors
from indexlang.text.diagnostics import data_error

KEY = "indexlang"
Arrays = dict[str, np.ndarray[Any, Any]]


def write_snapshot(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]], notes: Mapping[str, Any]) -> None:
    """Write aside, have the disk keep it, put it in place by one rename: a kill at any instant leaves a whole file.

    Raises DataError E0705.
    """
    with written_aside(path) as aside:
        write_tensors(aside, arrays, {KEY: json.dumps(notes)})


def read_snapshot(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """What `write_snapshot` wrote. Raises DataError E0701, E0704."""
    with open_file(path):  # an ordinary file that may be read
        pass
    try:
        opened: Any = safe_open(path, "numpy")
        with opened as found:
            written: dict[str, str] = found.metadata() or {}
            notes: dict[str, Any] = json.loads(written[KEY])
            return {name: found.get_tensor(name) for name in found.keys()}, notes  # noqa: SIM118  (no mapping)
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError):
        raise data_error("E0704", path=path, reason="it is no snapshot of a run, or is damaged") from None
    except (OSError, ValueError, MemoryError) as problem:
        raise data_error("E0704", path=path, reason=reason(problem)) from None


__all__ = ["read_snapshot", "write_snapshot"]
