"""A tensor with a constant border around it, as parts: the interior, which `embed` makes a view, and the slabs outside.

before   P[u:6] = L[u-1 else 0]                      (L of 4)
after    P[1+u:4] = L[u];  P[u:1] = 0;  P[5+u:1] = 0
"""

from collections.abc import Iterator

from indexlang.ir.build import Builder
from indexlang.ir.equation import Equation, Tensor
from indexlang.ir.expr import Bound, Index, Read
from indexlang.ir.parts import Piece, boxed
from indexlang.ir.size import Extent


def surrounded(made: Tensor, source: Tensor, before: tuple[int, ...], read: Read, build: Builder) -> Iterator[Equation]:
    """The parts of `made`, which holds all of `source` from `before` on, and the border's value elsewhere."""
    assert read.border is not None
    assert read.border.value is not None
    interior = _bounds(source.extents)
    copy = Read(source.name, tuple(Index(b.name) for b in interior), None, read.dtype)
    yield boxed(made.name, before, Piece(interior, copy, read.span), build)
    for starts, extents in _slabs(made.extents, source.extents, before):
        yield boxed(made.name, starts, Piece(_bounds(extents), read.border.value, read.span), build)


def _slabs(
    whole: tuple[Extent, ...], inner: tuple[Extent, ...], before: tuple[int, ...]
) -> Iterator[tuple[tuple[Extent, ...], tuple[Extent, ...]]]:
    """Start and extents of boxes that cover what is outside the interior: along each axis one before and one behind it,
    of the interior's size along the axes before that one, of full size along those behind."""
    for k in range(len(whole)):
        behind = before[k] + inner[k]
        for start, extent in ((0, before[k]), (behind, whole[k] - behind)):
            if extent != 0:
                yield (*before[:k], start, *(0 for _ in whole[k + 1 :])), (*inner[:k], extent, *whole[k + 1 :])


def _bounds(extents: tuple[Extent, ...]) -> tuple[Bound, ...]:
    return tuple(Bound(f"u{k}", n) for k, n in enumerate(extents))
