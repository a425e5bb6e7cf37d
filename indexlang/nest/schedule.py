"""Which schedule an equation gets: tiles for contractions, matrices of windows, one walk for running sums, blocks for other
sums, columns where there are several, rows or inner loops for the rest."""

from collections.abc import Iterator

from indexlang.ir.equation import Equation, Program
from indexlang.nest.lower import lowered
from indexlang.nest.moves.block import blocked
from indexlang.nest.moves.columns import in_columns
from indexlang.nest.moves.contract import contract
from indexlang.nest.moves.scan import scanned
from indexlang.nest.moves.target import Target
from indexlang.nest.moves.transform import transformed
from indexlang.nest.nodes import Nest
from indexlang.passes.contraction import contraction


def schedule(e: Equation, program: Program, target: Target) -> Iterator[Nest]:
    """The kernels that compute an equation, in order (its run-time checks not included)."""
    found = contraction(e, program)
    if found is not None and found.a.border is None:
        tiled = contract(e, found, program, target)
        if tiled is not None:
            yield tiled
            return
    ways = (transformed, scanned, blocked, in_columns)
    whole = next((nest for way in ways if (nest := way(e, program, target)) is not None), None)
    if whole is not None:
        yield whole
    else:
        yield from lowered(e, program, target.large)
