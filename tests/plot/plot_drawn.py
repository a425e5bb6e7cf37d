"""Looking at pictures without eyes: their pixels, and what a figure holds before it is written.

Whoever imports this is skipped without matplotlib, which is optional.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexlang.plot import canvas

pytest.importorskip("matplotlib")

Figure = Any


def pixels(path: Path) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(path).convert("RGB"), np.int64)


def colours(path: Path) -> int:
    """How many colours a picture has: a blank one has one."""
    return len(np.unique(pixels(path) @ [1, 256, 65536]))


def has_colour(path: Path, colour: str) -> bool:
    """Whether some pixels have just this colour, as `#0072B2`."""
    wanted = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
    return bool((pixels(path) == wanted).all(axis=-1).sum() > 20)


def figure_of(draw: Callable[[Path], None], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure that a call draws, as it is when it would be written."""
    caught: list[Figure] = []
    monkeypatch.setattr(canvas, "_write", lambda figure, path: caught.append(figure))
    draw(folder / "x.png")
    (figure,) = caught
    figure.draw_without_rendering()
    return figure


def texts(figure: Figure) -> str:
    """All that is written on a figure."""
    from matplotlib.text import Text

    return "\n".join(t.get_text() for t in figure.findobj(Text) if t.get_text())


def cut_off(figure: Figure) -> list[str]:
    """The texts that leave the figure."""
    from matplotlib.text import Text

    box = figure.bbox
    hidden = {id(label) for axes in figure.axes for label in hidden_labels(axes)}
    found: list[str] = []
    for t in figure.findobj(Text):
        b = t.get_window_extent() if t.get_visible() and t.get_text() and id(t) not in hidden else None
        if b is not None and (b.x0 < -1 or b.y0 < -1 or b.x1 > box.x1 + 1 or b.y1 > box.y1 + 1):
            found.append(t.get_text())
    return found


def hidden_labels(axes: Any) -> list[Any]:
    """The labels of ticks that are not drawn: outside the limits of their axis, or of axes that are off."""
    found: list[Any] = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not (low <= tick.get_loc() <= high and axes.axison and axes.get_visible()):
                found += [tick.label1, tick.label2]
    return found
