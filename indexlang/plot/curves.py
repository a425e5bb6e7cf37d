"""Learning curves: each metric over the epochs, in training and validation, of one run or several."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.plot.canvas import BLACK, BLUE, COLOURS, GREY, RED, Axes, canvas, legend, part, plain, short
from indexlang.plot.runs import Run
from indexlang.plot.series import Places, Series, drawable, in_epochs, in_steps, series, wants_log
from indexlang.text.diagnostics import data_error
from indexlang.text.names import plural

WIDTH, PANEL, AROUND = 7.0, 2.5, 1.3  # inches
STACKED = 3  # more panels than that stand in two columns
RATE = "learning rate"
MARKERS = "osD^vP"
_SAME = ("linestyle", "linewidth", "marker", "markersize", "markeredgewidth", "alpha")  # of a line and its handle
MARKED = 40  # epochs up to which each has a marker


@dataclass(frozen=True, slots=True)
class Style:
    """How a run looks: among several in a colour of its own, alone in two."""

    training: str
    validation: str
    marker: str = "o"


@dataclass(frozen=True, slots=True)
class Picture:
    """All runs, with where they lie on the x axis and how they look."""

    runs: tuple[Run, ...]
    unit: str
    places: tuple[Places, ...]
    styles: tuple[Style, ...]
    shown: dict[str, Any] = field(default_factory=dict[str, Any])  # kind of line → a handle for the legend

    def series(self, metric: str) -> list[Series]:
        """The numbers of a metric, a series for each run."""
        return [series(run, metric, p) for run, p in zip(self.runs, self.places, strict=True)]


def draw_curves(runs: Sequence[Run], path: Path) -> None:
    """Draw the metrics of runs, a panel each, and write the picture to `path`.

    x       epochs; steps where a run has not done a whole one
    lines   each step, smoothed, thin; training as the mean over an epoch, at its middle; validation at its end
    scale   of the loss: logarithmic when it spans more than two decades
    cost    what is drawn has at most 1000 points a line
    errors  E0841 where a run has nothing measured; those of `canvas`
    """
    for run in runs:
        if not run.metrics:
            raise data_error(
                "E0841", run=run.name, message="has measured nothing yet", advice="wait for its first step"
            )
    picture = _picture(runs)
    metrics = list(dict.fromkeys(m for run in runs for m in run.metrics))
    panels = [*metrics, *([RATE] if any(map(_changes_rate, runs)) else ())]
    columns = 1 if len(panels) <= STACKED else 2
    rows = -(-len(panels) // columns)
    height = rows * PANEL + AROUND + 0.2 * max(0, len(runs) - 3)
    with canvas(path, WIDTH * (1 + 0.5 * (columns - 1)), height) as figure:
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
        for axes, name in zip(grid, panels, strict=False):
            _panel(axes, picture, name, is_loss=name == metrics[0])
        _around(grid, len(panels), columns, picture)
        figure.align_ylabels(grid)
        figure.suptitle(plain(_title(picture)))
        legend(figure, _handles(picture), columns=2 if len(runs) > 1 else 3)


def names_of(runs: Sequence[Run]) -> list[str]:
    """Names that tell runs apart: with their folder's where two are called the same."""
    times = Counter(run.name for run in runs)
    return [run.name if times[run.name] == 1 else f"{run.path.resolve().parent.name}/{run.name}" for run in runs]


def _picture(runs: Sequence[Run]) -> Picture:
    by_epoch = all(run.epochs for run in runs)
    places = tuple((in_epochs if by_epoch else in_steps)(run) for run in runs)
    alone = len(runs) == 1
    styles = (Style(BLUE, RED),) if alone else tuple(map(_style, range(len(runs))))
    return Picture(tuple(runs), "epoch" if by_epoch else "step", places, styles)


