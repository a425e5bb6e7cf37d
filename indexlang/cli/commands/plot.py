"""`indexlang plot RUN…`: learning curves of runs, their filters, features and signals, as PNG or SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from indexlang.cli import settings
from indexlang.cli.terminal import Progress, result, tell
from indexlang.plot.canvas import check_path
from indexlang.plot.curves import draw_curves
from indexlang.plot.examples import from_data, from_files
from indexlang.plot.features import draw_features
from indexlang.plot.filters import draw_filters
from indexlang.plot.runs import Run, read_run
from indexlang.plot.signals import draw_signals


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for; `filters` is '' for the first parameter that has some."""

    runs: tuple[Path, ...]
    output: Path | None
    filters: str | None
    features: str | None
    inputs: Mapping[str, Path]
    example: int | None
    signals: bool


@click.command("plot")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
              help="A .png or .svg file; else a .png file in the folder of the first RUN.")  # fmt: skip
@click.option("--filters", is_flag=False, flag_value="", metavar="[NAME]",
              help="The weights of a convolution; the first, or the parameter NAME.")  # fmt: skip
@click.option("--features", metavar="TENSOR", help="The channels of a tensor, for one example.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=PATH", callback=settings.paths,
              help="With --features: an input, as npy, npz, png or jpg; may be repeated.")  # fmt: skip
@click.option("--example", type=click.IntRange(min=0), metavar="N",
              help="With --features: example N of the run's data, from 0.")  # fmt: skip
@click.option("--signals", is_flag=True, help="Activations, gradients and updates of each layer.")
def command(**given: object) -> None:
    """Draw RUNs, the folders that `indexlang train` writes: the curves of loss and metrics, or what the flags say."""
    request = Request(**given)  # type: ignore[arg-type]
    _check(request)
    path = request.output or request.runs[0] / f"{_kind(request)}.png"
    runs = [read_run(run) for run in request.runs]
    for note in (note for run in runs for note in run.notes):
        tell(f"note: {note}")
    check_path(path)
    with Progress(f"drawing {path} …"):
        _draw(request, runs, path)
    result(str(path))


def _draw(request: Request, runs: Sequence[Run], path: Path) -> None:
    run = runs[0]
    if request.filters is not None:
        draw_filters(run, request.filters, path)
    elif request.features is not None and request.example is not None:
        draw_features(run, request.features, partial(from_data, run=run, number=request.example), path)
    elif request.features is not None:
        draw_features(run, request.features, partial(from_files, paths=request.inputs), path)
    elif request.signals:
        draw_signals(run, path)
    else:
        draw_curves(runs, path)


def _kind(request: Request) -> str:
    """What the picture is called where nothing is said."""
    if request.filters is not None:
        return f"filters-{request.filters}" if request.filters else "filters"
    if request.features is not None:
        return f"features-{request.features}"
    if request.signals:
        return "signals"
    return "curves" if len(request.runs) == 1 else "comparison"


def _check(request: Request) -> None:
    """Refuse flags that do not go together."""
    asked = [request.filters is not None, request.features is not None, request.signals]
    shows = request.example is not None, bool(request.inputs)
    if not request.runs:
        where = " (what follows --filters is taken as its NAME: write RUN before it)" if request.filters else ""
        raise click.UsageError(f"name a run: indexlang plot RUN{where}")
    if sum(asked) > 1:
        raise click.UsageError("--filters, --features and --signals are pictures of their own: ask for one")
    if any(asked) and len(request.runs) > 1:
        raise click.UsageError("several runs go into one picture as curves only: name one RUN")
    if any(shows) and request.features is None:
        raise click.UsageError("--input and --example go with --features TENSOR")
    if request.features is not None and sum(shows) != 1:
        raise click.UsageError("--features needs one of --input NAME=PATH and --example N")
