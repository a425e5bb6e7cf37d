"""TensorBoard's files, on request: the metrics of every step and epoch as scalars."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexlang.interop.disk import reason
from indexlang.interop.packages import optional
from indexlang.text.diagnostics import data_error
from indexlang.train.events import Begun, Ended, EpochDone, Event, LayerSignal, Signals, StepDone
from indexlang.train.watching import Warn, warn_on_stderr

KINDS = ("activation", "gradient", "dead", "saturated", "update")


class TensorBoard:
    """A watcher that writes event files into a folder. Raises DataError E0802 without the package `tensorboard`, E0705.

    A file that cannot be written is told once to `warn`, and given up: the run goes on.
    """

    def __init__(self, folder: Path, warn: Warn = warn_on_stderr) -> None:
        writers = _part("summary.writer.event_file_writer")
        self._protocol, self._summary = _part("compat.proto.event_pb2"), _part("compat.proto.summary_pb2")
        try:
            self._writer: Any = writers.EventFileWriter(str(folder))
        except (OSError, ValueError) as problem:
            raise data_error("E0705", path=folder, reason=reason(problem)) from None
        self._folder, self.warn = folder, warn
        self._is_open = True

    def on(self, event: Event) -> None:
        """Write the event's numbers under `step/`, `training/`, `validation/` and the names of layers."""
        match event:
            case Begun(step=step) if step:
                self._try(lambda: self._forget_after(step))
            case StepDone():
                self._add(event.step, {f"step/{n}": v for n, v in event.metrics.items()} | {"step/rate": event.rate})
            case EpochDone():
                told = {f"training/{n}": v for n, v in event.training.items()}
                self._add(event.step, told | {f"validation/{n}": v for n, v in event.validation.items()})
            case Signals():
                self._add(event.step, {tag: v for layer in event.layers for tag, v in _told(layer)})
            case Ended():
                self.close()
            case _:
                pass

    def close(self) -> None:
        """Write what waits; later events are not written."""
        self._try(self._writer.close)
        self._is_open = False

    def _add(self, step: int, values: dict[str, float]) -> None:
        scalars = [self._summary.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        event = self._protocol.Event(step=step, summary=self._summary.Summary(value=scalars))
        self._try(lambda: self._writer.add_event(event))

    def _forget_after(self, step: int) -> None:
        """Have the viewer drop what a run that was killed wrote of later steps."""
        start = self._protocol.SessionLog(status=self._protocol.SessionLog.START)
        self._writer.add_event(self._protocol.Event(step=step + 1, session_log=start))

    def _try(self, write: Callable[[], None]) -> None:
        if not self._is_open:
            return
        try:
            write()
        except Exception as problem:  # the writer's thread hands on whatever it met
            self._is_open = False
            self.warn(f"cannot write TensorBoard files in {self._folder}: {reason(problem)}; training goes on")


def _told(layer: LayerSignal) -> list[tuple[str, float]]:
    return [(f"{kind}/{layer.name}", float(getattr(layer, kind))) for kind in KINDS]


__all__ = ["TensorBoard"]


def _part(name: str) -> Any:
    return optional(f"tensorboard.{name}", "writing for TensorBoard", "tensorboard", "tb")
