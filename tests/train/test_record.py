"""The folder of a run: what is written, what is cut off when it goes on, settings that read back, disks that are full."""

import builtins
import io
import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import indexlang as il
from indexlang.train.appending import Lines, cut
from indexlang.train.events import Ended, EpochDone, LayerSignal, Signals, StepDone
from indexlang.train.record import CONFIG, METRICS, RunFolder
from indexlang.train.toml import to_toml


def step(n: int, loss: float = 0.5) -> StepDone:
    return StepDone(1, n, n, 8, {"loss": loss}, 0.1, 0.01)


def lines(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / METRICS).read_text().splitlines()]


def test_what_is_written(tmp_path: Path):
    run = RunFolder.begun(tmp_path / "a" / "b", "net", "x = 1\n", {"lr": 0.1, "seed": 7, "options": {"beta": 0.9}})
    run.on(step(1, float("nan")))
    run.on(Signals(1, 1, (LayerSignal("L1", 1.0, 0.5, 0.0, 0.25, float("inf")),)))
    run.on(EpochDone(1, 1, {"loss": 0.5}, {}, 1.5, True))
    assert (run.path / "program.idx").read_text() == "x = 1\n"
    assert tomllib.loads((run.path / CONFIG).read_text()) == {"lr": 0.1, "seed": 7, "options": {"beta": 0.9}}
    about = json.loads((run.path / "about.json").read_text())
    assert about["indexlang"] == il.__version__
    assert about["seed"] == 7
    assert about["processor"]
    assert about["cores"] >= 1
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
        RunFolder.resumed(tmp_path / "none", {}, 0, 1)


def test_lines_behind_the_checkpoint_are_cut_off(tmp_path: Path):
    run = RunFolder.begun(tmp_path, "net", "", {"epochs": 1})
    for n in range(1, 6):
        run.on(step(n))
    run.on(EpochDone(1, 5, {}, {}, 1.0, False))
    with open(tmp_path / METRICS, "a") as file:
        file.write('{"kind": "step", "st')  # killed while it wrote
    RunFolder.resumed(tmp_path, {"epochs": 2}, 3, 1)
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]
    assert tomllib.loads((tmp_path / CONFIG).read_text()) == {"epochs": 2}
    cut(tmp_path / "nothing.jsonl", 3, 1)


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


def test_a_killed_run_leaves_every_step(tmp_path: Path):
    """Nothing closes the file, as when the process is killed; so a checkpoint never knows more than the lines."""
    run = RunFolder.begun(tmp_path, "net", "", {})
    for n in range(1, 8):
        run.on(step(n))
        assert [line["step"] for line in lines(tmp_path)] == list(range(1, n + 1))


def test_an_epoch_that_is_ended_again_is_written_once(tmp_path: Path):
    """A checkpoint after the last step of an epoch, then the epoch's line, then a kill."""
    run = RunFolder.begun(tmp_path, "net", "", {})
    events = (step(1), EpochDone(1, 1, {}, {}, 1.0, False), step(2), EpochDone(2, 2, {}, {}, 1.0, True))
    for event in events:
        run.on(event)
    whole = lines(tmp_path)
    again = RunFolder.resumed(tmp_path, {}, step=2, epoch=2)
    assert lines(tmp_path) == whole[:3]
    again.on(events[3])
    assert lines(tmp_path) == whole


def test_hostile_lines_are_cut_too(tmp_path: Path):
    metrics = tmp_path / METRICS
    good = b'{"kind": "step", "step": 1, "epoch": 1}\n'
    metrics.write_bytes(good + b'{"kind": "step", "step": Infinity}\n[1]\n' + b"[" * 100_000 + b"\n\xff\xfe\n")
    cut(metrics, 5, 1)
    assert metrics.read_bytes() == good


def test_a_metric_may_have_the_name_of_a_field(tmp_path: Path):
    run = RunFolder.begun(tmp_path, "net", "", {})
    run.on(StepDone(1, 12, 12, 8, {"loss": 0.5, "rate": 7.0, "step": 9.0, "kind": 3.0}, 0.1, 0.01))
    (told,) = lines(tmp_path)
    assert (told["kind"], told["step"], told["rate"]) == ("step", 12, 0.1)
    assert (told["metric rate"], told["metric step"], told["metric kind"]) == (7.0, 9.0, 3.0)


class HalfFull:
    """A file of a disk that takes some bytes of each piece, then none."""

    def __init__(self, real: Any, room: list[int]) -> None:
        self._real, self._room = real, room

    def __enter__(self) -> "HalfFull":
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def write(self, data: bytes) -> int:
        if not self._room[0]:
            raise OSError(28, "No space left on device")
        taken = self._real.write(bytes(data[: self._room[0]]))
        self._room[0] -= taken
        return taken


def test_a_disk_that_fills_in_the_middle_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, room, told = tmp_path / METRICS, [15], list[str]()
    real = builtins.open
    monkeypatch.setattr(builtins, "open", lambda f, *a, **k: HalfFull(real(f, *a, **k), room))
    grown = Lines(path, told.append)
    for n in range(4):
        grown.add(f"line {n} αβγ")
    assert path.stat().st_size == 15
    room[0] = 10_000
    grown.add("line 4")
    assert path.read_text(encoding="utf-8") == "".join(f"line {n} αβγ\n" for n in range(4)) + "line 4\n"
    assert len(told) == 1
    assert "no space left on device" in told[0]


def test_what_is_lost_in_the_end_is_told(tmp_path: Path):
    told: list[str] = []
    grown = Lines(tmp_path / "gone" / METRICS, told.append)
    grown.add("a")
    grown.add("b")
    grown.close()
    grown.close()
    assert [said.split(" ", 2)[:2] for said in told] == [["cannot", "write"], ["2", "lines"]]


@pytest.mark.parametrize("stderr", [None, "closed"])
def test_no_one_to_tell_of_a_full_disk(tmp_path: Path, stderr: str | None, monkeypatch: pytest.MonkeyPatch):
    run = RunFolder.begun(tmp_path / "run", "net", "", {})
    shutil.rmtree(tmp_path / "run")
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream if stderr else None)
    run.on(step(1))
    run.on(Ended(1, 1, 1.0))
    assert not (tmp_path / "run").exists()


SETTINGS = st.dictionaries(
    st.text(min_size=1).filter(lambda s: s < "\ud800" or s > "\udfff"),
    st.one_of(st.text(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans()),
)


@given(SETTINGS, SETTINGS)
def test_settings_read_back(flat: dict[str, Any], table: dict[str, Any]):
    whole = {**flat, "the table": table}
    assert tomllib.loads(to_toml(whole)) == whole
