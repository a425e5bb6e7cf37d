"""The filters of a convolution: its weights as small pictures."""

from pathlib import Path

import numpy as np

from indexlang.plot.canvas import canvas, part, plain, short
from indexlang.plot.grid import (
    WIDTH,
    Array,
    Colours,
    Scale,
    Tile,
    colour_bar,
    columns_for,
    draw_tiles,
    largest,
    size_of,
    symmetric,
)
from indexlang.plot.runs import Run
from indexlang.plot.weights import Weights, weights_of
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import nearest, plural

MOST = 256  # filters in one picture
ROWS, BESIDE = 8, 16  # input channels with a row each, and filters in such a row
AXES = 4
AROUND, BAR = 0.8, 1.0  # inches: titles, the scale of colours
NARROWEST, LOWEST = 4.4, 1.9  # what a title, and the label of a scale, need


def filters_named(run: Run, weights: Weights, name: str) -> str:
    """The parameter that `name` means; '' is the first with four axes. Raises DataError E0605, E0841, E0842."""
    fits = [n for n, a in weights.arrays.items() if a.ndim == AXES and a.size]
    if not name and not fits:
        advice = "draw its curves, or the features of a tensor"
        raise data_error("E0841", run=run.name, message="has no parameter with four axes", advice=advice)
    if name and name not in weights.arrays:
        like = nearest(name, fits) or nearest(name, weights.arrays)
        known = ", ".join(fits[:8]) or "none"
        advice = f"did you mean `{like}`?" if like else f"those with four axes are {known}"
        raise data_error("E0605", kind="parameter", name=name, advice=advice)
    if name and name not in fits:
        raise _no_filters(name, weights.arrays[name], fits)
    return name or fits[0]


def draw_filters(run: Run, name: str, path: Path) -> None:
    """Draw the parameter `name`[dx,dy,i,j] of the best epoch: a small picture for each j, dx going down.

    three input channels  red, green and blue; grey is 0, and the largest weight has full colour
    up to 8               a row for each
    more                  their mean
    1×1 filters           the matrix i, j
    errors  E0605, E0841, E0842; those of `weights_of` and `canvas`
    """
    weights = weights_of(run)
    name = filters_named(run, weights, name)
    w = weights.arrays[name].astype(np.float64)
    what = f"{short(name)}{list(w.shape)}, {short(run.name)}, {weights.when}"
    inputs = w.shape[2]
    if w.shape[:2] == (1, 1):
        _matrix(w[0, 0], what, path)
    elif inputs == 3:
        _coloured(w, what, path)
    elif 1 < inputs <= ROWS:
        _in_rows(w, what, path)
    else:
        _in_a_grid(w.mean(axis=2), what, path, "weight" if inputs == 1 else f"mean over {inputs} channels")


def _coloured(w: Array, what: str, path: Path) -> None:
    most = largest(w)
    tiles = [Tile(np.clip(0.5 + w[..., j] / (2 * most), 0, 1), f"{j}") for j in range(min(w.shape[3], MOST))]
    title = f"{what}\nred, green, blue: grey is 0, full colour ±{most:.3g}{_some(len(tiles), w.shape[3])}"
    _drawn(tiles, columns_for(len(tiles), w.shape), Scale(Colours.RGB, 0, 1), title, "", path)


def _in_rows(w: Array, what: str, path: Path) -> None:
    beside = min(w.shape[3], BESIDE)
    tiles = [
        Tile(w[:, :, i, j], "" if i else f"j={j}", "" if j else f"i={i}")
        for i in range(w.shape[2])
        for j in range(beside)
    ]
    title = f"{what}\na row for each input channel i, a column for each filter j{_some(beside, w.shape[3])}"
    _drawn(tiles, beside, symmetric(w[..., :beside]), title, "weight", path)


def _in_a_grid(w: Array, what: str, path: Path, label: str) -> None:
    tiles = [Tile(w[:, :, j], f"{j}") for j in range(min(w.shape[2], MOST))]
    said = f"{plural(w.shape[2], 'filter')} of {w.shape[0]}×{w.shape[1]}{_some(len(tiles), w.shape[2])}"
    title = f"{what}\n{said}"
    _drawn(tiles, columns_for(len(tiles), w.shape), symmetric(w[:, :, : len(tiles)]), title, label, path)


def _drawn(tiles: list[Tile], columns: int, scale: Scale, title: str, label: str, path: Path) -> None:
    width, height = size_of(len(tiles), columns, tiles[0].pixels.shape)
    with canvas(path, max(width + BAR, NARROWEST), max(height, LOWEST) + AROUND) as figure:
        axes = figure.subplots()
        draw_tiles(axes, tiles, columns, scale)
        if scale.colours is not Colours.RGB:
            colour_bar(figure, axes, scale, label)
        figure.suptitle(plain(title), fontsize=10)


def _matrix(w: Array, what: str, path: Path) -> None:
    scale = symmetric(w)
    height = min(max(WIDTH * 0.8 * w.shape[0] / w.shape[1], 1.5), 9.0)
    with canvas(path, WIDTH, height + AROUND) as figure:
        axes = figure.subplots()
        axes.grid(visible=False)
        axes.imshow(w, cmap=scale.colours.value, vmin=scale.low, vmax=scale.high, aspect="auto")
        axes.set_xlabel("filter j")
        axes.set_ylabel("input channel i")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(part("ticker").MaxNLocator(integer=True, min_n_ticks=1))
        colour_bar(figure, axes, scale, "weight")
        figure.suptitle(plain(f"{what}\n1×1 filters: the weight of each input channel"), fontsize=10)


def _some(shown: int, of: int) -> str:
    return "" if shown == of else f"; the first {shown} of {of}"


def _no_filters(name: str, array: Array, fits: list[str]) -> DataError:
    said = (
        f"`{name}`{list(array.shape)} has {plural(array.ndim, 'axis').replace('axiss', 'axes')}, and filters have four"
    )
    advice = f"choose {', '.join(fits[:8])}" if fits else "the run has no parameter with four axes"
    return data_error("E0842", message=f"{said}: [dx,dy,i,j]", advice=advice)
