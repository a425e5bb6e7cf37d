"""Which schedule an equation gets: tiles for contractions, blocks for other sums, rows or inner loops for the rest."""

from collections.abc import Iterator

from indexlang.ir.equation import Equation, Program
from indexlang.nest.lower import lowered
from indexlang.nest.moves.block import blocked
from indexlang.nest.moves.contract import contract
from indexlang.nest.moves.target import Target
from indexlang.nest.nodes import Nest
from indexlang.passes.contraction import contraction
from indexlang.passes.scans import scans


def schedule(e: Equation, program: Program, target: Target) -> Iterator[Nest]:
    """The kernels that compute an equation, in order (its run-time checks not included)."""
    found = contraction(e, program)
    if found is not None and found.a.border is None:
        tiled = contract(e, found, program, target)
        if tiled is not None:
            yield tiled
            return
    block = None if scans(e) else blocked(e, program, target)
    if block is not None:
        yield block
    else:
        yield from lowered(e, program)
