"""TensorBoard's files: read back with its own reader; a package that is missing, a writer that fails."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import indexlang as il
from indexlang.train.events import Begun, Ended, EpochDone, Event, LayerSignal, Signals, StepDone
from indexlang.train.tensorboard import TensorBoard

BEGUN = Begun("net", 2, 2, 8, 10)
EVENTS: tuple[Event, ...] = (
    BEGUN,
    StepDone(1, 1, 1, 4, {"loss": 2.0}, 0.1, 0.01),
    Signals(1, 1, (LayerSignal("L1", 1.0, 0.5, 0.25, 0.125, 0.001),)),
    EpochDone(1, 1, {"loss": 1.5}, {"loss": 1.75}, 1.0, True),
    Ended(1, 1, 1.0),
)


def test_what_is_written_reads_back(tmp_path: Path):
    found = written(tmp_path, EVENTS)
    assert found == {
        "step/loss": [(1, 2.0)], "step/rate": [(1, pytest.approx(0.1))],
        "activation/L1": [(1, 1.0)], "gradient/L1": [(1, 0.5)], "dead/L1": [(1, 0.25)], "saturated/L1": [(1, 0.125)],
        "update/L1": [(1, pytest.approx(0.001))], "training/loss": [(1, 1.5)], "validation/loss": [(1, 1.75)],
    }  # fmt: skip


def test_a_resumed_run_says_what_is_to_be_forgotten(tmp_path: Path):
    loader = reader()
    watcher = TensorBoard(tmp_path)
    watcher.on(Begun("net", 2, 2, 8, 10, epoch=2, step=5))
    watcher.close()
    (file,) = tmp_path.iterdir()
    loaded = loader.EventFileLoader(str(file)).Load()
    starts = [e.step for e in loaded if e.HasField("session_log") and e.session_log.status == e.session_log.START]
    assert starts == [6]


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in [n for n in sys.modules if n.startswith("tensorboard.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(il.DataError, match=r"E0802.*tensorboard") as caught:
        TensorBoard(tmp_path)
    assert "indexlang[tb]" in caught.value.diagnostics[0].hint


@pytest.mark.parametrize("failing", ["add_event", "close"])
def test_a_writer_that_fails_ends_nothing(failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls, told = list[str](), list[str]()
    stand_in(monkeypatch, failing, calls)
    watcher = TensorBoard(tmp_path, told.append)
    for event in EVENTS:
        watcher.on(event)
    watcher.close()
    assert calls.count(failing) == 1
    assert len(told) == 1
    assert "no space left on device" in told[0]


def reader() -> Any:
    """TensorBoard's own way to read event files; the test is skipped without it."""
    reason = "TensorBoard files need tensorboard: pip install 'indexlang[tb]'"
    return pytest.importorskip("tensorboard.backend.event_processing.event_file_loader", reason=reason)


def written(folder: Path, events: tuple[Event, ...]) -> dict[str, list[tuple[int, Any]]]:
    """The scalars of a run by tag, as TensorBoard's own loader reads them."""
    loader = reader()
    watcher = TensorBoard(folder)
    for event in events:
        watcher.on(event)
    (file,) = folder.iterdir()
    loaded = loader.LegacyEventFileLoader(str(file)).Load()
    found: dict[str, list[tuple[int, Any]]] = {}
    for event in loaded:
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def stand_in(monkeypatch: pytest.MonkeyPatch, failing: str, calls: list[str]) -> None:
    """Modules in the place of TensorBoard's, whose writer fails in one of its methods."""

    class Writer:
        def __init__(self, folder: str) -> None: ...
        def add_event(self, event: object) -> None:
            self._called("add_event")

        def close(self) -> None:
            self._called("close")

        def _called(self, name: str) -> None:
            calls.append(name)
            if name == failing:
                raise OSError(28, "No space left on device")

    summary = SimpleNamespace(Value=SimpleNamespace)
    made: dict[str, dict[str, Any]] = {
        "summary.writer.event_file_writer": {"EventFileWriter": Writer},
        "compat.proto.event_pb2": {"Event": SimpleNamespace, "SessionLog": SimpleNamespace},
        "compat.proto.summary_pb2": {"Summary": type("Summary", (SimpleNamespace,), {"Value": summary.Value})},
    }
    for name, inside in made.items():
        module = ModuleType(f"tensorboard.{name}")
        vars(module).update(inside)
        monkeypatch.setitem(sys.modules, module.__name__, module)
