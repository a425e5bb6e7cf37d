"""SVG and Graphviz: well-formed whatever the names are, and found by the command line."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from commandline import indexlang

import indexlang as il
from indexlang.graph.dot import dot, quoted
from indexlang.graph.nodes import Graph, Kind, Node
from indexlang.graph.svg import svg, xml

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>x</script>&\"'\\\n\x07]]>\ud800"
NET = "input X[B, 4]\nparam W[4, 3]\nY[b,j] = relu(sum W[i,j]*X[b,i])\nZ[b,j] = Y[b,j] + 1\noutput Z\n"


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode("utf-8"))


def test_a_picture_is_xml_with_a_title() -> None:
    root = parsed(il.compile(NET).svg())
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == "X → Z"
    assert "2 nodes, 1 edges" in (root.findtext(f"{SVG}desc") or "")
    boxes = root.findall(f"{SVG}g")
    assert [b.get("class") for b in boxes] == ["input", "contraction output"]
    assert boxes[1].findtext(f"{SVG}title") == ("Y[b:B,j:3] = relu(sum[i:4](W[i,j]*X[b,i]))\nZ[b:B,j:3] = Y[b,j] + 1")
    assert [t.text for t in boxes[1].findall(f"{SVG}text")] == ["sum 4, relu", "Y + 1", "Z  B×3"]


def test_hostile_names_stay_text() -> None:
    node = Node(HOSTILE, Kind.INPUT, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE, is_output=True)
    root = parsed(svg(Graph((node,), ()), HOSTILE))
    assert not list(root.iter("script"))
    assert not list(root.iter(f"{SVG}script"))
    shown = root.findtext(f"{SVG}g/{SVG}title") or ""
    assert shown == HOSTILE.replace("\x07", "\ufffd").replace("\ud800", "\ufffd")


@pytest.mark.parametrize(("text", "expected"), [
    ("a<b>&c", "a&lt;b&gt;&amp;c"), ('"', "&quot;"), ("\x00\ufffe", "\ufffd\ufffd"), ("μ̂ 𝄞", "μ̂ 𝄞"),
])  # fmt: skip
def test_xml(text: str, expected: str) -> None:
    assert xml(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ('a"b', r'"a\"b"'), ("a\\", '"a\\\\"'), ("a\nb", r'"a\nb"'), ("", '""'),
])  # fmt: skip
def test_strings_of_graphviz(text: str, expected: str) -> None:
    assert quoted(text) == expected


def test_a_graph_for_graphviz() -> None:
    nodes = (
        Node("X", Kind.INPUT, "X", (), "4", "input X[4]", is_output=False),
        Node("Y", Kind.STEP, "relu", (), "4", "Y[i:4] = relu(X[i])", is_output=True),
    )
    lines = dot(Graph(nodes, ((0, 1),)), 'a "net"').split("\n")
    assert lines[0] == r'digraph "a \"net\"" {'
    assert lines[2].startswith(r'  n0 [label="X\n4", tooltip="input X[4]", shape=box')
    assert lines[3].endswith("peripheries=2];")
    assert lines[4:6] == ["  n0 -> n1;", "}"]


def test_the_same_program_gives_the_same_picture() -> None:
    assert il.compile(NET).svg() == il.compile(NET).svg()


# -- the command line


@pytest.fixture
def net(tmp_path: Path) -> str:
    path = tmp_path / "net.idx"
    path.write_text(NET, encoding="utf-8")
    return str(path)


def test_show_writes_a_picture(net: str, tmp_path: Path) -> None:
    target = tmp_path / "net.svg"
    ended = indexlang("show", net, "--svg", "-o", str(target))
    assert ended.exit == 0, ended.err
    assert parsed(target.read_text(encoding="utf-8")).tag == f"{SVG}svg"


def test_show_prints_a_graph(net: str) -> None:
    ended = indexlang("show", net, "--dot", "-D", "B=2")
    assert ended.exit == 0, ended.err
    assert "2×3" in ended.out


@pytest.mark.parametrize("flags", [
    ("--svg", "--dot"), ("--svg", "--stage", "typed"), ("--dot", "--equation", "Y"), ("--latex", "--summary"),
    ("--summary", "--equation", "Y"), ("--latex", "--stage", "nest"),
])  # fmt: skip
def test_flags_that_exclude_each_other(net: str, flags: tuple[str, ...]) -> None:
    ended = indexlang("show", net, *flags)
    assert ended.exit == 2
    assert "does not go with" in ended.err