def _style(n: int) -> Style:
    """Of run `n` among several: another marker where the colours begin again."""
    colour = COLOURS[n % len(COLOURS)]
    return Style(colour, colour, MARKERS[n // len(COLOURS) % len(MARKERS)])


def _panel(axes: Axes, picture: Picture, name: str, is_loss: bool) -> None:
    axes.set_ylabel(plain(short(name)))
    if name == RATE:
        _rates(axes, picture)
        return
    found = picture.series(name)
    if is_loss and wants_log([s.values for s in found]):
        axes.set_yscale("log")
    for one, style in zip(found, picture.styles, strict=True):
        _lines(axes, one, style, picture)
    for number in range(len(found)):
        _best(axes, picture, name, number)
    if not any(s.values.size for s in found):
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", va="center", color=GREY)


def _lines(axes: Axes, one: Series, style: Style, picture: Picture) -> None:
    many = len(picture.runs) > 1
    if np.isfinite(one.steps[1]).any():
        said = "each training step" if one.width == 1 else f"training, mean of {one.width} steps"
        (line,) = axes.plot(*one.steps, color=style.training, lw=0.8, alpha=0.4 if many else 0.45, zorder=2)
        _tell(picture, "steps", line, "training steps, smoothed" if many else said)
    if np.isfinite(one.training[1]).any():
        alone = {"marker": "s", "ms": 4} if np.isfinite(one.training[1]).sum() == 1 else {}
        (line,) = axes.plot(*one.training, color=style.training, lw=1.8, zorder=3, **alone)
        _tell(picture, "training", line, "training, mean over the epoch")
    if len(one.validation[1]):
        marked = {"marker": style.marker, "ms": 3.5, "markevery": max(1, len(one.validation[1]) // MARKED)}
        (line,) = axes.plot(*one.validation, color=style.validation, lw=1.3, ls=(0, (4, 2)), zorder=4, **marked)
        _tell(picture, "validation", line, "validation")
    if one.lost is not None:
        (mark,) = axes.plot(*one.lost, color=style.training, marker="x", ms=8, mew=2, ls="", zorder=5)
        _tell(picture, "lost", mark, "then NaN or infinite")


def _best(axes: Axes, picture: Picture, name: str, number: int) -> None:
    """A ring about the best epoch of a run: the last that was better than all before."""
    run, places, style = picture.runs[number], picture.places[number], picture.styles[number]
    at = [n for n, e in enumerate(run.epochs) if e.is_best]
    if not at:
        return
    epoch = run.epochs[at[-1]]
    held = name in epoch.validation
    x, y = (places.ends if held else places.middles)[at[-1]], (epoch.validation if held else epoch.training).get(name)
    if y is None or not np.isfinite(drawable(y)):
        return
    alone = len(picture.runs) == 1
    ring = {"marker": "o", "ms": 9, "mfc": "none", "mew": 1.3, "ls": "", "zorder": 6}
    (mark,) = axes.plot(x, y, color=BLACK if alone else style.validation, **ring)
    _tell(picture, "best", mark, f"best epoch ({epoch.epoch})" if alone else "best epoch")


def _rates(axes: Axes, picture: Picture) -> None:
    for run, places, style in zip(picture.runs, picture.places, picture.styles, strict=True):
        axes.plot(places.steps, drawable([s.rate for s in run.steps]), color=style.training, lw=1.3)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)


def _changes_rate(run: Run) -> bool:
    return len({s.rate for s in run.steps if np.isfinite(s.rate)}) > 1


def _around(grid: Any, panels: int, columns: int, picture: Picture) -> None:
    ticks = part("ticker").MaxNLocator
    for number, axes in enumerate(grid):
        if number >= panels:
            axes.set_visible(False)
            continue
        axes.xaxis.set_major_locator(ticks(nbins=10, integer=True, min_n_ticks=1))
        axes.set_xlim(*_span(picture))
        if number + columns >= panels:
            axes.set_xlabel(picture.unit)
            axes.tick_params(labelbottom=True)


def _span(picture: Picture) -> tuple[float, float]:
    """From 0, so that epoch 1 lies between 0 and 1, to a little beyond the last event."""
    last = max((float(x.max()) for p in picture.places for x in (p.steps, p.ends) if x.size), default=1.0)
    last = max(last, 1.0)
    return -0.02 * last, last * 1.02


def _title(picture: Picture) -> str:
    run, *others = picture.runs
    if others:
        return plural(len(picture.runs), "run")
    done = plural(len(run.epochs), "epoch") if run.epochs else plural(len(run.steps), "step")
    return f"{short(run.name)}: {done}"


def _handles(picture: Picture) -> list[Any]:
    """What the lines are; for several runs, first whose they are, in a column of their own."""
    kinds = list(picture.shown.values())
    if len(picture.runs) == 1:
        return kinds
    line = part("lines").Line2D
    whose = [
        line([], [], color=style.training, lw=3, marker=style.marker, ms=7, label=short(name))
        for name, style in zip(names_of(picture.runs), picture.styles, strict=True)
    ]
    kinds = [_greyed(line, handle) for handle in kinds]
    rows = max(len(whose), len(kinds))
    empty = line([], [], ls="", label="")
    return [*whose, *[empty] * (rows - len(whose)), *kinds, *[empty] * (rows - len(kinds))]


def _greyed(line: Any, handle: Any) -> Any:
    same = {n: getattr(handle, f"get_{n}")() for n in _SAME}
    face = "none" if handle.get_markerfacecolor() == "none" else GREY
    return line([], [], color=GREY, label=handle.get_label(), markerfacecolor=face, **same)


def _tell(picture: Picture, kind: str, handle: Any, label: str) -> None:
    if kind not in picture.shown:
        handle.set_label(label)
        picture.shown[kind] = handle


__all__ = ["draw_curves", "names_of"]
