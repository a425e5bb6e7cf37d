"""From a program to a picture of it. Loaded when a network is first drawn."""

from indexlang.graph.build import graph
from indexlang.graph.dot import dot
from indexlang.graph.svg import svg
from indexlang.ir.equation import Program


def svg_of(program: Program, title: str) -> str:
    """The picture of a program, as an SVG document."""
    return svg(graph(program), title)


def dot_of(program: Program, title: str) -> str:
    """The same in the language of Graphviz."""
    return dot(graph(program), title)


__all__ = ["dot_of", "svg_of"]
