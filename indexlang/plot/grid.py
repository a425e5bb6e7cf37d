"""Many small pictures in rows, in one scale of colours: the filters of a layer, the channels of a tensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil, sqrt
from typing import Any

import numpy as np

from indexlang.plot.canvas import GREY, Axes, Figure, part, plain

Array = np.ndarray[Any, Any]

WIDTH = 7.0  # inches of a whole picture
GAP = 0.08  # between two pictures, by the longer side of one
LABEL = 0.22  # above a picture, likewise
LABELLED = 16  # columns up to which pictures have room for a label
LOST = "#B0B0B0"  # NaN and infinity


class Colours(Enum):
    """What a number looks like: blue, white, red about 0; dark to light from 0; or three numbers as they are."""

    DIVERGING = "RdBu_r"
    SEQUENTIAL = "viridis"
    RGB = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One small picture: [x,y], or [x,y,3] between 0 and 1; x goes down. `label` stands above it, `side` beside it."""

    pixels: Array
    label: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """The values that the ends of a scale of colours stand for."""

    colours: Colours
    low: float
    high: float


def symmetric(values: Array) -> Scale:
    """The scale about 0 that the largest finite value reaches the end of."""
    most = largest(values)
    return Scale(Colours.DIVERGING, -most, most)


def fitting(values: Array) -> Scale:
    """From 0 where nothing is below it, as after relu; else about 0."""
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() < 0:
        return symmetric(values)
    return Scale(Colours.SEQUENTIAL, 0.0, largest(values))


def largest(values: Array) -> float:
    """The largest size of a finite value; 1 where all are 0."""
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0)) or 1.0


def columns_for(number: int, shape: Sequence[int]) -> int:
    """How many pictures of a shape stand in a row, so that all together are a little wider than high."""
    return min(number, max(1, ceil(sqrt(number * 1.6 * shape[0] / shape[1]))))


def size_of(number: int, columns: int, shape: Sequence[int]) -> tuple[float, float]:
    """Inches that a grid takes, width and height, in a picture of usual width."""
    down, across = _cell(shape, columns)
    width = min(WIDTH * 0.86, 1.3 * columns * across)
    return width, width / (columns * across) * ceil(number / columns) * down


def draw_tiles(axes: Axes, tiles: Sequence[Tile], columns: int, scale: Scale) -> None:
    """Draw pictures of one shape in rows; each with its label above, where there is room."""
    shape = tiles[0].pixels.shape
    high, wide = (n / max(shape[:2]) for n in shape[:2])
    down, across = _cell(shape, columns)
    for n, tile in enumerate(tiles):
        y, x = (n // columns + 1) * down - GAP / 2, n % columns * across + GAP / 2
        _picture(axes, tile.pixels, (x, x + wide, y, y - high), scale)
        if columns <= LABELLED and tile.label:
            axes.text(x, y - high - 0.04, plain(tile.label), fontsize=6.5, color=GREY, va="bottom")
        if tile.side:
            axes.text(x - 0.06, y - high / 2, plain(tile.side), fontsize=6.5, color=GREY, va="center", ha="right")
    axes.set_xlim(0, columns * across)
    axes.set_ylim(ceil(len(tiles) / columns) * down, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()


def colour_bar(figure: Figure, axes: Any, scale: Scale, label: str) -> None:
    """What the colours stand for, beside the pictures."""
    made = part("cm").ScalarMappable(part("colors").Normalize(scale.low, scale.high), scale.colours.value)
    bar = figure.colorbar(made, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    bar.set_label(plain(label))
    bar.outline.set_visible(False)


def _picture(axes: Axes, pixels: Array, extent: tuple[float, float, float, float], scale: Scale) -> None:
    if scale.colours is Colours.RGB:
        axes.imshow(np.nan_to_num(pixels, nan=0.5), extent=extent)
    else:
        colours = part("").colormaps[scale.colours.value].with_extremes(bad=LOST)
        finite = np.where(np.isfinite(pixels), pixels, np.nan)
        axes.imshow(finite, extent=extent, cmap=colours, vmin=scale.low, vmax=scale.high)
    left, right, bottom, top = extent
    frame = part("patches").Rectangle((left, top), right - left, bottom - top)
    frame.set(fill=False, edgecolor=GREY, linewidth=0.4)
    axes.add_patch(frame)


def _cell(shape: Sequence[int], columns: int) -> tuple[float, float]:
    """Height and width of a picture with the space around it, where its longer side is 1."""
    label = LABEL if columns <= LABELLED else 0.0
    return shape[0] / max(shape[:2]) + GAP + label, shape[1] / max(shape[:2]) + GAP
