"""The weights that a run has kept, and the program that they belong to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from indexlang.api import load
from indexlang.interop.weights import read_weights
from indexlang.plot.runs import PROGRAM, Run, natural
from indexlang.program import Program
from indexlang.text.diagnostics import data_error
from indexlang.text.names import nearest

Array = np.ndarray[Any, Any]
FILES = (("best.safetensors", "best epoch"), ("last.safetensors", "last epoch"))


@dataclass(frozen=True, slots=True)
class Weights:
    """Parameters and states by name, in the order of the program; `when` says of which epoch."""

    arrays: Mapping[str, Array]
    when: str


def weights_of(run: Run) -> Weights:
    """The weights of the best epoch, or of the last where no best is kept. Raises DataError E0841, E0701, E0704."""
    for name, when in FILES:
        if (run.path / name).exists():
            found = read_weights(run.path / name)
            return Weights({n: found[n] for n in sorted(found, key=lambda n: (_place(run.text, n), natural(n)))}, when)
    raise data_error("E0841", run=run.name, message="has kept no weights yet", advice="wait for the end of an epoch")


def network(run: Run, weights: Weights) -> Program:
    """The program of a run, with these weights, out of training.

    errors  those of `load`; E0609, E0601, E0602, E0603 for weights that do not fit
    """
    dtype = run.config.get("dtype", "f32")
    net = load(run.path / PROGRAM, constants=_constants(run), dtype=dtype if isinstance(dtype, str) else "f32")
    for role, kind in (("param", "params"), ("state", "state")):
        names = [t.name for t in net.tensors.values() if t.role == role]
        for name in names:
            if name not in weights.arrays:
                raise _missing(run, name, weights)
            getattr(net, kind)[name] = weights.arrays[name]
    return net


def _constants(run: Run) -> dict[str, int | float]:
    """Those that the text still names: a run keeps its program with the values of constants in their places."""
    told: Any = run.config.get("constants")
    given = cast(dict[str, Any], told) if isinstance(told, dict) else {}
    return {n: v for n, v in given.items() if re.search(rf"\b{re.escape(n)}\b", run.text)}


def _missing(run: Run, name: str, weights: Weights) -> Exception:
    like = nearest(name, weights.arrays)
    advice = f"is `{like}` the program's `{name}`?" if like else f"{PROGRAM} is that of another run"
    return data_error("E0609", message=f"the weights of {run.name} lack `{name}`", advice=advice)


def _place(text: str, name: str) -> int:
    """Where a parameter is declared."""
    found = re.search(rf"^\s*(param|state)\s+{re.escape(name)}\s*(\[|:|=|~|$)", text, re.MULTILINE)
    return found.start() if found else len(text)
