"""The default run of random programs meets every bin of shapes and every branch of lowering; the counters are asserted.

Branches that are for large programs are met on small ones, with smaller limits.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from bins import branches_met, memory_met, passes_met, small_target
from generate import programs
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import Program
from running import assert_right, bound

from indexlang.nest import inner, rows, scatter
from indexlang.nest.moves import contract
from indexlang.passes import partial_scatter, share_sums, split_sums

SMALLER = (
    *((inner, "_GRAIN", 8), (inner, "_SHARED", 2), (inner, "_BLOCK", 2), (rows, "_ROW", 4), (rows, "_AT_ONCE", 2)),
    *((scatter, "_MANY_POINTS", 4), (scatter, "_ENOUGH", 2), (scatter, "_LEAST_RUN", 2), (scatter, "_RANGES", 3)),
    *((contract, "_ROUND_TERMS", 3), (contract, "_ROUND_BYTES", 16), (contract, "_TALL", 1), (contract, "_PANEL", 8)),
    *((contract, "_PANEL_ROWS", 4), (contract, "_MANY_ROWS", 4), (contract, "_WIDE", 2), (contract, "_BLOCKS_WANTED", 3)),
    *((partial_scatter, "_LEAST_POINTS", 4), (partial_scatter, "_ENOUGH", 2), (share_sums, "_LEAST_TERMS", 2)),
    *((share_sums, "_LEAST_WORK", 16), (split_sums, "_LONG", 6), (split_sums, "BLOCK", 3)),
)
MET: Counter[str] = Counter()


@pytest.fixture
def smaller_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module, name, value in SMALLER:
        monkeypatch.setattr(module, name, value)
    yield


def met(program: Program, dtype: str, small: str) -> None:
    """Run, compare, and count what it went through."""
    inputs = program.given(dtype)
    made = bound(program.text, inputs, dtype)
    machine = small_target() if small == "small tiles" else None
    plan = made.plan(machine)
    MET.update(program.bins | {f"dtype {dtype}", f"extents {program.named}"})
    MET.update(set(memory_met(inputs)))
    MET.update(set(passes_met(made.table)) | set(branches_met(plan)))
    assert_right(made.unjitted(machine), program, dtype)


@settings(max_examples=400)
@given(programs(most=300), st.sampled_from(("f64", "f32")), st.sampled_from(("small tiles", "own tiles")))
def test_random_programs_with_small_limits(program: Program, dtype: str, small: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in SMALLER:
            patch.setattr(module, name, value)
        met(program, dtype, small)


@settings(max_examples=400)
@given(programs(most=300), st.sampled_from(("f64", "f32")), st.sampled_from(("small tiles", "own tiles")))
def test_random_programs_with_the_usual_limits(program: Program, dtype: str, small: str) -> None:
    met(program, dtype, small)
