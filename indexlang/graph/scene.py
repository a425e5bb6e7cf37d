"""A graph with coordinates: boxes, and the curves between them. y grows downwards; the corner is at 0, 0."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexlang.graph.metrics import shortened, text_width
from indexlang.graph.nodes import Graph, Node
from indexlang.graph.order import ordered
from indexlang.graph.place import columns
from indexlang.graph.ranks import Rows, in_rows

SIZE = 12.0  # of the font
LINE = 16.0
_MARGIN = 16.0
_INSIDE = 12.0  # beside the text of a box
_BETWEEN = 26.0  # two rows, more where a link goes far to the side
_LANE = 4.0
_LONGEST = 44  # characters of a line


@dataclass(frozen=True, slots=True)
class Box:
    """A node with its corner, its extents, and the lines that stand in it."""

    node: Node
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Where links meet it, from left to right."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Curve:
    """A link between two rows, from above down: straight, or an S. `is_end`: a box is below, so an arrow points at it."""

    tail: tuple[float, float]
    head: tuple[float, float]
    is_end: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be drawn; `curves` of a lane pass the rows straight, between the boxes."""

    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    width: float
    height: float


def scene(graph: Graph) -> Scene:
    """The layout of a graph. No two boxes overlap, and no curve passes through one.

    Cost: about linear in the nodes and in the rows that edges pass by. The same graph gives the same scene.
    """
    texts = tuple(lines_of(n) for n in graph.nodes)
    rows = ordered(in_rows(len(graph.nodes), graph.edges), len(graph.nodes))
    widths = [_width(t) for t in texts] + [_LANE] * (len(rows.row) - len(texts))
    heights = [LINE * len(t) + 10 for t in texts] + [0.0] * (len(rows.row) - len(texts))
    x = columns(rows, widths)
    lowest = min((x[p] - widths[p] / 2 for p in range(len(x))), default=0.0)
    x = [round(v - lowest + _MARGIN, 1) for v in x]
    tops, tall = _tops(rows, x, heights)
    boxes: list[Box] = []
    for n, node in enumerate(graph.nodes):
        y = tops[rows.row[n]] + (tall[rows.row[n]] - heights[n]) / 2
        boxes.append(Box(node, texts[n], x[n] - widths[n] / 2, y, widths[n], heights[n]))
    curves = tuple(_curves(rows, x, boxes, tops, tall))
    right = max((x[p] + widths[p] / 2 for p in range(len(x))), default=0.0)
    bottom = tops[-1] + tall[-1] if tops else 0.0
    return Scene(tuple(boxes), curves, round(right + _MARGIN, 1), round(bottom + _MARGIN, 1))


def lines_of(n: Node) -> tuple[str, ...]:
    """What stands in a node, line by line: what makes it, what follows, its name and extents.

    The name of what the text gives no name of its own (`L2.MaxPool`) is left out.
    """
    is_told = n.title == n.name or "." in n.name
    last = "  ".join(part for part in ("" if is_told else n.name, n.extents) if part)
    lines = (n.title, ", ".join(n.then), last)
    return tuple(shortened(" ".join(line.split("\n")), _LONGEST) for line in lines if line)


def _width(lines: Sequence[str]) -> float:
    bold = 1.06 * text_width(lines[0], SIZE) if lines else 0.0
    widest = max([bold, *(text_width(line, SIZE - 1) for line in lines[1:])])
    return round(widest + 2 * _INSIDE)


def _tops(rows: Rows, x: list[float], heights: list[float]) -> tuple[list[float], list[float]]:
    """Where each row begins, and how high it is."""
    tall = [max(heights[p] for p in row) for row in rows.rows]
    far = [0.0] * len(rows.rows)
    for a, b in rows.links:
        far[rows.row[a]] = max(far[rows.row[a]], abs(x[a] - x[b]))
    tops: list[float] = []
    y = _MARGIN
    for n, height in enumerate(tall):
        tops.append(round(y, 1))
        y += height + _BETWEEN + min(far[n] / 12, 60.0)
    return tops, tall


def _curves(rows: Rows, x: list[float], boxes: list[Box], tops: list[float], tall: list[float]) -> list[Curve]:
    out: list[Curve] = []
    for a, b in sorted(rows.links):
        upper, lower = rows.row[a], rows.row[b]
        start = (x[a], tops[upper] + tall[upper])
        end = (x[b], tops[lower])
        if a < len(boxes):
            start = (_port(boxes[a], x[b]), boxes[a].y + boxes[a].height)
        if b < len(boxes):
            end = (_port(boxes[b], x[a]), boxes[b].y)
        out.append(Curve(start, end, b < len(boxes)))
    for lane in rows.lanes:
        for place in lane:
            n = rows.row[place]
            out.append(Curve((x[place], tops[n]), (x[place], tops[n] + tall[n]), is_end=False))
    return out


def _port(box: Box, towards: float) -> float:
    """Where a link meets a box: straight under its other end if it can, else towards it."""
    most = box.width * 0.3
    return round(box.middle + min(max(towards - box.middle, -most), most), 1)
