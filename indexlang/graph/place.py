"""Coordinates: what hangs together in a straight line is one block, and blocks are set beside the main way.

Blocks after Brandes and Köpf, Fast and simple horizontal coordinate assignment, 2001: links that do not cross, at most
one up and one down for each place. The main way is the block at 0; others lie as near to it as their rows allow.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import pairwise
from math import inf

from indexlang.graph.ranks import Link, Rows

GAP = 22.0  # between neighbours in a row
_ROUNDS = 6


def columns(rows: Rows, widths: Sequence[float]) -> list[float]:
    """The x of the middle of each place; rows are in their order. Cost: a few times the number of links."""
    blocks = _blocks(rows)
    block = {place: n for n, members in enumerate(blocks) for place in members}
    right: dict[int, dict[int, float]] = {n: {} for n in range(len(blocks))}
    left: dict[int, dict[int, float]] = {n: {} for n in range(len(blocks))}
    for row in rows.rows:
        for a, b in pairwise(row):
            apart = (widths[a] + widths[b]) / 2 + GAP
            p, q = block[a], block[b]
            right[p][q] = left[q][p] = max(apart, right[p].get(q, 0.0))
    order = _sorted_out(right, left)
    x = _packed(order, right, left, block[rows.main[0]] if rows.main else 0)
    _relax(x, order, right, left, _pulls(rows, block), block[rows.main[0]] if rows.main else 0)
    return [x[block[place]] for place in range(len(rows.row))]


# -- blocks


def _blocks(rows: Rows) -> list[list[int]]:
    at = {place: n for row in rows.rows for n, place in enumerate(row)}
    taken: dict[int, list[Link]] = {}
    down: dict[int, int] = {}
    up: dict[int, int] = {}
    for a, b in _by_importance(rows):
        if a in down or b in up:
            continue
        pairs = taken.setdefault(rows.row[a], [])
        pair = (at[a], at[b])
        n = bisect_left(pairs, pair)
        if (n and pairs[n - 1][1] >= pair[1]) or (n < len(pairs) and pairs[n][1] <= pair[1]):
            continue
        insort(pairs, pair)
        down[a], up[b] = b, a
    out: list[list[int]] = []
    for start in range(len(rows.row)):
        if start not in up:
            members = [start]
            while members[-1] in down:
                members.append(down[members[-1]])
            out.append(members)
    return out


def _by_importance(rows: Rows) -> list[Link]:
    """The main way first, then lanes, then all other links, those of few neighbours first."""
    main = list(pairwise(rows.main))
    inside = [link for lane in rows.lanes for link in pairwise(lane)]
    known = set(main) | set(inside)
    count: dict[int, int] = {}
    for a, b in rows.links:
        count[~a] = count.get(~a, 0) + 1
        count[b] = count.get(b, 0) + 1
    rest = sorted((k for k in rows.links if k not in known), key=lambda k: (count[~k[0]] + count[k[1]], k))
    return [*main, *inside, *rest]


# -- positions

Apart = dict[int, dict[int, float]]


def _sorted_out(right: Apart, left: Apart) -> list[int]:
    """The blocks from left to right."""
    waiting = {n: len(left[n]) for n in left}
    order = [n for n in waiting if not waiting[n]]
    for n in order:
        for m in right[n]:
            waiting[m] -= 1
            if not waiting[m]:
                order.append(m)
    return order


def _packed(order: list[int], right: Apart, left: Apart, main: int) -> dict[int, float]:
    """The main way at 0, and the others as near to it as they may be: every row has a place of it."""
    x = {main: 0.0}
    for n in order:
        beside = [x[m] + apart for m, apart in left[n].items() if m in x and x[m] >= 0]
        if n != main and beside:
            x[n] = max(beside)
    for n in reversed(order):
        beside = [x[m] - apart for m, apart in right[n].items() if m in x and x[m] <= 0]
        if n not in x and beside:
            x[n] = min(beside)
    return x


def _pulls(rows: Rows, block: dict[int, int]) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for a, b in rows.links:
        if block[a] != block[b]:
            out.setdefault(block[a], []).append(block[b])
            out.setdefault(block[b], []).append(block[a])
    return out


def _relax(
    x: dict[int, float], order: list[int], right: Apart, left: Apart, pulls: dict[int, list[int]], main: int
) -> None:
    """Move blocks between their neighbours towards what they are linked to."""
    for turn in range(_ROUNDS):
        for n in order if turn % 2 else reversed(order):
            if n == main or n not in pulls:
                continue
            wanted = sum(x[m] for m in pulls[n]) / len(pulls[n])
            least = max((x[m] + apart for m, apart in left[n].items()), default=-inf)
            most = min((x[m] - apart for m, apart in right[n].items()), default=inf)
            x[n] = max(least, min(wanted, most))
