"""Rows and columns: boxes apart, curves between them, the main way straight."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexlang.graph.metrics import text_width
from indexlang.graph.nodes import Graph, Kind, Node
from indexlang.graph.order import crossings, ordered
from indexlang.graph.ranks import Link, in_rows
from indexlang.graph.scene import Box, Curve, Scene, scene


def drawn(edges: Sequence[Link], count: int | None = None) -> tuple[Graph, Scene]:
    size = count if count is not None else max((b for _, b in edges), default=0) + 1
    nodes = tuple(
        Node(f"N{n}", Kind.STEP, "step" * (n % 4 + 1), ("relu",) * (n % 2), "4×4", "", is_output=n == size - 1)
        for n in range(size)
    )
    graph = Graph(nodes, tuple(sorted(set(edges))))
    return graph, scene(graph)


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def points(c: Curve) -> list[tuple[float, float]]:
    """The curve that `svg` draws, sampled."""
    (x, y), (u, v) = c.tail, c.head
    half = (y + v) / 2
    ts = [n / 24 for n in range(25)]
    weights = [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3) for t in ts]
    return [(x * (a + b) + u * (c + d), y * a + half * (b + c) + v * d) for a, b, c, d in weights]


def assert_clean(found: Scene) -> None:
    for n, box in enumerate(found.boxes):
        assert not any(overlap(box, other) for other in found.boxes[:n])
        assert box.x >= 0
        assert box.x + box.width <= found.width
        assert box.y + box.height <= found.height
    inner = [(b.x + 1, b.x + b.width - 1, b.y + 1, b.y + b.height - 1) for b in found.boxes]
    for curve in found.curves:
        assert curve.tail[1] <= curve.head[1] + 1e-9
        for x, y in points(curve):
            assert not any(left < x < right and top < y < bottom for left, right, top, bottom in inner)
            assert 0 <= x <= found.width


GRAPHS: list[tuple[str, list[Link], int]] = [
    ("a chain", [(n, n + 1) for n in range(6)], 0),
    ("a skip", [(0, 1), (1, 2), (0, 2)], 0),
    ("nested skips", [(n, n + 1) for n in range(6)] + [(0, 6), (1, 5), (2, 4)], 0),
    ("four branches", [(0, 1), (0, 2), (0, 3), (0, 4), (1, 5), (2, 6), (3, 6), (4, 6), (5, 6)], 0),
    ("all earlier ones", [(a, b) for b in range(8) for a in range(b)], 13),
    ("two that cross", [(0, 3), (1, 2), (0, 2), (1, 3)], 1),
]


@pytest.mark.parametrize(("edges", "most"), [pytest.param(e, m, id=n) for n, e, m in GRAPHS])
def test_graphs(edges: list[Link], most: int) -> None:
    graph, found = drawn(edges)
    assert_clean(found)
    rows = ordered(in_rows(len(graph.nodes), graph.edges), len(graph.nodes))
    assert crossings(rows) <= most


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Link], int]:
    size = draw(st.integers(1, 14))
    pairs = [(a, b) for b in range(size) for a in range(b)]
    return draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24)) if pairs else [], size


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_any_graph(made: tuple[list[Link], int]) -> None:
    edges, size = made
    graph, found = drawn(edges, size)
    assert_clean(found)
    assert drawn(list(reversed(edges)), size)[1] == found
    rows = in_rows(size, graph.edges)
    assert len(found.boxes) == size
    assert len({round(found.boxes[n].middle, 1) for n in rows.main}) == 1, "the main way is a straight line"
    assert len(rows.main) == len(rows.rows)


def test_edges_of_a_node_share_a_lane() -> None:
    rows = in_rows(5, ((0, 1), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4)))
    assert [len(lane) for lane in rows.lanes] == [3]


def test_an_edge_for_every_way_down() -> None:
    """Each edge can be followed along links: from its tail, through one lane, to its head."""
    edges = ((0, 1), (0, 2), (0, 4), (1, 2), (2, 3), (3, 4), (1, 4))
    rows = in_rows(5, edges)
    after: dict[int, set[int]] = {}
    for a, b in rows.links:
        after.setdefault(a, set()).add(b)

    def heads(place: int) -> set[int]:
        return {head for p in after.get(place, ()) for head in ({p} if p < 5 else heads(p))}

    assert {(a, b) for a in range(5) for b in heads(a)} == set(edges)


def test_nothing() -> None:
    assert scene(Graph((), ())).boxes == ()


def test_the_places_of_a_long_chain_are_few() -> None:
    """Every node reads the input, and the one before: a lane has a place a row, whoever leaves it on the way."""
    edges = tuple(sorted({(n, n + 1) for n in range(999)} | {(0, n) for n in range(2, 1000)}))
    rows = in_rows(1000, edges)
    assert len(rows.row) <= 2000
    assert len(rows.links) <= 3000


@pytest.mark.parametrize(
    ("narrow", "wide"), [("i", "a"), ("a", "A"), ("A", "W"), ("+", "W"), ("W", "界"), ("e", "e\u0301e")]
)
def test_wider_signs_get_more_room(narrow: str, wide: str) -> None:
    assert text_width(narrow, 10) < text_width(wide, 10)


def test_a_sign_above_another_takes_no_room() -> None:
    assert text_width("y\u0302", 10) == text_width("y", 10)
