"""The folder of a run: what was trained, how, on what machine, and every number that was seen.

program.idx  config.toml  about.json  metrics.jsonl (a line an event)  best, last, checkpoint .safetensors (see `keep`)
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, cast

from indexlang import __version__
from indexlang.interop.disk import reason, written_aside
from indexlang.interop.packages import version_of
from indexlang.interop.processor import processor
from indexlang.run.machine import cores
from indexlang.text.diagnostics import data_error
from indexlang.train.appending import Lines, cut
from indexlang.train.events import Begun, Ended, EpochDone, Event, Numbers, Signals, StepDone, Warned
from indexlang.train.keep import CHECKPOINT
from indexlang.train.toml import to_toml
from indexlang.train.watching import Warn, warn_on_stderr

METRICS, CONFIG, PROGRAM, ABOUT = "metrics.jsonl", "config.toml", "program.idx", "about.json"
RUNS = Path("runs")
TAKEN = ("kind", "step", "epoch", "of_epoch", "rate", "examples", "seconds")


class RunFolder:
    """A watcher that writes the run down, an event a line, at once. What cannot be written waits, and is tried again.

    warn  is told, once, that something cannot be written
    """

    def __init__(self, path: Path, warn: Warn = warn_on_stderr) -> None:
        self.path = path
        self._lines = Lines(path / METRICS, warn)

    @property
    def warn(self) -> Warn:
        """Who is told that something cannot be written."""
        return self._lines.warn

    @warn.setter
    def warn(self, warn: Warn) -> None:
        self._lines.warn = warn

    @staticmethod
    def begun(path: Path | None, name: str, program: str, settings: Mapping[str, Any]) -> "RunFolder":
        """A new run, in `path` or in runs/NAME-DATE. Raises DataError E0824 if one lies there, E0705."""
        folder = _free(name) if path is None else path
        if any((folder / n).exists() for n in (METRICS, CONFIG, PROGRAM, CHECKPOINT)):
            raise data_error("E0824", path=folder)
        _write(folder, program, settings)
        return RunFolder(folder)

    @staticmethod
    def resumed(path: Path, settings: Mapping[str, Any], step: int, epoch: int) -> "RunFolder":
        """A run that goes on after `step`, with `epoch`: what was written of later ones is cut off.

        Raises DataError E0701, E0705.
        """
        if not (path / CONFIG).exists():
            raise data_error(
                "E0701", path=path, reason="it holds no run", advice="name the folder of a run with --save"
            )
        with written_aside(path / CONFIG) as aside:
            aside.write_text(to_toml(settings), encoding="utf-8")
        cut(path / METRICS, step, epoch)
        return RunFolder(path)

    def on(self, event: Event) -> None:
        """Write steps, epochs and signals as lines of JSON; the last event closes the file."""
        match event:
            case StepDone():
                told = {"step": event.step, "epoch": event.epoch, "of_epoch": event.of_epoch, **_named(event.metrics),
                        "rate": event.rate, "examples": event.examples, "seconds": event.seconds}  # fmt: skip
                self._add("step", told)
            case EpochDone():
                told = {"step": event.step, "epoch": event.epoch, "training": dict(event.training),
                        "validation": dict(event.validation), "seconds": event.seconds, "best": event.is_best}  # fmt: skip
                self._add("epoch", told)
            case Signals():
                layers = [asdict(s) for s in event.layers]
                self._add("signals", {"step": event.step, "epoch": event.epoch, "layers": layers})
            case Ended():
                self.close()
            case Begun() | Warned():
                pass

    def close(self) -> None:
        """Write what still waits."""
        self._lines.close()

    def _add(self, kind: str, told: Mapping[str, Any]) -> None:
        self._lines.add(json.dumps({"kind": kind, **_plain(told)}, ensure_ascii=False))


def _named(metrics: Numbers) -> dict[str, float]:
    """The metrics beside what each line of a step has: one called `rate` is written as `metric rate`."""
    return {f"metric {n}" if n in TAKEN else n: v for n, v in metrics.items()}


def _free(name: str) -> Path:
    """A folder that is not there yet, named by the time."""
    stem = RUNS / f"{name}-{datetime.now():%Y-%m-%d-%H%M%S}"
    path, n = stem, 1
    while path.exists():
        n += 1
        path = stem.with_name(f"{stem.name}-{n}")
    return path


def _write(folder: Path, program: str, settings: Mapping[str, Any]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as problem:
        raise data_error("E0705", path=folder, reason=reason(problem)) from None
    texts = {
        PROGRAM: program,
        CONFIG: to_toml(settings),
        ABOUT: json.dumps(about(settings.get("seed")), indent=2) + "\n",
    }
    for name, text in texts.items():
        with written_aside(folder / name) as aside:
            aside.write_text(text, encoding="utf-8")


def about(seed: int | None) -> dict[str, Any]:
    """Versions, the machine, what random numbers were drawn from, and when."""
    packages = {p: version_of(p) for p in ("numpy", "numba", "llvmlite", "scikit-learn", "scikit-image")}
    return {
        "indexlang": __version__,
        "python": platform.python_version(),
        **{p: v for p, v in packages.items() if v},
        "processor": processor(),
        "cores": cores(),
        "seed": seed,
        "begun": datetime.now().isoformat(timespec="seconds"),
    }


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are written as words."""
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in cast("dict[str, Any]", value).items()}
    return [_plain(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


__all__ = ["CONFIG", "METRICS", "PROGRAM", "RunFolder"]
