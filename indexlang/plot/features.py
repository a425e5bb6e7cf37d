"""The features of one example: each channel of a tensor as a small picture."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from indexlang.plot.canvas import GREY, Axes, canvas, check_path, part, plain, short
from indexlang.plot.examples import Example, completed
from indexlang.plot.filters import AROUND, BAR, LOWEST, MOST
from indexlang.plot.grid import Array, Tile, colour_bar, columns_for, draw_tiles, fitting, size_of
from indexlang.plot.runs import Run
from indexlang.plot.weights import network, weights_of
from indexlang.program import Program
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import nearest

RANKS = (3, 4)
INPUT = 1.7  # inches of the picture that was given


def draw_features(run: Run, name: str, shown: Callable[[Program], Example], path: Path) -> None:
    """Draw the tensor `name`[b,x,y,j] for one example: a small picture for each j, x going down.

    shown   gives the example to the network: see indexlang.plot.examples
    scale   one for all channels: from 0, or about 0 where there are values below
    errors  E0605, E0842, E0604; those of `weights_of`, `network`, `shown` and `canvas`
    """
    check_path(path)
    part("")
    weights = weights_of(run)
    net = network(run, weights)
    _check(net, name)
    example = shown(net)
    arrays = completed(net, example, name)
    found = np.asarray(net(*arrays.values(), want=[name]))
    value = _channels(found)
    title = f"{short(name)}[{', '.join(map(str, found.shape[1:]))}], {short(run.name)}, {weights.when}\n{example.said}"
    _draw(value, _picture(arrays, net.inputs_of(name)), title, name, path)


def _check(net: Program, name: str) -> None:
    """Whether a tensor can be drawn. Raises DataError E0605, E0842."""
    fits = [t.name for t in net.tensors.values() if t.role == "computed" and len(t.extents) == max(RANKS)]
    if name not in net.tensors:
        like = nearest(name, fits) or nearest(name, net.tensors)
        advice = f"did you mean `{like}`?" if like else f"there are {', '.join(fits[:8])}"
        raise data_error("E0605", kind="tensor", name=name, advice=advice)
    info = net.tensors[name]
    if info.role == "input":
        said = f"`{name}` is an input, and features are computed from it"
        raise data_error("E0842", message=said, advice=f"choose {', '.join(fits[:8])}")
    if info.role != "computed":
        said = f"`{name}` is not computed: it is the same for every example"
        raise data_error("E0842", message=said, advice=f"draw it with --filters {name}")
    if len(info.extents) not in RANKS:
        raise _no_picture(name, info.extents, fits)


def _channels(value: Array) -> Array:
    """The first example of [b,x,y,j] or [b,x,y], as [x,y,j]. Raises DataError E0842 where it is empty."""
    if not value.size:
        raise data_error("E0842", message=f"the tensor {list(value.shape)} has no elements", advice="give an example")
    first = value[0].astype(np.float64)
    return first if first.ndim == max(RANKS) - 1 else first[:, :, np.newaxis]


def _draw(value: Array, given: Array | None, title: str, name: str, path: Path) -> None:
    tiles = [Tile(value[:, :, j], f"{j}") for j in range(min(value.shape[2], MOST))]
    columns = columns_for(len(tiles), value.shape)
    scale = fitting(value[:, :, : len(tiles)])
    width, height = size_of(len(tiles), columns, value.shape)
    beside = 0.0 if given is None else INPUT
    with canvas(path, max(width + beside + BAR, 5.0), max(height, beside, LOWEST) + AROUND) as figure:
        ratios = [beside, width] if beside else [1.0]
        grid = figure.subplots(1, len(ratios), width_ratios=ratios, squeeze=False).ravel()
        draw_tiles(grid[-1], tiles, columns, scale)
        colour_bar(figure, grid[-1], scale, short(name))
        if given is not None:
            _input(grid[0], given)
        more = "" if len(tiles) == value.shape[2] else f"; the first {len(tiles)} of {value.shape[2]} channels"
        figure.suptitle(plain(title + more), fontsize=10)


def _input(axes: Axes, given: Array) -> None:
    low, high = min(float(given.min()), 0.0), max(float(given.max()), 1.0)
    axes.imshow((given - low) / (high - low), cmap="gray", vmin=0, vmax=1)
    axes.set_title("input", color=GREY, fontsize=8)
    axes.set_anchor("N")
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=GREY, linewidth=0.4)


def _picture(arrays: Mapping[str, Array], names: tuple[str, ...]) -> Array | None:
    """The one input that looks like a picture: [b,x,y], or [b,x,y,c] with one channel or three."""
    found = [a[0].astype(np.float64) for n, a in arrays.items() if n in names and a.ndim in RANKS and a.size]
    found = [a if a.ndim == 3 else a[:, :, np.newaxis] for a in found]
    fits = [a for a in found if a.shape[2] in (1, 3) and np.isfinite(a).all()]
    return (fits[0][:, :, 0] if fits[0].shape[2] == 1 else fits[0]) if len(fits) == 1 else None


def _no_picture(name: str, extents: tuple[int | str, ...], fits: list[str]) -> DataError:
    said = f"`{name}`[{', '.join(map(str, extents))}] is no picture [b,x,y,j]"
    like = nearest(name, fits)
    advice = f"choose {', '.join(fits[:8])}" if fits else "the program has no tensor with four axes"
    return data_error("E0842", message=said, advice=f"{advice}; is it `{like}`?" if like and len(fits) > 8 else advice)
