"""`indexlang train FILE`: settings from a TOML file and flags, a run in a folder of its own, one line of progress."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.exits import Exit
from indexlang.cli.table import Table
from indexlang.cli.terminal import encoding, result, result_json, tell, width
from indexlang.text.diagnostics import data_error
from indexlang.train.config import Config, as_settings, changed, read_config
from indexlang.train.events import Signals
from indexlang.train.fit import History, Place, prepare, train
from indexlang.train.progress import watcher_for
from indexlang.train.tensorboard import TensorBoard
from indexlang.train.toml import to_toml

Command = Callable[..., Any]

# Flag, kind, help. Every one is a setting of the TOML file too, with `_` for `-`.
FLAGS = (
    ("--data", str, "digits, faces, a folder of pictures by class, or .npz, .npy, .csv files."),
    ("--val", str, "Held out: a share below 1, a number of examples, or data of its own."),
    ("--augment", str, "As flip,crop:2,noise:0.05."),
    ("--loss", str, "The scalar to be made small."),
    ("--optimizer", str, "sgd, momentum, nesterov, adam, adamw, rmsprop, or FILE.idx."),
    ("--lr", float, "The learning rate."),
    ("--schedule", str, "constant, step, cosine, warmup."),
    ("--warm", int, "Steps in which the rate rises."),
    ("--epochs", int, "How often all examples are seen."),
    ("--batch", int, "Examples of a step."),
    ("--seed", int, "Of first values, random tensors, the order of examples."),
    ("--clip", float, "The most that the norm of all gradients may be."),
    ("--weight-decay", float, "How much the parameters are drawn to 0."),
    ("--threads", int, "Threads to run on."),
    ("--dtype", str, "f32 or f64."),
)


def _flags(command: Command) -> Command:
    for flag, kind, text in reversed(FLAGS):
        command = click.option(flag, type=kind, help=text)(command)
    return command


@click.command("train")
@settings.program_file
@_flags
@click.option(
    "--watch-gradients", is_flag=True, default=None, help="Measure the signals of every layer, once an epoch."
)
@settings.constants
@click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE.toml",
              help="Settings; without it those beside the program, in NAME.toml.")  # fmt: skip
@click.option("--print-config", is_flag=True, help="Print all settings, and do nothing.")
@click.option("--weights", type=click.Path(path_type=Path), help="First values: a safetensors or npz file.")
@click.option(
    "--save", type=click.Path(path_type=Path), metavar="DIR", help="Where the run is kept; else runs/NAME-DATE."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --save, or with the last one of the program.")
@click.option(
    "--tensorboard", type=click.Path(path_type=Path), metavar="DIR", help="Write TensorBoard files there too."
)
@settings.as_json_flag
def command(
    file: Path, constants: dict[str, settings.Number], config_file: Path | None, print_config: bool,
    weights: Path | None, save: Path | None, resume: bool, tensorboard: Path | None, as_json: bool, **flags: Any,
) -> int:  # fmt: skip
    """Train FILE on data: digits, faces, pictures, arrays."""
    folder = _folder(file, save) if resume else save
    config = _config(file, config_file, folder if resume else None, flags, constants)
    if print_config:
        result(to_toml(as_settings(config)).rstrip())
        return Exit.GOOD
    net = load(file, constants=dict(config.constants), dtype=config.dtype, threads=config.threads)
    net.init(config.seed)
    if weights is not None:
        net.load_weights(weights)
    run = prepare(net, config.data, config.val, config, file.stem)
    watchers = (watcher_for(sys.stderr), *((TensorBoard(tensorboard),) if tensorboard is not None else ()))
    history = train(run, Place(folder, resume), watchers)
    return _Asked(file, as_json).said(history)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was to be trained, and how its end is to be told."""

    file: Path
    as_json: bool

    def said(self, history: History) -> int:
        folder = str(history.folder)
        if self.as_json:
            result_json({"command": "train", "folder": folder, "epochs": len(history.epochs),
                         "best_epoch": history.best_epoch, "best": dict(history.best),
                         "interrupted": history.interrupted})  # fmt: skip
        if history.interrupted:
            tell(f"go on with: indexlang train {shlex.quote(str(self.file))} --save {shlex.quote(folder)} --resume")
            return Exit.INTERRUPTED
        if not self.as_json:
            if history.signals:
                result(_signals(history.signals[-1]) + "\n")
            result(_told(history))
        return Exit.GOOD


def _signals(s: Signals) -> str:
    """The layers, from the input on, with what was measured of each."""
    titles = ("layer", "activation", "gradient", "dead", "saturated", "update/weight")
    rows = tuple(
        (x.name, f"{x.activation:.3g}", f"{x.gradient:.3g}", f"{x.dead:.0%}", f"{x.saturated:.0%}",
         "" if x.update != x.update else f"{x.update:.2g}")
        for x in s.layers
    )  # fmt: skip
    return f"signals of step {s.step}:\n" + Table(titles, rows).text(width(sys.stdout), encoding(sys.stdout))


def _told(history: History) -> str:
    best = ", ".join(f"{n} {v:.4g}" for n, v in history.best.items())
    first = f"best epoch {history.best_epoch}: {best}\n" if history.best_epoch is not None else ""
    return f"{first}kept in {history.folder}; see it with: indexlang plot {shlex.quote(str(history.folder))}"


def _folder(file: Path, save: Path | None) -> Path:
    """The run to go on with. Raises DataError E0821 where there is none."""
    if save is not None:
        return save
    found = sorted(Path("runs").glob(f"{file.stem}-*/config.toml"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise data_error("E0821", message=f"there is no run of {file.stem} in runs/", advice="name it with --save DIR")
    return found[-1].parent


def _config(
    file: Path, config_file: Path | None, resumed: Path | None, flags: dict[str, Any], constants: dict[str, Any]
) -> Config:
    config = Config()
    beside = file.with_suffix(".toml")
    if resumed is not None and config_file is None:
        config_file = resumed / "config.toml"
    elif config_file is None and beside.exists():
        config_file = beside
    if config_file is not None:
        config = changed(config, read_config(config_file), config_file.name)
    for name, value in flags.items():
        if value is not None:
            config = changed(config, {name: _value(name, value)}, f"--{name.replace('_', '-')}")
    return changed(config, {"constants": {**config.constants, **constants}}, "-D") if constants else config


def _value(name: str, value: Any) -> Any:
    """`--val 0.2`, `--val 360`, `--val held_out.npz`."""
    if name != "val":
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
