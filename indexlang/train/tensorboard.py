"""TensorBoard's files, on request: the metrics of every step and epoch as scalars."""

from importlib import import_module
from pathlib import Path
from typing import Any

from indexlang.text.diagnostics import data_error
from indexlang.train.events import Ended, EpochDone, Event, Signals, StepDone


class TensorBoard:
    """A watcher that writes event files into a folder. Raises DataError E0802 without the package `tensorboard`."""

    def __init__(self, folder: Path) -> None:
        try:
            writers: Any = import_module("tensorboard.summary.writer.event_file_writer")
            self._protocol: Any = import_module("tensorboard.compat.proto.event_pb2")
            self._summary: Any = import_module("tensorboard.compat.proto.summary_pb2")
        except ImportError:
            raise data_error("E0825", package="tensorboard", extra="tb") from None
        self._writer: Any = writers.EventFileWriter(str(folder))

    def on(self, event: Event) -> None:
        match event:
            case StepDone():
                self._add(event.step, {f"step/{n}": v for n, v in event.metrics.items()} | {"step/rate": event.rate})
            case EpochDone():
                told = {f"training/{n}": v for n, v in event.training.items()}
                self._add(event.step, told | {f"validation/{n}": v for n, v in event.validation.items()})
            case Signals():
                for s in event.layers:
                    kinds = {"activation": s.activation, "gradient": s.gradient, "update": s.update}
                    self._add(event.step, {f"{kind}/{s.name}": v for kind, v in kinds.items()})
            case Ended():
                self._writer.close()
            case _:
                pass

    def _add(self, step: int, values: dict[str, float]) -> None:
        scalars = [self._summary.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        summary = self._summary.Summary(value=scalars)
        self._writer.add_event(self._protocol.Event(step=step, summary=summary))


__all__ = ["TensorBoard"]
