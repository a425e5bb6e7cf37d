"""Which branches of lowering a plan went through, as names: passes that changed something, schedules, kinds of nodes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from pieces import Value

from indexlang.ir.equation import Program
from indexlang.nest.moves.target import Knobs, Target
from indexlang.nest.nodes import For, Node, Store, TileLoop
from indexlang.passes.accumulate import store_first_terms
from indexlang.passes.borders import lower_borders
from indexlang.passes.contraction import prepare_contractions
from indexlang.passes.dce import drop_dead
from indexlang.passes.embed import embed_copies
from indexlang.passes.fuse import fuse_readers
from indexlang.passes.nothing import drop_empty_reductions
from indexlang.passes.partial_scatter import split_scatters
from indexlang.passes.residues import split_residues
from indexlang.passes.share_sums import share_long_sums
from indexlang.passes.split_sums import split_long_sums
from indexlang.passes.turn import turn_scatters
from indexlang.run.machine import target
from indexlang.run.plan import Plan

Pass = Callable[[Program], Program]
PASSES: tuple[tuple[str, Pass], ...] = (
    *(("nothing", drop_empty_reductions), ("turn", turn_scatters), ("partial_scatter", split_scatters)),
    *(("accumulate", store_first_terms), ("fuse", fuse_readers), ("residues", split_residues)),
    *(("contraction", prepare_contractions), ("share_sums", share_long_sums), ("split_sums", split_long_sums)),
    *(("embed", embed_copies), ("borders", lower_borders)),
)


def passes_met(program: Program) -> Iterator[str]:
    """The passes that change the program, in the order of the pipeline."""
    now = drop_dead(program, program.outputs)
    for name, one in PASSES:
        after = one(now)
        if after.equations != now.equations:
            yield f"pass {name}"
        now = after


def branches_met(plan: Plan) -> Iterator[str]:
    """Schedules and kinds of nodes."""
    for step in (*plan.once, *plan.steps):
        if step.turn:
            yield "several turns"
        yield "schedule " + re.sub(r"\d+x\d+", "", step.nest.schedule).strip()
        yield "serial" if step.nest.serial else "parallel"
        yield "several iterations" if step.iterations > 1 else "one iteration"
        yield from _nodes(step.nest.body)


def _nodes(nodes: tuple[Node, ...]) -> Iterator[str]:
    for n in nodes:
        yield f"node {type(n).__name__}"
        match n:
            case For(body=body):
                yield from _nodes(body)
            case Store(fold=fold) if fold is not None:
                yield f"store with {fold.name}"
            case TileLoop():
                yield "tile in rounds" if n.rounds else "tile at once"
                yield "tile of one row" if n.rows == 1 else "tile of rows"
                yield "tile that adds" if n.adds or n.rounds else "tile that stores"
                yield "tile with few rows" if n.short else "tile with known rows"
            case _:
                pass


def memory_met(inputs: dict[str, Value]) -> Iterator[str]:
    """How the arrays lie in memory."""
    for a in inputs.values():
        if not a.flags.writeable and 0 in a.strides and a.size > 1:
            yield "memory broadcast"
        elif not a.flags.writeable:
            yield "memory read-only"
        if any(s < 0 for s in a.strides):
            yield "memory of negative stride"
        if a.ndim > 1 and a.flags.f_contiguous and not a.flags.c_contiguous:
            yield "memory in Fortran order"
        if a.flags.c_contiguous:
            yield "memory in C order"
        if a.ndim and a.strides[-1] > a.itemsize:
            yield "memory with gaps"
    if len({id(a) for a in inputs.values()}) < len(inputs):
        yield "memory given twice"


def small_target(lanes: int = 8) -> Target:
    """A machine for which small tiles are best, so that small programs have several."""
    return Target(lambda size: 64 // size, lambda rows, columns, dtype, vectors=0: (min(rows, 3), vectors or 1))


def odd_knobs() -> Target:
    """This machine, with schedules that no cost model would choose."""
    return replace(target(), tuned=lambda structure: Knobs(rows=5, vectors=1, rounds=-2, chunk=-2))
