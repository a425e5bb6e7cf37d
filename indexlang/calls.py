"""A call like one before: same names, extents and dtypes. All that these decide is looked up, not found again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexlang.ir.equation import Program, Role
from indexlang.results import Array
from indexlang.run.blocks import fresh
from indexlang.run.execute import Executable, Lasting


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run whose arguments need no look: it changes no state, draws nothing, and converts no input.

    inputs   names of the arguments, in the order in which they are given
    outputs  name, extents and dtype of each result
    """

    made: Executable
    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, tuple[int, ...], np.dtype[Any]], ...]
    roles: tuple[Role, ...]

    def run(
        self, arrays: Sequence[Array], threads: int, version: object, kept: tuple[Lasting, ...]
    ) -> dict[str, Array]:
        """The results, in memory that nobody else holds. Raises CheckFailed."""
        results = {name: fresh(shape, dtype) for name, shape, dtype in self.outputs}
        self.made.run(dict(zip(self.inputs, arrays, strict=True)), results, threads, version, kept)
        return results


def key_of(args: Sequence[Any], named: Mapping[str, Any], want: Sequence[str] | None) -> tuple[object, ...] | None:
    """What a call has to share with another that is to be run like it; None where its arguments must be looked at."""
    parts: list[object] = [len(args), want if want is None or type(want) is str else tuple(want), *named]
    for a in (*args, *named.values()):
        if type(a) is not np.ndarray:
            return None
        flags = a.flags
        if not flags.c_contiguous or not flags.aligned:
            return None
        parts.append(a.shape)
        parts.append(a.dtype)
    return tuple(parts)


def prepared(
    made: Executable,
    program: Program,
    names: Sequence[str],
    given: tuple[Sequence[Array], Mapping[str, Array]],
    arrays: Mapping[str, Array],
) -> Prepared | None:
    """What a call leaves for the next one like it, if it can be run without a look at its arguments.

    given   the arguments, by position and by name      arrays  the same by name, as the program takes them
    """
    args, named = given
    inputs = (*tuple(arrays)[: len(args)], *named)
    converts = any(a.dtype != arrays[n].dtype for n, a in zip(inputs, (*args, *named.values()), strict=True))
    if converts or program.updates or program.with_role(Role.SEED):
        return None
    outputs = tuple((n, _extents(program, n), program.tensor(n).dtype.numpy) for n in names)
    roles = tuple(r for r in (Role.PARAM, Role.STATE) if program.with_role(r))
    return Prepared(made, inputs, outputs, roles)


def _extents(program: Program, name: str) -> tuple[int, ...]:
    return tuple(int(n) for n in program.tensor(name).extents)  # type: ignore[arg-type]
