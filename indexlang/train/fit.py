"""Training a program: settings and data → a step, batches, a loop, a folder that holds the run."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from indexlang.program import Program
from indexlang.text.diagnostics import data_error
from indexlang.train import checkpoint
from indexlang.train.checkpoint import Position
from indexlang.train.config import Config, as_settings, changed
from indexlang.train.events import NONE, Ended, EpochDone, Event, Numbers, Signals, Warned, Watcher
from indexlang.train.feeding import Prepared, prepared
from indexlang.train.keep import CHECKPOINT, Folder, digest_of
from indexlang.train.loop import Keeper, KeepsNothing, Loop
from indexlang.train.progress import watcher_for
from indexlang.train.record import RunFolder
from indexlang.train.signals import SignalProbe
from indexlang.train.step import Recipe, Step, loss_of, training_step
from indexlang.train.watching import close_all

# Settings that may differ when a run goes on: they change no bit of what was done.
FREE = ("epochs", "threads", "watch_gradients")


@dataclass
class History:
    """What came of a run.

    epochs       one entry an epoch, with the means of its training and validation metrics
    signals      what `watch_gradients` measured: of the first step, then of the last of each epoch
    best         the metrics of the best epoch, by validation if there is some; best_epoch  which it was
    folder       where the run lies; None if it was not kept
    interrupted  whether Ctrl-C ended it
    """

    epochs: list[EpochDone] = field(default_factory=list[EpochDone])
    signals: list[Signals] = field(default_factory=list[Signals])
    best: Numbers = field(default_factory=lambda: NONE)
    best_epoch: int | None = None
    folder: Path | None = None
    interrupted: bool = False

    def on(self, event: Event) -> None:
        """Takes what is worth keeping of an event."""
        match event:
            case EpochDone():
                self.epochs.append(event)
            case Signals():
                self.signals.append(event)
            case Ended():
                self.best, self.best_epoch, self.interrupted = event.best, event.best_epoch, event.interrupted
            case _:
                pass

    def __repr__(self) -> str:
        shown = ", ".join(f"{n} {v:.4g}" for n, v in self.best.items())
        return f"History({len(self.epochs)} epochs; best {self.best_epoch}: {shown})"


@dataclass(frozen=True)
class Run:
    """A run that can begin: everything is read and checked."""

    net: Program
    config: Config
    step: Step
    data: Prepared
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run lies, or shall lie: a folder, or None for one of its own below `runs`."""

    folder: Path | None
    goes_on: bool = False


def prepare(net: Program, data: Any, held_out: Any, config: Config, name: str) -> Run:
    """Read and check the data, and make the step: all mistakes are told before anything is trained.

    Raises DataError E06xx, E07xx, E08xx; ProgramError where the program cannot be trained.
    """
    training = net.in_training()
    loss = loss_of(training, config.loss or None)
    recipe = Recipe(
        loss, config.optimizer, config.schedule, config.rate, config.weight_decay, config.clip, config.warm,
        config.options,
    )  # fmt: skip
    step = training_step(net, recipe)
    return Run(net, config, step, prepared(training, data, held_out, config), name)


def train(run: Run, place: Place | None, watchers: Sequence[Watcher]) -> History:
    """Train to the end, or until Ctrl-C; the program keeps what was learnt.

    Raises NumericalError E1001; DataError E0822 where the checkpoint is of another run, E0824, E0705.
    """
    digest, position = _digest(run), Position()
    if place is not None and place.goes_on and place.folder is not None and (place.folder / CHECKPOINT).exists():
        position = checkpoint.restore(place.folder / CHECKPOINT, run.step.program, digest)
    record = None if place is None else _record(run, place, position)
    history = History(folder=None if record is None else record.path)
    told: list[Watcher] = [*watchers, *(() if record is None else (record,)), history]
    keeper: Keeper = KeepsNothing()
    if record is not None:
        record.warn = partial(_warn, told)
        keeper = Folder(record.path, digest, partial(_warn, told))
        keeper.clean()
    loop = Loop(
        run.name, run.step, run.data.feed, run.config.epochs, run.net.in_use(), run.data.validation, told, keeper,
        SignalProbe(run.net, run.step, run.data.feed.steps) if run.config.watch_gradients else None,
        position,
    )  # fmt: skip
    try:
        loop.run()
    finally:
        run.net.follow(run.step.program)
        close_all(told)
    return history


def fit(
    net: Program, data: Any, *, val: Any = 0.2, save: str | Path | None = None,
    resume: bool = False, watchers: Sequence[Watcher] | None = None, **settings: Any,
) -> History:  # fmt: skip
    """Train a program on data; what it learns is in `net.params` and `net.state`. See `Program.fit`.

    Raises what that raises; DataError E0821 for settings that do not go together.
    """
    told = {"data": data if isinstance(data, str) else "", "val": val if isinstance(val, int | float | str) else 0}
    config = changed(Config(), {**told, **settings}, "fit")
    name = Path(net.source_text.name).stem or "program"
    run = prepare(net, data, val, config, name)
    if resume and save is None:
        raise data_error("E0821", message="fit: `resume` needs `save`", advice="give the folder of the run")
    place = None if save is None else Place(Path(save), resume)
    shown = (watcher_for(sys.stderr),) if watchers is None else watchers
    history = train(run, place, shown)
    if history.interrupted:
        raise KeyboardInterrupt
    return history


def _warn(watchers: Sequence[Watcher], message: str) -> None:
    for watcher in watchers:
        watcher.on(Warned(message))


def _record(run: Run, place: Place, position: Position) -> RunFolder:
    if place.goes_on and place.folder is not None:
        return RunFolder.resumed(place.folder, as_settings(run.config), position.step, position.epoch)
    return RunFolder.begun(place.folder, run.name, str(run.net), as_settings(run.config))


def _digest(run: Run) -> str:
    settings: Mapping[str, Any] = {n: v for n, v in as_settings(run.config).items() if n not in FREE}
    return digest_of(str(run.step.program), repr(sorted(settings.items(), key=str)), run.data.digest)


__all__ = ["FREE", "History", "Place", "Run", "fit", "prepare", "train"]
