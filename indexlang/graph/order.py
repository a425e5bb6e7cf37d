"""The order of nodes and lanes in their rows.

What the main way leaves over falls into pieces: a branch, or a lane. Lanes go to its right, short ones inside; branches
to both sides in turn. Then barycentres, down and up (Sugiyama, Tagawa and Toda, 1981); an order is kept only if fewer
links cross.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import replace

from indexlang.graph.ranks import Rows

_SWEEPS = 8
_MOST = 400_000  # links looked at in all sweeps together; pictures beyond that stay as the pieces lie


def ordered(rows: Rows, nodes: int) -> Rows:
    """The same rows, each in the order in which it is drawn. The first `nodes` places are nodes."""
    best = _by_pieces(rows, nodes)
    fewest = crossings(best)
    now = best
    for sweep in range(min(_SWEEPS, _MOST // max(len(rows.links), 1))):
        if not fewest:
            break
        now = _swept_down(now) if sweep % 2 == 0 else _swept_up(now)
        found = crossings(now)
        if found < fewest:
            best, fewest = now, found
    return best


def crossings(rows: Rows) -> int:
    """How many pairs of links cross. Cost: links times the logarithm of their number."""
    at = _places(rows)
    between: dict[int, list[tuple[int, int]]] = {}
    for a, b in rows.links:
        between.setdefault(rows.row[a], []).append((at[a], at[b]))
    return sum(_inversions([b for _, b in sorted(pairs)]) for pairs in between.values())


def _inversions(values: Sequence[int]) -> int:
    seen: list[int] = []
    count = 0
    for v in values:
        count += len(seen) - bisect_right(seen, v)
        insort(seen, v)
    return count


def _places(rows: Rows) -> dict[int, int]:
    return {place: n for row in rows.rows for n, place in enumerate(row)}


# -- pieces


def _by_pieces(rows: Rows, nodes: int) -> Rows:
    """Every piece on one side of the main way, the short ones nearer to it."""
    main = set(rows.main)
    rank: dict[int, tuple[int, int]] = dict.fromkeys(main, (0, 0))
    balance = 0
    pieces = sorted(_pieces(rows, main), key=lambda p: (_height(p, rows), p[0]))
    for n, piece in enumerate(pieces, 1):
        is_lane = all(place >= nodes for place in piece)
        side = 1 if is_lane or balance <= 0 else -1
        balance += 0 if is_lane else side * len(piece)
        rank.update(dict.fromkeys(piece, (side * n, 0)))
    return replace(rows, rows=tuple(tuple(sorted(row, key=lambda p: (rank[p][0], p))) for row in rows.rows))


def _height(piece: list[int], rows: Rows) -> int:
    return rows.row[piece[-1]] - rows.row[piece[0]]


def _pieces(rows: Rows, main: set[int]) -> list[list[int]]:
    """What hangs together without the main way; each piece from its top row to its lowest one."""
    next_to: dict[int, list[int]] = {}
    for a, b in rows.links:
        if a not in main and b not in main:
            next_to.setdefault(a, []).append(b)
            next_to.setdefault(b, []).append(a)
    seen = set(main)
    out: list[list[int]] = []
    for start in range(len(rows.row)):
        if start in seen:
            continue
        seen.add(start)
        piece = [start]
        for place in piece:
            fresh = [p for p in next_to.get(place, ()) if p not in seen]
            seen.update(fresh)
            piece += dict.fromkeys(fresh)
        out.append(sorted(piece, key=lambda p: (rows.row[p], p)))
    return out


# -- sweeps


def _swept_down(rows: Rows) -> Rows:
    above: dict[int, list[int]] = {}
    for a, b in rows.links:
        above.setdefault(b, []).append(a)
    return replace(rows, rows=tuple(_swept(rows.rows, above)))


def _swept_up(rows: Rows) -> Rows:
    below: dict[int, list[int]] = {}
    for a, b in rows.links:
        below.setdefault(a, []).append(b)
    return replace(rows, rows=tuple(reversed(_swept(rows.rows[::-1], below))))


def _swept(rows: tuple[tuple[int, ...], ...], before: dict[int, list[int]]) -> list[tuple[int, ...]]:
    """Each row sorted by the mean place of what its members are linked to in the row before."""
    out: list[tuple[int, ...]] = []
    at: dict[int, int] = {}
    for row in rows:
        own = {place: n for n, place in enumerate(row)}
        out.append(tuple(sorted(row, key=lambda p: (_mean([at[q] for q in before.get(p, ())], own[p]), own[p]))))
        at.update((place, n) for n, place in enumerate(out[-1]))
    return out


def _mean(places: list[int], otherwise: int) -> float:
    return sum(places) / len(places) if places else otherwise
