"""Tuned schedules: used where they were found, ignored where anything is odd, and never the cause of other results."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import indexlang

import indexlang as il
from indexlang import tuning
from indexlang.emit.store import Store
from indexlang.nest.moves import block
from indexlang.nest.moves.target import USUAL, Knobs
from indexlang.run import kernels, tuned
from indexlang.run.machine import target
from indexlang.run.plan import scheduled, structure

PRODUCT = "input A[40,50]\ninput B[50,70]\nC[i,k] = relu(sum[j] A[i,j]*B[j,k])\noutput C\n"
TEXTS = {
    "a product": (PRODUCT, {"A": (40, 50), "B": (50, 70)}),
    "a long sum": (
        "input A[37,901]\ninput B[901,67]\nC[i,k] = 1 + sum[j] A[i,j]*B[j,k]",
        {"A": (37, 901), "B": (901, 67)},
    ),
    "panels": (
        "input A[500,430]\ninput B[61,430]\nC[i,k] = sum[j] A[i,j]*B[k,j]",
        {"A": (500, 430), "B": (61, 430)},
    ),
    "a convolution": (
        "input X[2,13,11,5]\ninput W[3,3,5,33]\nY[b,x:13,y:11,j] = sum[dx:3,dy:3,i] W[dx,dy,i,j]*X[b,x+dx-1,y+dy-1,i else 0]",
        {"X": (2, 13, 11, 5), "W": (3, 3, 5, 33)},
    ),
    "depthwise": (
        "input X[2,13,11,35]\ninput W[3,3,35]\nY[b,x:13,y:11,j] = sum[dx:3,dy:3] W[dx,dy,j]*X[b,x+dx-1,y+dy-1,j else 0]",
        {"X": (2, 13, 11, 35), "W": (3, 3, 35)},
    ),
    "added to": (
        "input A[31,260]\ninput B[260,40]\ntensor C[31,40]\nC[i,k] += sum[j] A[i,j]*B[j,k]\nC[i,k] += sum[j] B[j,k]*A[i,j]",
        {"A": (31, 260), "B": (260, 40)},
    ),
}
KNOBS = (
    *(Knobs(rows, vectors) for rows, vectors in ((1, 1), (5, 1), (14, 2), (32, 16))),
    *(Knobs(chunk=-4), Knobs(chunk=4), Knobs(rounds=-2), Knobs(rounds=2), Knobs(2, 3, -1, -1)),
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernels, "_stores", [Store(tmp_path / "cache")])
    monkeypatch.setattr(tuned, "_known", {})
    return tmp_path / "cache"


def again(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As another process that begins with the same folder."""
    monkeypatch.setattr(kernels, "_stores", [Store(folder)])
    monkeypatch.setattr(tuned, "_known", {})


def arrays(shapes: Mapping[str, tuple[int, ...]], dtype: str = "f32") -> dict[str, Any]:
    random = np.random.default_rng(1)
    return {
        n: random.standard_normal(s).astype({"f32": np.float32, "f64": np.float64}[dtype]) for n, s in shapes.items()
    }


def structures(text: str, threads: int = 1) -> Iterator[str]:
    program = il.compile(text, dtype="f32", threads=threads)
    plan, _ = program.timed(arrays(TEXTS["a product"][1]))
    usual = replace(target(), tuned=lambda structure: None)
    return (structure(scheduled(s.equation, plan.program, usual)) for s in plan.steps)


def schedule_of(text: str) -> str:
    return il.compile(text, dtype="f32").show("nest")


@pytest.mark.parametrize(("name", "dtype"), [*((n, "f32") for n in TEXTS), ("a long sum", "f64"), ("depthwise", "f64")])
def test_no_knob_changes_results(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "_LEAST_WORK", 0)
    text, shapes = TEXTS[name]
    given = arrays(shapes, dtype)
    program = il.compile(text, dtype=dtype, threads=2)
    wanted = np.asarray(program(**given))  # as other tests compare with the interpreter
    close = (1e-5 if dtype == "f32" else 1e-14) * np.abs(wanted).max()
    for knobs in KNOBS:
        _, run = program.timed(given, replace(target(), tuned=lambda structure, knobs=knobs: knobs))
        for found in run()[0].values():
            np.testing.assert_allclose(found, wanted, rtol=0, atol=close, err_msg=str(knobs))


