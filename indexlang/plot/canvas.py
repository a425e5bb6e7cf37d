"""Where pictures are drawn and how they are written: matplotlib's own objects, one look, the same bytes each time."""

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexlang.interop.disk import check_place, written_aside
from indexlang.interop.packages import optional

Figure = Any  # matplotlib is optional, and loaded when something is drawn
Axes = Any

ENDINGS = (".png", ".svg")
DPI = 150
LONGEST = 44  # characters of a name in a legend or a title

# The palette of Okabe and Ito, which colour-blind readers can tell apart; its yellow is too light for lines.
BLUE, RED, GREEN, PURPLE, ORANGE, SKY, BLACK = COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
)  # fmt: skip
GREY = "#6E6E6E"

_LOOK = {
    "svg.hashsalt": "indexlang",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "figure.titlesize": 11.0,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "lines.solid_capstyle": "round",
    "image.interpolation": "nearest",
}


@contextmanager
def canvas(path: Path, width: float, height: float) -> Generator[Figure, None, None]:
    """A figure to draw on, in inches; it is written to `path` when the block ends well.

    path    ends in .png or .svg; written aside, then renamed. The same drawing gives the same bytes
    errors  E0802 without matplotlib; E0705 for another ending, and where the file cannot be written
    """
    check_path(path)
    library = part("")
    with library.rc_context():
        library.rcdefaults()  # a reader's own settings would give other pictures
        library.rcParams.update(_LOOK)
        figure = part("figure").Figure(figsize=(width, height), layout="constrained")
        yield figure
        _write(figure, path)


def check_path(path: Path) -> None:
    """Refuse, before anything is read, what cannot be written to (E0705)."""
    check_place(path, ENDINGS, ".png or .svg")


def part(name: str) -> Any:
    """A module of matplotlib; '' is the package itself. Raises DataError E0802."""
    return optional(f"matplotlib.{name}" if name else "matplotlib", "drawing", "matplotlib", "plot")


def plain(text: str) -> str:
    """`text` as it is: matplotlib would set what stands between dollars as a formula."""
    return text.replace("$", r"\$")


def short(name: str, longest: int = LONGEST) -> str:
    """A name with its middle left out where it is too long: both ends tell runs apart."""
    half = (longest - 1) // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def legend(figure: Figure, handles: Sequence[Any], columns: int) -> None:
    """A legend below all panels. Each handle has its label."""
    labels = [plain(h.get_label()) for h in handles]
    made = figure.legend(handles, ["-"] * len(labels), loc="outside lower center", ncols=columns)
    for text, label in zip(made.get_texts(), labels, strict=True):
        text.set_text(label)  # a label that begins with `_` would be left out


def _write(figure: Figure, path: Path) -> None:
    form = path.suffix.lower()[1:]
    metadata = {"Date": None} if form == "svg" else {}
    with written_aside(path) as aside, warnings.catch_warnings(action="ignore"):  # letters that the font lacks
        figure.savefig(aside, format=form, dpi=DPI, metadata=metadata)
