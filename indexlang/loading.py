"""What a program keeps, from files and to files. Loaded when a program first reads or writes weights."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from indexlang.interop.maps import Fit, Loaded, best, loaded, unfit
from indexlang.interop.weights import opened, write_weights
from indexlang.ir.equation import Role
from indexlang.kept import Kept
from indexlang.parameters import Array, fitted
from indexlang.text.diagnostics import Diagnostic, diagnostic


def save(kept: Kept, path: str | os.PathLike[str]) -> None:
    """Write parameters and states. Raises DataError E0705."""
    write_weights(path, {**kept.params, **kept.state})


def load(kept: Kept, path: str | os.PathLike[str]) -> Loaded:
    """Parameters and states from a file; nothing changes unless all fit. Raises E0701, E0704, E0706, E0609, E0603."""
    tensors = {t.name: t for t in kept.of(Role.PARAM, Role.STATE)}
    found, values = read(kept, path)
    arrays = {name: fitted(tensors[name], array) for name, array in values.items()}
    for role in (Role.PARAM, Role.STATE):
        kept.take(role, arrays)
    kept.is_random = False
    return loaded(Path(path), found, _not_finite(arrays))


def read(kept: Kept, path: str | os.PathLike[str]) -> tuple[Fit, dict[str, Array]]:
    """What a file has for a program, by our names, in the file's dtypes; nothing changes."""
    kept.need_sizes()
    with opened(path) as archive:
        found = best(_extents(kept, Role.PARAM), _extents(kept, Role.STATE), archive.entries)
        if not found.complete:
            raise unfit(archive.path, found)
        return found, {pair.ours: pair.read() for pair in found.pairs}


def _extents(kept: Kept, role: Role) -> dict[str, tuple[int, ...]]:
    return {t.name: tuple(int(n) for n in t.extents) for t in kept.of(role)}  # type: ignore[arg-type]


def _not_finite(arrays: Mapping[str, Array]) -> Iterator[Diagnostic]:
    """A warning for each tensor with NaN or infinities. They are not refused: in a result they stay visible."""
    for name, array in arrays.items():
        count = array.size - int(np.isfinite(array).sum()) if array.dtype.kind == "f" else 0
        if count:
            yield diagnostic("W0701", tensor=name, count=count, size=array.size)


__all__ = ["load", "read", "save"]
