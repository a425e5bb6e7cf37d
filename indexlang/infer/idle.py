"""Borders that no read of a call reaches are left out.

before   C[x:55] = sum[dx:11] W[dx]*L[4*x+dx else 0]        (L of 227 elements)
after    C[x:55] = sum[dx:11] W[dx]*L[4*x+dx]
"""

from collections.abc import Callable
from dataclasses import replace

from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Expr, Read, Reduce, children, reads, with_children
from indexlang.ir.size import Extent

Extents = Callable[[str], tuple[Extent, ...]]


def without_idle_borders(e: Equation, extents: Extents) -> Equation:
    """The equation with `else` only where it may matter. `extents` gives those of a tensor by its name."""
    if all(r.border is None for r in reads(e.body)):
        return e
    body = _looked_at(e.body, {b.name: b.extent for b in e.indices}, extents)
    return e if body is e.body else replace(e, body=body)


def _looked_at(e: Expr, box: dict[str, Extent], extents: Extents) -> Expr:
    if isinstance(e, Reduce):
        box = {**box, **{b.name: b.extent for b in e.over}}
    parts = children(e)
    seen = tuple(_looked_at(c, box, extents) for c in parts)
    out = e if all(a is b for a, b in zip(parts, seen, strict=True)) else with_children(e, seen)
    if isinstance(out, Read) and out.border is not None and _is_idle(out, box, extents(out.tensor)):
        return replace(out, border=None)
    return out


def _is_idle(read: Read, box: dict[str, Extent], extents: tuple[Extent, ...]) -> bool:
    pairs = zip(read.subscripts, extents, strict=True)
    return all(stays_inside(s, n, box, Facts()) is True for s, n in pairs)
