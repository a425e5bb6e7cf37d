"""Subscripts that slide a window over an axis: `s*x + d*dx - p`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from indexlang.ir.affine import affine
from indexlang.ir.expr import Const, Expr, Index, Read, Rule
from indexlang.ir.size import Extent


@dataclass(frozen=True, slots=True)
class Window:
    """The place `stride*outer + dilation*inner + start`, for every value of both indices.

    outer   the index that moves the window     inner  the one inside of it, summed over
    is_reversed  the window is read from its end: `x - dx` is `x + dx' - (w-1)` with dx' counted backwards
    """

    outer: str
    inner: str
    stride: int
    dilation: int
    start: int
    is_reversed: bool

    def after(self, extent: Extent, outer: Extent, inner: Extent) -> int | None:
        """How many places behind the axis are read (below 0: not all of it is); None where names decide."""
        last = (outer - 1) * self.stride + (inner - 1) * self.dilation + self.start
        found = last - extent + 1
        return found if isinstance(found, int) else None


def window(s: Expr, over: Collection[str], box: Mapping[str, Extent]) -> Window | None:
    """The window of a subscript with one index of `over` and one other, both by whole steps."""
    form = affine(s)
    if form is None or not form.is_plain or len(form.terms) != 2:
        return None
    steps = {str(v): c for v, c in form.terms}
    inner = [x for x in steps if x in over]
    outer = [x for x in steps if x not in over]
    if len(inner) != 1 or len(outer) != 1:
        return None
    stride, dilation, start = steps[outer[0]], steps[inner[0]], form.constant
    width = box[inner[0]]
    if not (
        isinstance(stride, int) and isinstance(dilation, int) and isinstance(start, int) and isinstance(width, int)
    ):
        return None
    if stride < 1 or width < 1:
        return None
    if dilation < 0:
        return Window(outer[0], inner[0], stride, -dilation, start + dilation * (width - 1), is_reversed=True)
    return Window(outer[0], inner[0], stride, dilation, start, is_reversed=False)


def bare(s: Expr) -> str | None:
    """The index that a subscript is, if it is just one."""
    return s.name if isinstance(s, Index) else None


def reads_outside(r: Read, value: float) -> bool:
    """Whether what lies outside of an access is this number, or nothing does."""
    if r.border is None:
        return True
    outside = r.border.value
    return r.border.rule is Rule.VALUE and isinstance(outside, Const) and outside.value == value
