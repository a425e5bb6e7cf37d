"""Every row of the benchmarks compiles and agrees with its peers, at small sizes. Nothing is timed here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.case import Case, Setting, agree, ready
from benchmarks.report import Limits, Report, Row, cells, mean_ratio, merged, read, written
from benchmarks.tables import gradients, long_products, memory_bound, odd, products
from benchmarks.tables.convolutions import CONVOLUTIONS, Convolution, forward, small

pytest.importorskip("torch")
SETTING = Setting(threads=1)


def named(case: Any) -> str:
    return case.name


@pytest.mark.parametrize("case", [*products.CASES, *memory_bound.CASES, *long_products.CASES], ids=named)
def test_rows_agree_with_their_peers(case: Case) -> None:
    made = ready(case, case.small, SETTING)
    assert made.peers
    made.into()


@pytest.mark.parametrize("layer", CONVOLUTIONS, ids=named)
def test_convolutions_agree_with_torch(layer: Convolution) -> None:
    assert ready(forward(small(layer)), {}, SETTING).peers


@pytest.mark.parametrize("wrt", gradients.WRT)
@pytest.mark.parametrize(
    "name", ["AlexNet 2, 5x5", "3x3 56, 64-128, stride 2", "3x3 28, 256, 32 groups", "5x5 28, 144, depthwise"]
)
def test_gradients_agree_with_torch(name: str, wrt: str) -> None:
    layer = next(c for c in CONVOLUTIONS if c.name == name)
    assert gradients.runs(small(layer), wrt, SETTING).peers


@pytest.mark.parametrize("case", odd.CASES, ids=named)
def test_odd_equations_agree_with_other_formulations(case: Case) -> None:
    """Without torch.compile and numba, which take seconds a row to compile; the oracle knows better than both."""
    kinds = {kind: call for kind, call in case.peers.items() if kind in ("torch", "numpy")}
    assert len(ready(replace(case, peers=kinds), case.small, SETTING).peers) == 2


@pytest.mark.parametrize("case", odd.CASES, ids=named)
def test_loops_by_hand_agree_too(case: Case) -> None:
    """As plain Python."""
    arrays = tuple(case.arrays(case.small).values())
    program = case.program(case.small, 1)
    agree(case.name, case.peers["numba"].py_func(*arrays), program(*arrays), 1e-4)


LIMITS = Limits(2, 100e9, 10e9)
FIRST = Row("products", "a", 2.0, {"torch": 4.0, "numpy": 8.0}, flops=100_000_000, moved=1_000_000)
SECOND = Row("products", "b", 8.0, {"torch": 4.0})


def report(*rows: Row) -> Report:
    return Report({"numpy": "2"}, {}, LIMITS, {"products": "≤ 1"}, rows, {})


def test_a_row_is_told_beside_its_best_peer_and_the_limit() -> None:
    assert cells(FIRST, LIMITS) == ("a", "2 ms", "0.50", "50 % peak", "torch 4; numpy 8")
    assert mean_ratio((FIRST, SECOND)) == pytest.approx(1)


def test_parts_add_up(tmp_path: Path) -> None:
    again = replace(FIRST, ours=3.0)
    file = tmp_path / "all.json"
    file.write_text(written(merged(report(FIRST, SECOND), report(again))), encoding="utf-8")
    assert read(file) == report(again, SECOND)