def test_a_winner_is_used_by_later_processes(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "tile 3x1" not in schedule_of(PRODUCT)
    tuned.keep({s: Knobs(3, 1) for s in structures(PRODUCT)})
    again(monkeypatch, own_cache)
    assert "tile 3x1" in schedule_of(PRODUCT)
    given = arrays(TEXTS["a product"][1])
    wanted = np.maximum(given["A"].astype(np.float64) @ given["B"], 0)
    np.testing.assert_allclose(il.compile(PRODUCT, dtype="f32")(**given), wanted, rtol=0, atol=1e-5)


def test_names_do_not_matter_but_extents_do() -> None:
    tuned.keep({s: Knobs(3, 1) for s in structures(PRODUCT)})
    renamed = PRODUCT.replace("A[", "P[").replace("B[", "Q[").replace("C", "R")
    assert "tile 3x1" in schedule_of(renamed)
    assert "tile 3x1" not in schedule_of(PRODUCT.replace("70", "71"))


def test_forgotten_winners_are_not_used(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set(structures(PRODUCT))
    tuned.keep(dict.fromkeys(found, Knobs(3, 1)))
    assert tuned.forget() == len(found)
    again(monkeypatch, own_cache)
    assert "tile 3x1" not in schedule_of(PRODUCT)


@pytest.mark.parametrize("at", [0, 30, 60, -1])
def test_a_damaged_entry_means_usual_schedules(at: int, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned.keep({s: Knobs(3, 1) for s in structures(PRODUCT)})
    path = kernels.store()._path(tuned._entry(), ".obj")
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    again(monkeypatch, own_cache)
    assert "tile 3x1" not in schedule_of(PRODUCT)


@pytest.mark.parametrize(
    "numbers", ["[3]", "[3, 1, 0, 99]", "[3, -1, 0, 0]", '["3", 1, 0, 0]', "[3.5, 1, 0, 0]", "7", "null"]
)
def test_an_entry_that_nobody_would_write_is_ignored(numbers: str) -> None:
    found = ", ".join(f'"{s}": {numbers}' for s in structures(PRODUCT))
    for content in (f"{{{found}}}", f"[{found.replace(':', ',')}]", "{", "\xff"):
        tuned._known.clear()
        kernels.store().put(tuned._entry(), content.encode("latin-1"))
        assert tuned.winners() == {}
        assert "tile 3x1" not in schedule_of(PRODUCT)


def test_what_another_processor_found_is_ignored(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under its own name, and where its file is moved to ours."""
    found = dict.fromkeys(structures(PRODUCT), Knobs(3, 1))
    with monkeypatch.context() as patch:
        patch.setattr(tuned, "cpu_key", lambda: "another")
        tuned.keep(found)
        theirs = kernels.store()._path(tuned._entry(), ".obj")
    again(monkeypatch, own_cache)
    assert "tile 3x1" not in schedule_of(PRODUCT)
    theirs.rename(kernels.store()._path(tuned._entry(), ".obj"))
    again(monkeypatch, own_cache)
    assert "tile 3x1" not in schedule_of(PRODUCT)


# -- the search, with times that are told


def told(monkeypatch: pytest.MonkeyPatch, fast: Knobs, at_the_end: bool = True) -> None:
    """Runs that take a tenth of the time where these knobs are set; at the end, if so told."""
    original, known = il.Program.timed, set(structures(PRODUCT))

    def timed(self: il.Program, inputs: Mapping[str, Any], on: Any = None) -> Any:
        plan, run = original(self, inputs, on)
        is_fast = on is not None and any(on.tuned(s) == fast for s in known)
        return plan, lambda: (run()[0], np.full(len(plan.steps), 1000 if is_fast else 10_000, np.int64))

    def in_turns(one: Any, other: Any, seconds: float) -> Any:
        first, second = one()[1], other()[1]
        return (first, second) if one is other or at_the_end else (first, first)

    monkeypatch.setattr(il.Program, "timed", timed)
    monkeypatch.setattr(tuning, "_in_turns", in_turns)


def tuned_rows() -> tuple[tuning.Tuned, ...]:
    program = il.compile(PRODUCT, dtype="f32", threads=1)
    return tuning.tune(program, arrays(TEXTS["a product"][1]), 1000.0)


def test_the_fastest_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, Knobs(4, 2))
    rows = tuned_rows()
    assert {row.knobs for row in rows} == {Knobs(4, 2)}
    assert all(row.after < row.before for row in rows)


def test_what_is_not_faster_at_the_end_does_not_win(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, Knobs(4, 2), at_the_end=False)
    assert {row.knobs for row in tuned_rows()} == {USUAL}


def test_other_results_rule_a_schedule_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, Knobs(4, 2))
    monkeypatch.setattr(tuning, "_close", lambda found, wanted: False)
    assert {row.knobs for row in tuned_rows()} == {USUAL}


@pytest.mark.parametrize(
    ("found", "wanted", "is_close"),
    [
        ([1.0, 2.0], [1.0, 2.00001], True),
        ([1.0, 2.0], [1.0, 2.001], False),
        ([np.nan, 2.0], [np.nan, 2.0], True),
        ([np.nan, 2.0], [1.0, 2.0], False),
        ([np.inf, 2.0], [-np.inf, 2.0], False),
        ([], [], True),
    ],
)
def test_close_is_up_to_rounding(found: list[float], wanted: list[float], is_close: bool) -> None:
    assert tuning._close(np.array(found, np.float32), np.array(wanted, np.float32)) is is_close


def test_integers_are_equal_or_not() -> None:
    assert not tuning._close(np.array([1, 2]), np.array([1, 3]))


# -- the command


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "product.idx"
    path.write_text(PRODUCT, encoding="utf-8")
    return str(path)


def test_the_command_prints_before_and_after(file: str) -> None:
    ended = indexlang("tune", file, "--budget", "0", "--threads", "1")
    assert ended.exit == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0].split() == ["equation", "ms", "before", "ms", "after", "kept"]
    assert {"C", "total"} <= {line.split()[0] for line in lines}


def test_the_command_goes_on_from_what_was_kept(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set(structures(PRODUCT))
    tuned.keep(dict.fromkeys(found, Knobs(4, 2)))
    told(monkeypatch, Knobs(4, 2))
    ended = json.loads(indexlang("tune", file, "--budget", "0", "--json").out)
    assert {row["knobs"]["rows"] for row in ended["equations"]} == {4}
    assert set(tuned.winners()) == found
    assert f"{len(found)} tuned schedule" in indexlang("tune", "--forget").out
    assert tuned.winners() == {}


def test_an_interrupted_run_keeps_nothing(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict.fromkeys(structures(PRODUCT), Knobs(3, 1))
    tuned.keep(before)
    original, runs = il.Program.timed, iter(range(100))

    def interrupted(self: il.Program, *args: Any) -> Any:
        if next(runs) == 3:
            raise KeyboardInterrupt
        return original(self, *args)

    monkeypatch.setattr(il.Program, "timed", interrupted)
    assert indexlang("tune", file, "--budget", "60").exit == 130
    assert tuned.winners() == before
