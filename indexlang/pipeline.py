"""The straight line: text → syntax tree → typed IR → passes → nests → source → kernels, with a name for every stop.

The only module that knows all stages.
"""

from indexlang.infer.elaborate import elaborate
from indexlang.infer.scope import Options
from indexlang.ir.equation import Program
from indexlang.nest.moves.lay import lay_along_columns
from indexlang.nest.moves.pack import pack_operands
from indexlang.nest.moves.target import Target
from indexlang.nest.moves.winograd import winograd
from indexlang.nest.show import show_nest
from indexlang.passes.accumulate import store_first_terms
from indexlang.passes.ahead import guard_sums
from indexlang.passes.borders import lower_borders
from indexlang.passes.contraction import prepare_contractions
from indexlang.passes.dce import drop_dead
from indexlang.passes.embed import embed_copies
from indexlang.passes.fuse import fuse_readers
from indexlang.passes.fuse_rows import fuse_rows
from indexlang.passes.nothing import drop_empty_reductions
from indexlang.passes.pairs import order_products
from indexlang.passes.partial_scatter import split_scatters
from indexlang.passes.residues import split_residues
from indexlang.passes.separate import separate_contractions
from indexlang.passes.share_sums import share_long_sums
from indexlang.passes.split_sums import split_long_sums
from indexlang.passes.turn import turn_scatters
from indexlang.run.plan import Plan, Step, make_plan
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, Severity

STAGES = ("ast", "typed", "simple", "nest", "source")


def typed(module: ast.Module, options: Options) -> Program:
    """The typed program for other sizes. Raises ProgramError."""
    result = elaborate(module, options)
    if result.program is None:
        raise ProgramError([d for d in result.diagnostics if d.severity is Severity.ERROR])
    return result.program


def simple(program: Program, wanted: tuple[str, ...], target: Target) -> Program:
    """The equations as they are computed on a machine: all passes, in order. The program's extents are known."""
    begun = guard_sums(drop_empty_reductions(drop_dead(program, wanted)))
    stored = store_first_terms(split_scatters(turn_scatters(begun)))
    split = split_residues(fuse_rows(fuse_readers(order_products(stored))))
    live = lay_along_columns(pack_operands(winograd(separate_contractions(split)), target))
    return lower_borders(embed_copies(split_long_sums(share_long_sums(prepare_contractions(live)))))


def plan(program: Program, wanted: tuple[str, ...], target: Target) -> Plan:
    """Everything but compiling: kernels' sources in order, and the arena."""
    return make_plan(simple(program, wanted, target), target)


def show_tree(module: ast.Module, target: str | None) -> str:
    """The syntax tree, one statement a paragraph."""
    chosen = [s for s in module.statements if target is None or getattr(s, "name", None) == target]
    return "\n".join(str(s) for s in chosen) + "\n"


def show_plan(made: Plan, stage: str, target: str | None) -> str:
    """The nests or the generated source of a plan, in order."""
    steps = [s for s in (*made.once, *made.steps) if target is None or s.equation.target == target]
    if stage == "source":
        return "\n\n".join(dict.fromkeys(s.kernel.source for s in steps))
    once = {id(s.nest): s for s in reversed(steps)}  # the turns of an equation have the same
    return "\n".join(_with_turns(s, made) for s in reversed(once.values()))


def _with_turns(s: Step, made: Plan) -> str:
    if s.group is None:
        return show_nest(s.nest)
    turns = 1 + max(other.turn for other in made.steps if other.group == s.group)
    return f"# in {turns} turns\n{show_nest(s.nest)}"


__all__ = ["STAGES", "plan", "show_plan", "show_tree", "simple", "typed"]
