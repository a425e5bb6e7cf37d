"""The folder of a run: what is written, what is cut off when it goes on, settings that read back, disks that are full."""

import builtins
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexlang as il
from indexlang.train.events import EpochDone, LayerSignal, Signals, StepDone
from indexlang.train.record import CONFIG, METRICS, RunFolder, cut
from indexlang.train.toml import to_toml


def step(n: int, loss: float = 0.5) -> StepDone:
    return StepDone(1, n, n, 8, {"loss": loss}, 0.1, 0.01)


def lines(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


def test_what_is_written(tmp_path: Path):
    run = RunFolder.begun(tmp_path / "a" / "b", "net", "x = 1\n", {"lr": 0.1, "options": {"beta": 0.9}})
    run.on(step(1, float("nan")))
    run.on(Signals(1, 1, (LayerSignal("L1", 1.0, 0.5, 0.0, 0.25, float("inf")),)))
    run.on(EpochDone(1, 1, {"loss": 0.5}, {}, 1.5, True))
    assert (run.path / "program.idx").read_text() == "x = 1\n"
    assert tomllib.loads((run.path / CONFIG).read_text()) == {"lr": 0.1, "options": {"beta": 0.9}}
    assert json.loads((run.path / "about.json").read_text())["indexlang"] == il.__version__
    first, signals, epoch = lines(run.path)
    assert first["kind"] == "step"
    assert first["loss"] == "nan"
    assert signals["layers"][0]["update"] == "inf"
    assert epoch == {"kind": "epoch", "step": 1, "epoch": 1, "training": {"loss": 0.5}, "validation": {},
                     "seconds": 1.5, "best": True}  # fmt: skip


def test_names_of_runs_are_never_taken_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    paths = {RunFolder.begun(None, "net", "", {}).path for _ in range(3)}
    assert len(paths) == 3
    assert all(p.parent == Path("runs") and p.name.startswith("net-") for p in paths)


def test_a_run_is_not_written_over(tmp_path: Path):
    RunFolder.begun(tmp_path, "net", "", {})
    with pytest.raises(il.DataError, match="E0824"):
        RunFolder.begun(tmp_path, "net", "", {})
    with pytest.raises(il.DataError, match="E0701"):
        RunFolder.resumed(tmp_path / "none", {}, 0)


def test_lines_behind_the_checkpoint_are_cut_off(tmp_path: Path):
    run = RunFolder.begun(tmp_path, "net", "", {"epochs": 1})
    for n in range(1, 6):
        run.on(step(n))
    run.on(EpochDone(1, 5, {}, {}, 1.0, False))
    with open(tmp_path / METRICS, "a") as file:
        file.write('{"kind": "step", "st')  # killed while it wrote
    RunFolder.resumed(tmp_path, {"epochs": 2}, 3)
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]
    assert tomllib.loads((tmp_path / CONFIG).read_text()) == {"epochs": 2}
    cut(tmp_path / "nothing.jsonl", 3)


def test_a_full_disk_is_told_once_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    run = RunFolder.begun(tmp_path, "net", "", {})
    failing = [True]
    real = builtins.open

    def full(file: Any, *args: Any, **more: Any) -> Any:
        if failing and str(file).endswith(METRICS):
            raise OSError(28, "No space left on device")
        return real(file, *args, **more)

    monkeypatch.setattr(builtins, "open", full)
    for n in range(1, 4):
        run.on(step(n))
        run.on(EpochDone(n, n, {}, {}, 1.0, False))
    assert capsys.readouterr().err.count("warning") == 1
    failing.clear()
    run.on(EpochDone(4, 4, {}, {}, 1.0, False))
    assert [line["step"] for line in lines(tmp_path)] == [1, 1, 2, 2, 3, 3, 4]


SETTINGS = st.dictionaries(
    st.text(min_size=1).filter(lambda s: s < "\ud800" or s > "\udfff"),
    st.one_of(st.text(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans()),
)


@given(SETTINGS, SETTINGS)
def test_settings_read_back(flat: dict[str, Any], table: dict[str, Any]):
    whole = {**flat, "the table": table}
    assert tomllib.loads(to_toml(whole)) == whole
