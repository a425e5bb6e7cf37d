"""What the writer of a run writes is what the reader of pictures reads."""

import math
from pathlib import Path

from indexlang.plot.runs import read_run
from indexlang.train.events import EpochDone, LayerSignal, Signals, StepDone
from indexlang.train.record import RunFolder

LAYERS = (LayerSignal("L1", 1.5, 0.25, 0.5, 0.0, math.inf), LayerSignal("s", 0.0, 1e-9, 0.0, 1.0, 0.001))


def test_a_run_comes_back(tmp_path: Path):
    settings = {"data": "digits", "lr": 0.01, "constants": {"F": 3}}
    record = RunFolder.begun(tmp_path / "r", "digits", "A[i] = X[i]\n", settings)
    steps = [
        StepDone(1, 1, 1, 32, {"loss": 2.5, "accuracy": 0.1}, 0.01, 4.0),
        StepDone(1, 2, 2, 7, {"loss": -math.inf, "accuracy": 0.5}, 0.02, 0.1),
    ]
    signals = Signals(1, 1, LAYERS)
    done = EpochDone(1, 2, {"loss": 2.0, "accuracy": 0.2}, {"loss": math.inf, "accuracy": 0.25}, 4.1, True)
    for event in (steps[0], signals, steps[1], done):
        record.on(event)
    run = read_run(tmp_path / "r")
    assert [(s.epoch, s.step, dict(s.metrics), s.rate) for s in run.steps] == [
        (s.epoch, s.step, dict(s.metrics), s.rate) for s in steps
    ]
    assert (run.epochs, run.signals) == ((done,), (signals,))
    assert (run.config, run.text, run.notes) == (settings, "A[i] = X[i]\n", ())
