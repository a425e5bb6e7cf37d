"""The signals of a network, layer by layer: do activations and gradients keep their size, is anything dead or stuck."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.plot.canvas import BLUE, GREEN, GREY, RED, SKY, Axes, canvas, legend, part, plain, short
from indexlang.plot.runs import Run
from indexlang.text.diagnostics import data_error
from indexlang.train.events import LayerSignal, Signals

GOOD_STEP = 1e-3  # what an update is to the parameters, as a rule of thumb
PANEL, AROUND = 1.9, 1.5  # inches
LAYER, NARROWEST, WIDEST = 0.32, 6.0, 16.0
LABELS = 60  # layers up to which each has its name
LONG = 18  # characters of a layer's name

Array = np.ndarray[Any, Any]
Value = Callable[[LayerSignal], float]


@dataclass(frozen=True, slots=True)
class Quantity:
    """One line of a panel: what it shows of a layer, and its colours, first record and last."""

    name: str
    value: Value
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: sizes on a logarithmic scale, or shares in percent."""

    label: str
    quantities: tuple[Quantity, ...]
    is_share: bool = False
    mark: float | None = None


_PANELS = (
    Panel("activation\n(root mean square)", (Quantity("activation", lambda s: s.activation, SKY, BLUE),)),
    Panel("gradient\n(root mean square)", (Quantity("gradient", lambda s: s.gradient, SKY, BLUE),)),
    Panel(
        "share of units (%)",
        (
            Quantity("dead", lambda s: 100 * s.dead, "#E8A27C", RED),
            Quantity("saturated", lambda s: 100 * s.saturated, "#8CCFBC", GREEN),
        ),
        is_share=True,
    ),
    Panel("update / parameters", (Quantity("update", lambda s: s.update, SKY, BLUE),), mark=GOOD_STEP),
)


def draw_signals(run: Run, path: Path) -> None:
    """Draw what `--watch-gradients` measured, a panel each: activations, gradients, dead and saturated, updates.

    x       the layers in the order of computing; the first record beside the last
    marks   what is 0 has a triangle at the lower edge, what is NaN or infinite a cross at the upper one
    errors  E0841 where the run has no signals; those of `canvas`
    """
    if not any(s.layers for s in run.signals):
        advice = "train with --watch-gradients"
        raise data_error("E0841", run=run.name, message="has no signals", advice=advice)
    records = [s for s in run.signals if s.layers]
    records = records[:1] + records[1:][-1:]
    names = list(dict.fromkeys(layer.name for s in reversed(records) for layer in s.layers))
    width = min(max(LAYER * len(names) + 1.8, NARROWEST), WIDEST)
    with canvas(path, width, PANEL * len(_PANELS) + AROUND) as figure:
        grid = figure.subplots(len(_PANELS), 1, sharex=True)
        for axes, panel in zip(grid, _PANELS, strict=True):
            _panel(axes, panel, records, names)
        _layers(grid[-1], names)
        figure.align_ylabels(grid)
        figure.suptitle(plain(f"{short(run.name)}: signals of each layer"))
        legend(figure, _handles(records), columns=3)


def _panel(axes: Axes, panel: Panel, records: Sequence[Signals], names: Sequence[str]) -> None:
    axes.set_ylabel(panel.label)
    for quantity in panel.quantities:
        for number, record in enumerate(records):
            is_last = number == len(records) - 1
            known = {layer.name: quantity.value(layer) for layer in record.layers}
            values = np.array([known.get(n, np.nan) for n in names], float)
            _line(axes, panel, quantity.last if is_last else quantity.first, values, is_last, quantity.name)
    if panel.is_share:
        axes.set_ylim(-4, 104)
        axes.set_yticks([0, 25, 50, 75, 100])
        return
    _logarithmic(axes, panel, records)


def _line(axes: Axes, panel: Panel, colour: str, values: Array, is_last: bool, name: str) -> None:
    x = np.arange(len(values))
    fine = np.isfinite(values) & ((values > 0) | panel.is_share)
    marker = "s" if name == "saturated" else "o"
    look = {"marker": marker, "ms": 4, "lw": 1.6 if is_last else 1.1, "ls": "-" if is_last else (0, (4, 2))}
    axes.plot(x, np.where(fine, values, np.nan), color=colour, zorder=4 if is_last else 3, **look)
    if not panel.is_share:
        _edge(axes, x[values == 0], 0.06, "v", colour)
    has_none = np.isnan(values) if name == "update" else np.zeros(len(x), bool)  # a layer without parameters
    _edge(axes, x[~np.isfinite(values) & ~has_none], 0.92, "x", colour)


def _edge(axes: Axes, x: Array, height: float, marker: str, colour: str) -> None:
    """Marks near the lower or upper edge for what no scale can show."""
    if len(x):
        where = {"transform": axes.get_xaxis_transform(), "marker": marker, "ls": "", "ms": 6, "mew": 1.8}
        axes.plot(x, np.full(len(x), height), color=colour, zorder=5, **where)


def _logarithmic(axes: Axes, panel: Panel, records: Sequence[Signals]) -> None:
    """A scale over whole decades that holds all values, so that a flat line looks flat."""
    found = [q.value(layer) for q in panel.quantities for s in records for layer in s.layers]
    found = [v for v in found if isfinite(v) and v > 0] + ([] if panel.mark is None else [panel.mark])
    axes.set_yscale("log")
    low, high = (min(found), max(found)) if found else (1.0, 1.0)
    axes.set_ylim(10 ** np.floor(np.log10(low) - 0.1), 10 ** np.ceil(np.log10(high) + 0.1))
    axes.yaxis.set_minor_locator(part("ticker").NullLocator())
    if panel.mark is not None:
        axes.axhline(panel.mark, color=GREY, lw=1.0, ls="--", zorder=2)


def _layers(axes: Axes, names: Sequence[str]) -> None:
    axes.set_xlabel("layer, in the order of computing")
    axes.set_xlim(-0.5, len(names) - 0.5)
    each = -(-len(names) // LABELS)
    shown = [plain(short(n, LONG)) for n in names[::each]]
    axes.set_xticks(range(0, len(names), each), shown)
    crowded = sum(len(n) + 2 for n in shown) > 80 or len(shown) > 20
    axes.tick_params(axis="x", rotation=90 if crowded else 0)


def _handles(records: Sequence[Signals]) -> list[Any]:
    line = part("lines").Line2D
    made = [line([], [], color=BLUE, marker="o", ms=4, label=f"{'last: ' * (len(records) > 1)}{_when(records[-1])}")]
    if len(records) > 1:
        made.insert(0, line([], [], color=SKY, ls=(0, (4, 2)), marker="o", ms=4, label=f"first: {_when(records[0])}"))
    made += [
        line([], [], color=RED, marker="o", ms=4, label="dead: 0 for the whole batch"),
        line([], [], color=GREEN, marker="s", ms=4, label="saturated: slope below 0.01"),
        line([], [], color=GREY, ls="--", lw=1.0, label="10⁻³: a usual step"),
    ]
    found = [v for s in records for layer in s.layers for v in (layer.activation, layer.gradient, layer.update)]
    if 0 in found:
        made.append(line([], [], color=GREY, ls="", marker="v", ms=6, label="is 0"))
    if any(np.isnan(layer.gradient) for s in records for layer in s.layers) or any(map(np.isinf, found)):
        made.append(line([], [], color=GREY, ls="", marker="x", ms=6, mew=1.8, label="NaN or infinite"))
    return made


def _when(record: Signals) -> str:
    return f"step {record.step}, epoch {record.epoch}"
