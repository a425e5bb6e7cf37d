"""All that a run of training needs to go on as if nothing had happened, in one file.

Parameters, states (the optimiser's among them), how many random runs there were, how far the data was read, and the sums
of the epoch that was begun.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.interop.snapshots import read_snapshot, write_snapshot
from indexlang.parameters import Parameters, fitted
from indexlang.program import Program
from indexlang.text.diagnostics import data_error

FORM = 1
Array = np.ndarray[Any, Any]
Sums = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run is.

    epoch     the one that is run, from 1        done  batches of it that were taken
    step      steps of the whole run             sums, examples  of the metrics over these batches
    best      the best value of what is watched, and its epoch
    seconds   that the run has taken
    """

    epoch: int = 1
    done: int = 0
    step: int = 0
    examples: int = 0
    sums: Sums = field(default_factory=dict[str, float])
    best: float | None = None
    best_epoch: int | None = None
    best_metrics: Sums = field(default_factory=dict[str, float])
    seconds: float = 0.0


def save(path: Path, program: Program, position: Position, digest: str) -> None:
    """Write the checkpoint of a training program; `digest` says of which run. Raises DataError E0705."""
    arrays = {f"param/{n}": a for n, a in values(program, "params").items()}
    arrays |= {f"state/{n}": a for n, a in values(program, "state").items()}
    notes = {"form": FORM, "digest": digest, "seed": program.seed, "runs": program.runs, **asdict(position)}
    write_snapshot(path, arrays, notes)


def restore(path: Path, program: Program, digest: str) -> Position:
    """Give a training program the values of a checkpoint; nothing changes unless all of them fit.

    Raises DataError E0701, E0704, E0822.
    """
    arrays, notes = read_snapshot(path)
    if notes.get("form") != FORM or notes.get("digest") != digest:
        raise data_error("E0822", path=path, message="it was written by another program, or with other settings")
    ready = [
        (kept, name, _fitting(path, kept, kind, name, arrays))
        for kind, kept in (("param", _own(program, "params")), ("state", _own(program, "state")))
        if kept is not None
        for name in kept
    ]
    for kept, name, array in ready:
        kept.put(name, array)
    program.begin(int(notes["seed"]), int(notes["runs"]))
    known = {f: notes[f] for f in Position.__dataclass_fields__}
    return Position(**known)


def not_finite(program: Program) -> tuple[str, tuple[int, ...], float] | None:
    """The first element of a parameter or state that is NaN or infinite: its tensor, place and value."""
    for kind in ("params", "state"):
        for name, array in values(program, kind).items():
            found = first_not_finite(array)
            if found is not None:
                return name, found, float(array[found])
    return None


def first_not_finite(array: Array) -> tuple[int, ...] | None:
    """The place of the first element, in row-major order, that is NaN or infinite."""
    if array.dtype.kind != "f":
        return None
    finite = np.isfinite(array)
    if finite.all():
        return None
    return tuple(int(n) for n in np.unravel_index(int(np.argmin(finite)), array.shape))


def _own(program: Program, kind: str) -> Parameters | None:
    has = any(t.role == kind.removesuffix("s") for t in program.tensors.values())
    return getattr(program, kind) if has else None


def values(program: Program, kind: str) -> Mapping[str, Array]:
    """The `params`, or the `state`, of a program; empty if it has none."""
    kept = _own(program, kind)
    return {} if kept is None else kept


def _fitting(path: Path, kept: Parameters, kind: str, name: str, arrays: Mapping[str, Any]) -> Array:
    if f"{kind}/{name}" not in arrays:
        raise data_error("E0822", path=path, message=f"it lacks `{name}`")
    return fitted(kept.tensors[name], arrays[f"{kind}/{name}"]).copy()


__all__ = ["Array", "Position", "first_not_finite", "not_finite", "restore", "save", "values"]
