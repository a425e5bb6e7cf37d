"""A run of training, read back from its folder: settings, program, and all that was measured."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import Any, TypeVar, cast

from indexlang.interop.disk import open_file
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import nearest
from indexlang.train.events import EpochDone, LayerSignal, Numbers, Signals

T = TypeVar("T")
METRICS, CONFIG, PROGRAM = "metrics.jsonl", "config.toml", "program.idx"
LONGEST = 4 * 1024 * 1024  # bytes of a line; what is longer was not written by a run

# What a line of a step has besides its metrics.
_NO_METRICS = ("kind", "epoch", "step", "of_epoch", "examples", "rate", "seconds")
_NOT_FINITE = {"nan": nan, "inf": inf, "-inf": -inf}
_FEW = 3  # damaged lines that are named


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One step: its number over the whole run, from 1, the metrics of its batch, and the learning rate."""

    epoch: int
    step: int
    metrics: Numbers
    rate: float


@dataclass(frozen=True, slots=True)
class Run:
    """A folder of training, as far as it was written: a run may still go on, or have been cut off.

    name     that of the folder          config  the settings; empty where they are missing
    text     of the program, or empty    notes   what was passed over, for whoever reads the pictures
    steps, epochs, signals   in order, one for each step or epoch: what a resumed run did again counts
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    text: str
    steps: tuple[StepMetrics, ...]
    epochs: tuple[EpochDone, ...]
    signals: tuple[Signals, ...]
    notes: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all metrics, the loss first."""
        found = [n for s in self.steps for n in s.metrics]
        found += [n for e in self.epochs for n in (*e.training, *e.validation)]
        return tuple(dict.fromkeys(found))


def read_run(path: Path) -> Run:
    """Read a run from its folder. Lines that are damaged are passed over, with a note.

    cost    one pass over `metrics.jsonl`, which is held in memory as numbers
    errors  E0840 for a folder that is no run; E0701 where its files cannot be read
    """
    if not _is_there(path / METRICS):
        raise _no_run(path)
    lines = _Lines()
    with open_file(path / METRICS) as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
            lines.take(number, line)
    config, noted = _config(path / CONFIG)
    return Run(
        path.resolve().name, path, config, _text(path / PROGRAM), _in_order(lines.steps), _in_order(lines.epochs),
        _in_order(lines.signals), (*lines.notes(path.resolve().name), *noted),
    )  # fmt: skip


class _Lines:
    """The events of a file. What comes later about the same step takes the place of what came before."""

    def __init__(self) -> None:
        self.steps: dict[int, StepMetrics] = {}
        self.epochs: dict[int, EpochDone] = {}
        self.signals: dict[int, Signals] = {}
        self.damaged: list[int] = []

    def take(self, number: int, line: bytes) -> None:
        """Read a line; kinds of events that are not drawn are left out."""
        if not line.strip():
            return
        try:
            self._keep(_object(json.loads(line)))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            self.damaged.append(number)

    def notes(self, name: str) -> Iterator[str]:
        if self.damaged:
            some = ", ".join(map(str, self.damaged[:_FEW])) + (", …" if len(self.damaged) > _FEW else "")
            lines = f"line {some} is" if len(self.damaged) == 1 else f"{len(self.damaged)} lines ({some}) are"
            yield f"{name}: {lines} damaged in {METRICS}, and left out"

    def _keep(self, event: Mapping[str, Any]) -> None:
        match event["kind"]:
            case "step":
                step = _step(event)
                self.steps[step.step] = step
            case "epoch":
                epoch = _epoch(event)
                self.epochs[epoch.epoch] = epoch
            case "signals":
                signals = _signals(event)
                self.signals[signals.step] = signals
            case _:
                pass


def _step(event: Mapping[str, Any]) -> StepMetrics:
    metrics = {n: _number(v) for n, v in event.items() if n not in _NO_METRICS}
    return StepMetrics(_whole(event["epoch"]), _whole(event["step"]), metrics, _number(event.get("rate", nan)))


def _epoch(event: Mapping[str, Any]) -> EpochDone:
    return EpochDone(
        _whole(event["epoch"]), _whole(event["step"]), _numbers(event.get("training", {})),
        _numbers(event.get("validation", {})), _number(event.get("seconds", nan)), event.get("best") is True,
    )  # fmt: skip


def _signals(event: Mapping[str, Any]) -> Signals:
    layers = tuple(_layer(_object(layer)) for layer in event["layers"])
    return Signals(_whole(event["epoch"]), _whole(event["step"]), layers)


def _layer(layer: Mapping[str, Any]) -> LayerSignal:
    sizes = (_number(layer[n]) for n in ("activation", "gradient", "dead", "saturated", "update"))
    return LayerSignal(str(layer["name"]), *sizes)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return cast(Mapping[str, Any], value)


def _numbers(value: Any) -> Numbers:
    return {n: _number(v) for n, v in _object(value).items()}


def _number(value: Any) -> float:
    if isinstance(value, str):
        return _NOT_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise TypeError
    return value


def _in_order(events: Mapping[int, T]) -> tuple[T, ...]:
    return tuple(events[n] for n in sorted(events))


def _config(path: Path) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The settings; a curve can be drawn without them, so what is wrong with them is a note."""
    try:
        return tomllib.loads(_text(path)), ()
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}, (f"{path.parent.resolve().name}: {CONFIG} is damaged, and left out",)


def _text(path: Path) -> str:
    if not _is_there(path):
        return ""
    with open_file(path) as file:
        return file.read().decode("utf-8", errors="replace")


def _no_run(path: Path) -> DataError:
    inside = [p.parent.name for p in _found(path, f"*/{METRICS}")]
    if inside:
        some = ", ".join(sorted(inside)[:5]) + (", …" if len(inside) > 5 else "")
        return data_error(
            "E0840", path=path, reason=f"it has no {METRICS}", advice=f"name one of the runs in it: {some}"
        )
    if _is_there(path):
        advice = "give the folder that `indexlang train` wrote, as runs/NAME"
        return data_error("E0840", path=path, reason=f"it has no {METRICS}", advice=advice)
    beside = [p.parent.name for p in _found(path.parent, f"*/{METRICS}")]
    like = nearest(path.name, beside)
    advice = f"did you mean {path.with_name(like)}?" if like else "give the folder that `indexlang train` wrote"
    return data_error("E0840", path=path, reason="there is no such folder", advice=advice)


def _found(folder: Path, pattern: str) -> list[Path]:
    return _or(lambda: list(folder.glob(pattern)), [])


def _is_there(path: Path) -> bool:
    return _or(path.exists, False)


def _or(ask: Callable[[], T], instead: T) -> T:
    """What the disk says; what it cannot be asked is not there."""
    try:
        return ask()
    except (OSError, ValueError):
        return instead


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that puts W2 before W10."""
    return tuple((int(digits or 0), text) for text, digits in re.findall(r"([^0-9]*)([0-9]{0,18})", name))


__all__ = ["CONFIG", "METRICS", "PROGRAM", "Run", "StepMetrics", "natural", "read_run"]
