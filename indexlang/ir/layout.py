"""Where the elements of a tensor lie: in memory of its own, row-major, or inside its host's."""

from dataclasses import dataclass
from math import prod

from indexlang.ir.equation import Program
from indexlang.ir.size import Extent


@dataclass(frozen=True, slots=True)
class Layout:
    """Element (i, j, …) stands at `offset + i*strides[0] + j*strides[1] + …` of the memory of tensor `root`."""

    root: str
    offset: Extent
    strides: tuple[Extent, ...]


def layout(program: Program, name: str) -> Layout:
    """Follow the views of a tensor to the one that has memory. The last stride is 1: views are boxes."""
    t = program.tensor(name)
    starts: tuple[Extent, ...] = (0,) * len(t.extents)
    while t.view is not None:
        starts = tuple(a + b for a, b in zip(starts, t.view.starts, strict=True))
        t = program.tensor(t.view.host)
    strides = tuple(prod(t.extents[k + 1 :], start=1) for k in range(len(t.extents)))
    offset: Extent = sum((a * b for a, b in zip(starts, strides, strict=True)), 0)
    return Layout(t.name, offset, strides)


def roots(program: Program) -> dict[str, str]:
    """The tensor in whose memory each tensor lies."""
    return {t.name: layout(program, t.name).root for t in program.tensors}
