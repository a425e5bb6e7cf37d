"""The default run of random programs meets every bin of shapes and every branch of lowering; the counters are asserted.

Branches that are for large programs are met on small ones, with smaller limits.
"""

import sys
from collections import Counter

import pytest
from bins import branches_met, memory_met, odd_knobs, passes_met, small_target
from generate import BORDERS, programs
from hypothesis import given, settings
from hypothesis import strategies as st
from long_runs import many
from pieces import Program
from running import assert_right, bound

from indexlang.nest import body, inner, rows, scatter, transposed, turns
from indexlang.nest.moves import block, columns, contract, lay, pack
from indexlang.passes import partial_scatter, share_sums, split_sums

SMALLER = (
    *((inner, "_GRAIN", 8), (inner, "_SHARED", 2), (transposed, "_BLOCK", 2), (rows, "_ROW", 4), (rows, "_AT_ONCE", 2)),
    *((scatter, "_MANY_POINTS", 4), (scatter, "_ENOUGH", 2), (scatter, "_LEAST_RUN", 2), (scatter, "_RANGES", 3)),
    *(
        (contract, "ROUND_TERMS", 3),
        (contract, "_ROUND_BYTES", 16),
        (contract, "_TALL", 1),
        (contract, "_PANEL", 8),
        (block, "_LEAST_WORK", 0),
        (block, "_NEAR", 64),
        (body, "_UNROLLED_TERMS", 1),
        (columns, "_LEAST_WORK", 0),
        (columns, "_SHARES", 3),
        (lay, "_LEAST_WORK", 0),
        (lay, "_LEAST_USES", 0),
        (lay, "_LEAST_COLUMNS", 2),
    ),
    *((contract, "PANEL_ROWS", 4), (contract, "MANY_ROWS", 4), (contract, "_WIDE", 2), (contract, "_BLOCKS_WANTED", 3)),
    *((pack, "PANEL_ROWS", 4), (pack, "MANY_ROWS", 4), (pack, "ROUND_TERMS", 3), (pack, "FEW_TERMS", 2)),
    *((contract, "FEW_TERMS", 2), (pack, "_LEAST_USES", 1), (pack, "_LEAST_WORK", 0)),
    *((partial_scatter, "_LEAST_POINTS", 4), (partial_scatter, "_ENOUGH", 2), (share_sums, "_LEAST_TERMS", 2)),
    *((turns, "LARGE", 0), (turns, "SMALL", 0)),
    *((share_sums, "_LEAST_WORK", 16), (split_sums, "_LONG", 6), (split_sums, "BLOCK", 3)),
)
KINDS = ("", "", "scatter", "contraction")  # of the first equation: the last two are rare among all
EVERY_KIND = st.one_of([programs(most=300, first=kind) for kind in KINDS])
MET: Counter[str] = Counter()
WANTED = (
    *(f"rank {n}" for n in range(7)),
    *(
        f"extent {n}" for n in (0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31)
    ),  # primes, and a tile less one, whole, and one more
    *(f"step {n}" for n in (1, 2, 3, 4, -1, -2)),
    *(f"dilation {n}" for n in (1, 2, 3)),
    *("negative offset", "diagonal", "group on the left", "group in an access", "quotient or remainder", "gather"),
    *(f"border {rule}" for rule in BORDERS),
    *("nested reductions", "conditional", "scatter", "contraction", "two equations", "one output of two"),
    *("sum", "prod", "max", "min", "mean", "logsumexp", "argmax", "argmin"),
    *("int", "dtype f32", "dtype f64", "special values", "spare elements", "no spare", "one tensor read twice"),
    *("extents no", "extents numbers", "extents names"),
    *("memory in C order", "memory in Fortran order", "memory of negative stride", "memory with gaps"),
    *("memory broadcast", "memory read-only", "memory given twice"),
    *(f"pass {p}" for p in ("nothing", "turn", "partial_scatter", "accumulate", "fuse", "residues", "contraction")),
    *(f"pass {p}" for p in ("share_sums", "split_sums", "borders")),
    *("schedule check", "schedule inner", "schedule rows", "schedule scatter", "schedule scatter in ranges"),
    *("schedule tile", "schedule transposed", "parallel", "serial", "one iteration", "several iterations"),
    *(f"node {n}" for n in ("Add", "Check", "For", "Let", "Store", "TileLoop", "Track")),
    *("tile at once", "tile in rounds", "tile of one row", "tile of rows", "tile that stores"),
    *("several turns", "tile with few rows", "tile with known rows", "store with sum"),
)


def met(program: Program, dtype: str, small: str) -> None:
    """Run, compare, and count what it went through."""
    inputs = program.given(dtype)
    made = bound(program.text, inputs, dtype)
    machine = {"small tiles": small_target(), "odd knobs": odd_knobs()}.get(small)
    plan = made.plan(machine)
    MET.update(program.bins | {f"dtype {dtype}", f"extents {program.named}"})
    MET.update(set(memory_met(inputs)))
    MET.update(set(passes_met(made.table)) | set(branches_met(plan)))
    assert_right(made.unjitted(machine), program, dtype)


@pytest.mark.parametrize(("module", "name", "value"), SMALLER)
def test_the_small_limits_are_smaller(module: object, name: str, value: int) -> None:
    """The long runs lower them: one that has moved or is no longer larger would be found there only."""
    assert getattr(module, name) > value


@pytest.mark.parametrize("name", sorted({name for _, name, _ in SMALLER if not name.startswith("_")}))
def test_a_limit_is_lowered_in_every_module_that_has_a_copy(name: str) -> None:
    """A copy with its usual value would keep the odd schedules out of the long runs, and nothing would tell."""
    scheduling = {m for n, m in sys.modules.items() if n.startswith(("indexlang.nest", "indexlang.passes"))}
    assert {m for m in scheduling if name in vars(m)} == {m for m, n, _ in SMALLER if n == name}


@pytest.mark.soak
@settings(max_examples=600)
@given(EVERY_KIND, st.sampled_from(("f64", "f32")), st.sampled_from(("small tiles", "own tiles", "odd knobs")))
def test_random_programs_with_small_limits(program: Program, dtype: str, small: str) -> None:
    with_small_limits(program, dtype, small)


@many(20_000)
@given(EVERY_KIND, st.sampled_from(("f64", "f32")), st.sampled_from(("small tiles", "own tiles")))
def test_random_programs_with_small_limits_for_long(program: Program, dtype: str, small: str) -> None:
    with_small_limits(program, dtype, small)


def with_small_limits(program: Program, dtype: str, small: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in SMALLER:
            patch.setattr(module, name, value)
        met(program, dtype, small)


@pytest.mark.soak
@settings(max_examples=600)
@given(EVERY_KIND, st.sampled_from(("f64", "f32")), st.sampled_from(("small tiles", "own tiles", "odd knobs")))
def test_random_programs_with_the_usual_limits(program: Program, dtype: str, small: str) -> None:
    met(program, dtype, small)


@pytest.mark.soak
def test_every_bin_was_met() -> None:
    """Counted over the two runs above, whose seed is fixed; run them with this test."""
    if sum(MET.values()) == 0:
        pytest.skip("counts what the other tests of this file meet")
    assert not [name for name in WANTED if not MET[name]]
