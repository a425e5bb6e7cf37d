"""The folder of a run: what was trained, how, on what machine, and every number that was seen.

program.idx  config.toml  about.json  metrics.jsonl (a line an event)  best, last, checkpoint .safetensors (see `keep`)
"""

import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Any, cast

from indexlang import __version__
from indexlang.interop.disk import reason, written_aside
from indexlang.text.diagnostics import data_error
from indexlang.train.events import Begun, Ended, EpochDone, Event, Signals, StepDone, Warned
from indexlang.train.toml import to_toml

METRICS, CONFIG, PROGRAM, ABOUT = "metrics.jsonl", "config.toml", "program.idx", "about.json"
RUNS = Path("runs")


class RunFolder:
    """A watcher that writes the run down. A line that cannot be written waits, and is tried again at the next epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[str] = []
        self._is_failing = False

    @staticmethod
    def begun(path: Path | None, name: str, program: str, settings: Mapping[str, Any]) -> "RunFolder":
        """A new run, in `path` or in runs/NAME-DATE. Raises DataError E0824 if one lies there, E0705."""
        folder = _free(name) if path is None else path
        if (folder / METRICS).exists() or (folder / CONFIG).exists():
            raise data_error("E0824", path=folder)
        _write(folder, program, settings)
        return RunFolder(folder)

    @staticmethod
    def resumed(path: Path, settings: Mapping[str, Any], step: int) -> "RunFolder":
        """A run that goes on after `step`: what was written of later steps is cut off. Raises DataError E0701, E0705."""
        if not (path / CONFIG).exists():
            raise data_error(
                "E0701", path=path, reason="it holds no run", advice="name the folder of a run with --save"
            )
        with written_aside(path / CONFIG) as aside:
            aside.write_text(to_toml(settings), encoding="utf-8")
        cut(path / METRICS, step)
        return RunFolder(path)

    def on(self, event: Event) -> None:
        match event:
            case StepDone():
                told = {"step": event.step, "epoch": event.epoch, **event.metrics, "rate": event.rate,
                        "examples": event.examples, "seconds": event.seconds}  # fmt: skip
                self._add("step", told)
            case EpochDone():
                told = {"step": event.step, "epoch": event.epoch, "training": dict(event.training),
                        "validation": dict(event.validation), "seconds": event.seconds, "best": event.is_best}  # fmt: skip
                self._add("epoch", told)
                self._flush()
            case Signals():
                layers = [asdict(s) for s in event.layers]
                self._add("signals", {"step": event.step, "epoch": event.epoch, "layers": layers})
            case Ended():
                self._flush()
            case Begun() | Warned():
                pass

    def _add(self, kind: str, told: Mapping[str, Any]) -> None:
        self._waiting.append(json.dumps({"kind": kind, **_plain(told)}, ensure_ascii=False))
        if len(self._waiting) >= 100 and not self._is_failing:
            self._flush()

    def _flush(self) -> None:
        try:
            with open(self.path / METRICS, "a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in self._waiting))
                file.flush()
        except (OSError, ValueError) as problem:
            if not self._is_failing:
                text = f"warning: cannot write {self.path / METRICS}: {reason(problem)}; training goes on\n"
                sys.stderr.write(text)
            self._is_failing = True
            return
        self._is_failing = False
        self._waiting.clear()


def cut(metrics: Path, step: int) -> None:
    """Leave the lines up to a step, so that a resumed run's file ends as that of one that was never stopped."""
    if not metrics.exists():
        return
    kept = [line for line in metrics.read_text(encoding="utf-8", errors="replace").splitlines() if _is_of(line, step)]
    with written_aside(metrics) as aside:
        aside.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _is_of(line: str, step: int) -> bool:
    try:
        return int(json.loads(line)["step"]) <= step
    except (ValueError, KeyError, TypeError):  # cut short by a kill
        return False


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
    texts = {PROGRAM: program, CONFIG: to_toml(settings), ABOUT: json.dumps(about(), indent=2) + "\n"}
    for name, text in texts.items():
        with written_aside(folder / name) as aside:
            aside.write_text(text, encoding="utf-8")


def about() -> dict[str, Any]:
    """Versions and the machine."""
    packages = {p: _version(p) for p in ("numpy", "numba", "llvmlite", "scikit-learn", "scikit-image")}
    return {
        "indexlang": __version__,
        "python": platform.python_version(),
        **{p: v for p, v in packages.items() if v},
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "begun": datetime.now().isoformat(timespec="seconds"),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are written as words."""
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in cast("dict[str, Any]", value).items()}
    return [_plain(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


__all__ = ["CONFIG", "METRICS", "PROGRAM", "RunFolder", "cut"]
