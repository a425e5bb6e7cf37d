"""How a product is cut into pieces of work: what a piece costs, counted in cycles of one core.

A piece computes some rows and columns for all terms. It fetches its part of both operands from afar, so large pieces read
less; small ones keep all cores busy to the end, and what they work on stays in a cache. Nothing is timed here: the numbers
are those of no machine in particular, and only have to tell good cuts from bad ones.
"""

from dataclasses import dataclass

_COMPUTE = 1 / 2  # of a vector multiply-add, in registers
_COPY, _READ, _WRITE = 0.7, 0.5, 1.0  # of four bytes: fetched and copied, fetched, written and fetched again by others
_BEGIN = 64  # elements of a row that could have been fetched until the first of them is there
_STACK = 1 << 19  # bytes of it that a copy may take
_UNEVEN = 0.5  # of a piece: how long a core waits for the others at the end, on average


@dataclass(frozen=True, slots=True)
class Product:
    """A contraction as it is to be cut: its extents, the register tile, and the machine.

    batches    products side by side      at_once  terms of both operands that are in the cache together
    tile       rows and columns of the register tile
    lanes      elements of a vector      itemsize  bytes of an element
    cores      that take pieces          near      bytes of the cache that each has for itself
    """

    rows: int
    columns: int
    terms: int
    batches: int
    at_once: int
    tile: tuple[int, int]
    lanes: int
    itemsize: int
    cores: int
    near: int


def pieces(p: Product) -> tuple[int, int]:
    """Rows and columns of the pieces that take least time: whole tiles, the columns doubled from one tile on.

    cost  about 0.1 ms
    """
    height, width = p.tile
    best: tuple[float, int, int] | None = None
    columns = width
    while True:
        for blocks in _counts(-(-p.rows // height)):
            rows = -(-p.rows // (blocks * height)) * height
            if columns == width or _fits(p, rows, columns):
                found = (_time(p, rows, columns), rows, columns)
                best = min(best or found, found)
        if columns >= p.columns:
            break
        columns *= 2
    assert best is not None
    return best[1:]


def _counts(most: int) -> tuple[int, ...]:
    """Into how many blocks rows may go: 1, 2, 3, 4, 6, 8, …"""
    return tuple(n for k in range(most.bit_length()) for n in sorted({1 << k, 3 << k >> 1}) if n <= most)


def _fits(p: Product, rows: int, columns: int) -> bool:
    """Whether what a piece works on in a round leaves room for what comes next, and the stack has room for the copy."""
    copied = p.at_once * columns * p.itemsize
    taken = copied + (p.at_once + columns) * rows * p.itemsize
    return 4 * taken <= 3 * p.near and copied <= min(p.near // 4, _STACK)


def _time(p: Product, rows: int, columns: int) -> float:
    """Until the last piece is done: all of them on as many cores, and a part of one more."""
    across, down = -(-p.columns // columns), -(-p.rows // rows)
    words = p.itemsize / 4
    stays = p.terms * p.rows * p.itemsize * 4 <= p.near  # for the next pieces
    read = _READ * rows * p.terms / (across if stays else 1)
    along = (_COPY * p.terms + _WRITE * rows) * (columns + (_BEGIN if across > 1 else 0))
    moved = (along + read) * words
    cost = _COMPUTE * rows * columns * p.terms / p.lanes + moved
    count = p.batches * across * down
    return cost * (-(-count // p.cores) + _UNEVEN)
