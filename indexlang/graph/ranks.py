"""Rows for the nodes of a graph, and lanes for the edges that pass rows by.

Every node stands one row below the lowest node that it reads (longest paths; Sugiyama, Tagawa and Toda, 1981), and what
reads nothing just above its first reader. All edges of a node that pass rows by share one lane: a column of empty places,
one a row.

before   0 → 1 → 2 → 3,  0 → 3
after    rows 0: node 0,  1: node 1, lane of 0,  2: node 2, lane of 0,  3: node 3
"""

from dataclasses import dataclass

Link = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rows:
    """Nodes and the places of lanes in rows; places are numbered on from the nodes.

    rows   row by row: nodes and places              row    of each of them
    links  from a row to the next, upper end first   lanes  the places of each lane, downwards
    main   the longest way through the graph: a node in every row
    """

    rows: tuple[tuple[int, ...], ...]
    row: tuple[int, ...]
    links: tuple[Link, ...]
    lanes: tuple[tuple[int, ...], ...]
    main: tuple[int, ...]


def in_rows(count: int, edges: tuple[Link, ...]) -> Rows:
    """Rows for nodes 0 … count-1, whose edges go from smaller numbers to larger ones.

    Cost: linear in edges, and in the rows that the lanes pass.
    """
    row = _longest_from_above(count, edges)
    main = _longest_way(count, edges, row)
    row = _nearer(row, edges)
    links = [(a, b) for a, b in edges if row[b] == row[a] + 1]
    lanes: list[tuple[int, ...]] = []
    for a, heads in _long_edges(edges, row).items():
        start, length = len(row), max(row[b] for b in heads) - row[a] - 1
        lane = tuple(range(start, start + length))
        lanes.append(lane)
        row += range(row[a] + 1, row[a] + 1 + length)
        links += zip((a, *lane), lane, strict=False)
        links += [(lane[row[b] - row[a] - 2], b) for b in heads]
    rows: list[list[int]] = [[] for _ in range(max(row, default=-1) + 1)]
    for place, n in enumerate(row):
        rows[n].append(place)
    return Rows(tuple(map(tuple, rows)), tuple(row), tuple(links), tuple(lanes), main)


def _longest_from_above(count: int, edges: tuple[Link, ...]) -> list[int]:
    row = [0] * count
    for a, b in sorted(edges, key=lambda e: e[1]):
        row[b] = max(row[b], row[a] + 1)
    return row


def _nearer(row: list[int], edges: tuple[Link, ...]) -> list[int]:
    """What reads nothing stands just above its first reader."""
    first: dict[int, int] = {}
    for a, b in edges:
        first[a] = min(first.get(a, row[b]), row[b])
    heads = {b for _, b in edges}
    return [first[n] - 1 if n in first and n not in heads else r for n, r in enumerate(row)]


def _longest_way(count: int, edges: tuple[Link, ...], row: list[int]) -> tuple[int, ...]:
    if not count:
        return ()
    above: dict[int, int] = {}
    for a, b in edges:
        if row[b] == row[a] + 1:
            above.setdefault(b, a)
    way = [max(range(count), key=lambda n: (row[n], -n))]
    while way[-1] in above:
        way.append(above[way[-1]])
    return tuple(reversed(way))


def _long_edges(edges: tuple[Link, ...], row: list[int]) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for a, b in edges:
        if row[b] > row[a] + 1:
            out.setdefault(a, []).append(b)
    return out
