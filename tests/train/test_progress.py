"""What a run shows: lines that fit, no control characters in a file, the time that is left, streams that fail."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest

from indexlang.text.render import cells
from indexlang.train import progress
from indexlang.train.events import Begun, Ended, EpochDone, StepDone, Warned
from indexlang.train.progress import LiveLine, PlainLines, watcher_for

BEGUN = Begun("digits", epochs=3, steps=4, examples=128, parameters=16_026)


def step(n: int, seconds: float = 0.5, **metrics: float) -> StepDone:
    shown = metrics or {"loss": 2.0 / n, "accuracy": 0.5}
    return StepDone((n - 1) // 4 + 1, n, (n - 1) % 4 + 1, 32, shown, 0.01, seconds)


def epoch(n: int, **more: Any) -> EpochDone:
    return EpochDone(n, 4 * n, {"loss": 0.5}, more.pop("validation", {"loss": 0.6, "accuracy": 0.9}), 2.0, n == 1)


class Terminal(io.StringIO):
    """A terminal of some width, in UTF-8 or ASCII."""

    def __init__(self, coding: str = "utf-8") -> None:
        super().__init__()
        self._coding = coding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._coding

    def isatty(self) -> bool:
        return True

    def pictures(self) -> list[str]:
        """Every state of the line, and the lines that stay."""
        return [p for p in re.split(r"\r\x1b\[K|\n", self.getvalue()) if p]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REDRAWN", 0.0)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("coding", ["utf-8", "ascii"])
def test_the_live_line_fits(columns: int, coding: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal(coding)
    line = LiveLine(out)
    for event in (BEGUN, *(step(n) for n in range(1, 9))):
        line.on(event)
    assert all(cells(p) < columns for p in out.pictures())
    assert coding == "utf-8" or out.getvalue().isascii()
    last = out.pictures()[-1]
    assert last.startswith("epoch 2/3")
    if columns >= 80:
        assert "step 4/4  loss 0.2500  accuracy 0.5000  64/s  0:02 left" in last


@pytest.mark.usefixtures("always")
def test_the_sparkline_falls_with_the_loss(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "120")
    out = Terminal()
    line = LiveLine(out)
    for event in (BEGUN, *(step(n, loss=float(9 - n)) for n in range(1, 9))):
        line.on(event)
    assert out.pictures()[-1].endswith("█▇▆▅▄▃▂▁")


@pytest.mark.usefixtures("always")
def test_a_loss_that_is_no_number_leaves_the_line_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "120")
    out = Terminal()
    line = LiveLine(out)
    for value in (float("nan"), float("inf"), 1.0, 1.0, 1.0):
        line.on(step(1, loss=value))
    line.on(BEGUN)
    line.on(step(2, loss=float("nan")))
    assert "loss nan" in out.pictures()[-1]


def test_epochs_stay_on_a_terminal():
    out = Terminal()
    line = LiveLine(out)
    for event in (BEGUN, step(1), epoch(1), step(5), epoch(2), Ended(2, 8, 3723.4)):
        line.on(event)
    lines = [p for p in out.pictures() if "val" in p]
    assert lines[0] == "epoch 1/3  loss 0.5000  | val loss 0.6000  accuracy 0.9000  2.0 s  *"
    assert not lines[1].endswith("*")
    assert out.pictures()[-1] == "done: 2 epochs, 8 steps, 1:02:03"


def test_plain_lines_have_no_control_characters():
    out = io.StringIO()
    lines = watcher_for(out)
    assert isinstance(lines, PlainLines)
    for event in (BEGUN, *(step(n) for n in range(1, 5)), epoch(1), Warned("the disk is full"), Ended(1, 4, 2.0, True)):
        lines.on(event)
    assert out.getvalue().splitlines() == [
        "digits: 128 examples, 16,026 parameters; compiling",
        "epoch 1/3  loss 0.5000  | val loss 0.6000  accuracy 0.9000  2.0 s  *",
        "warning: the disk is full",
        "interrupted after 1 epoch, 4 steps, 0:02",
    ]


def test_long_epochs_speak_now_and_then(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "SPOKEN", 0.0)
    out = io.StringIO()
    lines = PlainLines(out)
    lines.on(BEGUN)
    lines.on(step(1))
    assert out.getvalue().splitlines()[-1] == "epoch 1/3  step 1/4  loss 2.0000  accuracy 0.5000"


def test_the_first_step_compiles_and_says_nothing_of_the_rest():
    state = progress._State(BEGUN)
    state.take(step(1, seconds=60.0))
    assert state.left is None
    state.take(step(2, seconds=0.5))
    assert state.left == pytest.approx(10 * 0.5)
    resumed = progress._State(replace(BEGUN, step=6))
    resumed.take(step(7, seconds=60.0))
    assert resumed.left is None


def test_data_that_cannot_say_how_long_it_is():
    state = progress._State(replace(BEGUN, steps=None, examples=None))
    state.take(step(1))
    state.take(step(2))
    assert state.left is None
    assert state.parts()[1] == "step 2"


class Broken(io.StringIO):
    def write(self, s: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [None, Broken()])
@pytest.mark.parametrize("kind", [LiveLine, PlainLines])
def test_a_stream_that_fails_ends_nothing(kind: Any, stream: Any):
    watcher = kind(stream)
    for event in (BEGUN, step(1), epoch(1), Warned("x"), Ended(1, 1, 1.0)):
        watcher.on(event)
