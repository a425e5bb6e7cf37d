"""A graph as text for Graphviz."""

from indexlang.graph.nodes import Graph, Kind, Node
from indexlang.graph.scene import lines_of

_SHAPES = {
    Kind.INPUT: 'shape=box, style="rounded,filled", fillcolor="#dce9f7"',
    Kind.PARAM: 'shape=box, style="rounded,filled", fillcolor="#eeeeee"',
    Kind.CONTRACTION: 'shape=box, style=filled, fillcolor="#f7ead8"',
    Kind.JOIN: 'shape=box, style=filled, fillcolor="#e9e2f3"',
    Kind.STEP: 'shape=box, style=filled, fillcolor="#ffffff"',
}


def dot(graph: Graph, name: str) -> str:
    """The graph in the language of `dot`: nodes `n0`, `n1`, … in an order in which they can be computed."""
    lines = [f"digraph {quoted(name)} {{", '  node [fontname="Helvetica", fontsize=11];']
    lines += [f"  n{k} [{_attributes(n)}];" for k, n in enumerate(graph.nodes)]
    lines += [f"  n{a} -> n{b};" for a, b in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _attributes(n: Node) -> str:
    label = "\n".join(lines_of(n))
    border = ", peripheries=2" if n.is_output else ""
    return f"label={quoted(label)}, tooltip={quoted(n.text)}, {_SHAPES[n.kind]}{border}"


def quoted(text: str) -> str:
    """A string of the language; line breaks stay line breaks."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'
