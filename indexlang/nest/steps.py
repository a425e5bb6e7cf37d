"""How far indices move accesses in memory."""

from collections.abc import Iterable
from math import prod

from indexlang.ir.affine import affine
from indexlang.ir.equation import Program
from indexlang.ir.expr import Bound, Expr, Read, free_indices
from indexlang.ir.layout import layout
from indexlang.ir.size import Extent, Named

FAR = 8  # the cost of an access whose next element is not beside the last one


def steps(read: Read, program: Program) -> dict[str, int] | None:
    """How many elements one step of each index moves an access; None where a subscript is no sum of multiples."""
    return steps_along(zip(read.subscripts, layout(program, read.tensor).strides, strict=True))


def steps_along(axes: Iterable[tuple[Expr, Extent]]) -> dict[str, int] | None:
    """The same for some axes: subscripts, and how far apart their elements are."""
    out: dict[str, int] = {}
    for s, stride in axes:
        form = affine(s)
        if form is None or not form.is_plain or not form.is_concrete:
            return None
        for v, k in form.terms:
            assert isinstance(v, str)
            out[v] = out.get(v, 0) + known(k) * known(stride)
    return {v: k for v, k in out.items() if k != 0}


def step_cost(read: Read, name: str, program: Program) -> int:
    """0 where the access does not move with the index, 1 where it moves to the next element, FAR otherwise."""
    found = steps(read, program)
    if found is None:
        return FAR if any(name in free_indices(s) for s in read.subscripts) else 0
    step = found.get(name, 0)
    return step if step in (0, 1) else FAR


def points(bounds: Iterable[Bound]) -> int:
    """How many values indices take together, those of a batch left out, so that its size decides nothing."""
    return prod(known(b.extent) for b in bounds if not isinstance(b.extent, Named))


def known(extent: Extent) -> int:
    """The value of an extent, which scheduling only sees when it has one."""
    assert isinstance(extent, int)
    return extent
