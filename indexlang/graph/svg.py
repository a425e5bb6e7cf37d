"""A scene as SVG: text, boxes and curves, without scripts, fonts or pictures from elsewhere."""

from collections.abc import Iterator
from html import escape
from itertools import groupby

from indexlang.graph.nodes import Graph
from indexlang.graph.scene import LINE, SIZE, Box, Curve, Scene, scene

_STYLE = """
text { font: 11px system-ui, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #55585e; text-anchor: middle }
.t { font-size: 12px; font-weight: 600; fill: #1b1d21 }
.page { fill: #ffffff }
.edge { fill: none; stroke: #8a8f98; stroke-width: 1.4 }
.tip { fill: #8a8f98 }
rect { stroke: #b3b8c0; stroke-width: 1; fill: #f6f7f9 }
.page { stroke: none }
.input rect { fill: #dfeaf7; stroke: #86a8d0 }
.param rect { fill: #eceded; stroke: #b3b8c0; stroke-dasharray: 3 2 }
.contraction rect { fill: #fbf0df; stroke: #d3ab6d }
.join rect { fill: #ebe4f5; stroke: #a78fcb }
.output rect { stroke-width: 2.4 }
@media (prefers-color-scheme: dark) {
text { fill: #a9aeb7 }
.t { fill: #f0f1f3 }
.page { fill: #16181c }
.edge { stroke: #6f757f }
.tip { fill: #6f757f }
rect { fill: #22252b; stroke: #4b515b }
.page { stroke: none }
.input rect { fill: #1d2f45; stroke: #46689a }
.param rect { fill: #26282c; stroke: #4b515b }
.contraction rect { fill: #3b2f1b; stroke: #8d6d35 }
.join rect { fill: #2f2640; stroke: #6d5796 }
}
"""


def svg(graph: Graph, name: str) -> str:
    """The picture of a graph, one XML document; `name` is its title."""
    found = scene(graph)
    return "\n".join([*_head(found, graph, name), *_edges(found), *map(_box, found.boxes), "</svg>"]) + "\n"


def _head(found: Scene, graph: Graph, name: str) -> Iterator[str]:
    w, h = _number(found.width), _number(found.height)
    shown = xml(name)
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-labelledby="title about">'
    yield f'<title id="title">{shown}</title>'
    yield f'<desc id="about">{xml(_about(graph))}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="page" width="{w}" height="{h}"/>'


def _about(graph: Graph) -> str:
    ends = ", ".join(n.name for n in graph.nodes if n.is_output)
    return f"The data flow of a program, from above down: {len(graph.nodes)} nodes, {len(graph.edges)} edges. It returns {ends or 'nothing'}."


def _edges(found: Scene) -> Iterator[str]:
    for _, run in groupby(found.curves, key=lambda c: c.tail[0]):
        yield f'<path class="edge" d="{"".join(map(_curve, run))}"/>'
    tips = "".join(_tip(c) for c in found.curves if c.is_end)
    if tips:
        yield f'<path class="tip" d="{tips}"/>'


def _curve(c: Curve) -> str:
    (x, y), (u, v) = c.tail, c.head
    start = f"M{_number(x)} {_number(y)}"
    if x == u:
        return f"{start}V{_number(v)}"
    half = _number((y + v) / 2)
    return f"{start}C{_number(x)} {half} {_number(u)} {half} {_number(u)} {_number(v)}"


def _tip(c: Curve) -> str:
    x, y = c.head
    return f"M{_number(x)} {_number(y)}l-3.5 -6h7z"


def _box(b: Box) -> str:
    kinds = b.node.kind.value + (" output" if b.node.is_output else "")
    corner = 10 if b.node.kind.value == "input" else 4
    place = (
        f'x="{_number(b.x)}" y="{_number(b.y)}" width="{_number(b.width)}" height="{_number(b.height)}" rx="{corner}"'
    )
    lines = "".join(_line(b, n, text) for n, text in enumerate(b.lines))
    return f'<g class="{kinds}"><title>{xml(b.node.text)}</title><rect {place}/>{lines}</g>'


def _line(b: Box, n: int, text: str) -> str:
    y = b.y + 5 + LINE * n + SIZE
    kind = ' class="t"' if n == 0 else ""
    return f'<text{kind} x="{_number(b.middle)}" y="{_number(y)}">{xml(text)}</text>'


def _number(value: float) -> str:
    return f"{round(value, 1):g}" if abs(value) < 1e5 else f"{round(value, 1):.1f}"


def xml(text: str) -> str:
    """Text for XML: `&`, `<`, `>` and quotes as entities; what XML 1.0 cannot hold as the sign for that."""
    return escape("".join(c if _is_allowed(c) else "\ufffd" for c in text))


def _is_allowed(c: str) -> bool:
    return c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
