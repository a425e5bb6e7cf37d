"""Runs are read back as they were written; what is damaged is passed over and told."""

import math
from pathlib import Path

import pytest
from plot_folders import epoch, layer, signals, step, trained, written

from indexlang.plot.runs import natural, read_run
from indexlang.text.diagnostics import DataError


def test_a_run_is_read(tmp_path: Path):
    events = [
        {"kind": "begun", "name": "digits"},
        step(1, 1, 2.5, accuracy=0.1),
        signals(1, 1, [layer("L1"), layer("s", update="nan")]),
        epoch(1, 1, {"loss": 2.5}, {"loss": "inf"}, best=True),
        "",
    ]
    run = read_run(written(tmp_path / "digits-1", events, "lr = 0.5\n", "A[i] = X[i]\n"))
    assert (run.name, run.config, run.text, run.notes) == ("digits-1", {"lr": 0.5}, "A[i] = X[i]\n", ())
    assert run.metrics == ("loss", "accuracy")
    (first,) = run.steps
    assert (first.epoch, first.step, first.metrics, first.rate) == (1, 1, {"loss": 2.5, "accuracy": 0.1}, 0.01)
    (done,) = run.epochs
    assert (done.training, done.validation, done.is_best) == ({"loss": 2.5}, {"loss": math.inf}, True)
    assert [s.name for s in run.signals[0].layers] == ["L1", "s"]
    assert math.isnan(run.signals[0].layers[1].update)


DAMAGED = (
    '{"kind":"step","epoch":1,"st',
    "[]",
    "7",
    "{}",
    '{"kind":"step","epoch":1}',
    '{"kind":"step","epoch":1,"step":true}',
    '{"kind":"step","epoch":1,"step":-3}',
    '{"kind":"step","epoch":1,"step":2,"loss":"low"}',
    '{"kind":"step","epoch":1,"step":2,"loss":[1]}',
    '{"kind":"step","epoch":1,"step":2,"loss":1' + "0" * 400 + "}",
    '{"kind":"epoch","epoch":1,"step":2,"training":3}',
    '{"kind":"signals","epoch":1,"step":2,"layers":[{"name":"L1"}]}',
    "[" * 100_000,
    "\x00\x00",
)


@pytest.mark.parametrize("line", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_lines_are_passed_over(tmp_path: Path, line: str):
    run = read_run(written(tmp_path / "r", [step(1, 1, 2.0), line, step(3, 1, 1.0)]))
    assert [s.step for s in run.steps] == [1, 3]
    assert run.notes == ("r: line 2 is damaged in metrics.jsonl, and left out",)


def test_many_damaged_lines_make_one_note(tmp_path: Path):
    run = read_run(written(tmp_path / "r", ["?"] * 5))
    assert run.notes == ("r: 5 lines (1, 2, 3, …) are damaged in metrics.jsonl, and left out",)


def test_bytes_that_are_no_text(tmp_path: Path):
    path = written(tmp_path / "r", [])
    (path / "metrics.jsonl").write_bytes(b"\xff\xfe\x80\n")
    assert len(read_run(path).notes) == 1


def test_what_a_resumed_run_did_again_counts(tmp_path: Path):
    events = [step(1, 1, 5.0), step(2, 1, 4.0), step(3, 1, 3.0), step(2, 1, 2.0)]
    assert [s.metrics["loss"] for s in read_run(written(tmp_path / "r", events)).steps] == [5.0, 2.0, 3.0]


def test_settings_that_are_damaged_are_a_note(tmp_path: Path):
    run = read_run(written(tmp_path / "r", [step(1, 1, 2.0)], config="lr = = 3"))
    assert run.config == {}
    assert run.notes == ("r: config.toml is damaged, and left out",)


def told(path: Path) -> tuple[str, str, str]:
    with pytest.raises(DataError) as caught:
        read_run(path)
    (found,) = caught.value.diagnostics
    return found.code, found.message, found.hint


def test_no_run(tmp_path: Path):
    trained(tmp_path / "runs" / "digits-1", epochs=1)
    code, message, hint = told(tmp_path / "runs" / "digit-1")
    assert (code, hint) == ("E0840", f"did you mean {tmp_path / 'runs' / 'digits-1'}?")
    assert "no such folder" in message
    assert told(tmp_path / "runs")[2] == "name one of the runs in it: digits-1"
    assert told(tmp_path)[2].startswith("give the folder")
    assert told(tmp_path / "elsewhere")[0] == "E0840"
    assert told(tmp_path / "runs" / "digits-1" / "metrics.jsonl")[0] == "E0840"
    assert told(Path("a\0b"))[0] == "E0840"


def test_measurements_that_are_no_file(tmp_path: Path):
    (tmp_path / "metrics.jsonl").mkdir()
    assert told(tmp_path)[0] == "E0701"


def test_natural_order():
    assert sorted(["W10", "W2", "W1", "B", "W2.b"], key=natural) == ["B", "W1", "W2", "W2.b", "W10"]
