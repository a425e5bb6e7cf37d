"""Inputs drawn at random, such as a program can take: to check it, where nobody gives any."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Program, Role, Tensor
from indexlang.ir.expr import Expr, Read, reads, walk
from indexlang.ir.size import Extent, Size
from indexlang.memory import check_values
from indexlang.results import Array
from indexlang.text.diagnostics import data_error

_HIGHEST = 10  # of ints that are no subscripts


def example_inputs(program: Program, seed: int, given: Mapping[str, Any]) -> dict[str, Array]:
    """The inputs that are not given: floats from the normal distribution, ints so that no subscript leaves its axis.

    Raises DataError E0610 where an extent has no value, E0901 for more than there is memory, E0604 where the range of an int is not known.
    """
    random = np.random.default_rng(seed)
    missing = [t for t in program.with_role(Role.INPUT) if t.name not in given]
    for extent in (n for t in missing for n in t.extents):
        _known(extent)
    check_values(missing)
    return {t.name: _drawn(t, program, random) for t in missing}


def _drawn(t: Tensor, program: Program, random: np.random.Generator) -> Array:
    shape = tuple(_known(n) for n in t.extents)
    if t.dtype.is_float:
        return random.standard_normal(shape).astype(t.dtype.numpy)
    if t.dtype is DType.BOOL:
        return random.random(shape) < 0.5
    return random.integers(0, _highest(t, program), shape).astype(t.dtype.numpy)


def _known(extent: Extent) -> int:
    if isinstance(extent, Size):
        raise data_error("E0610", name=str(extent), advice=f"give it with -D {extent}=…, or with `bound`")
    return int(extent)


def _highest(t: Tensor, program: Program) -> int:
    """How many values an int may take: the shortest axis that it is a subscript of."""
    found: list[int] = []
    for s, extent in _subscripts(program):
        inside = [n for n in walk(s) if isinstance(n, Read) and n.tensor == t.name]
        if inside and not isinstance(s, Read):
            advice = f"subscripts are computed from it, so not every value will do: --input {t.name}=PATH"
            raise data_error("E0604", tensor=t.name, advice=advice)
        if inside:
            found.append(_known(extent))
    return max(min(found, default=_HIGHEST), 1)


def index_limits(program: Program) -> dict[str, int]:
    """How many values the ints of an input may take, where it is a subscript: the shortest axis that it is one of."""
    found: dict[str, int] = {}
    inputs = {t.name for t in program.with_role(Role.INPUT) if not t.dtype.is_float}
    for s, extent in _subscripts(program):
        if isinstance(s, Read) and s.tensor in inputs and isinstance(extent, int):
            found[s.tensor] = min(found.get(s.tensor, extent), extent)
    return found


def _subscripts(program: Program) -> Iterator[tuple[Expr, Extent]]:
    """Every subscript of the program, with the extent of its axis."""
    for e in program.equations:
        yield from zip(e.left, program.tensor(e.target).extents, strict=True)
        for part in (*e.left, e.body):
            for r in reads(part):
                yield from zip(r.subscripts, program.tensor(r.tensor).extents, strict=True)
