"""A copy that moves no element is read where its elements come from.

before   S[b,x,g:32,j:8] = G[b,x,8*g+j];  D[g,j] = max[b,x] S[b,x,g,j]*X[b,x,g]
after    D[g,j] = max[b,x] G[b,x,8*g+j]*X[b,x,g]

Contractions keep the copy: their operands need an axis for each index.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from indexlang.ir.affine import Affine, affine
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Expr, Index, Read, Reduce, children, rewrite, with_indices
from indexlang.ir.size import Extent, Named
from indexlang.passes.contraction import contraction


def seen_through(moved: Equation, r: Read, e: Equation, program: Program) -> Equation | None:
    """`e` with the source of `moved` in the place of `r`, a read of what it makes; None where that is another thing."""
    source = moved.body
    if not isinstance(source, Read) or not _moves_nothing(moved, source, program):
        return None
    extents = _scope(e.body, r, {b.name: b.extent for b in e.indices})
    if extents is None or contraction(e, program) is not None:
        return None
    if r.border is not None and not _keeps_border(moved, source, r, extents, program):
        return None
    places = {b.name: s for b, s in zip(moved.indices, r.subscripts, strict=True)}
    subscripts = tuple(with_indices(s, places) for s in source.subscripts)
    seen = replace(r, tensor=source.tensor, subscripts=subscripts)
    return replace(e, body=rewrite(e.body, lambda n: seen if n == r else n))


def _moves_nothing(moved: Equation, source: Read, program: Program) -> bool:
    """Whether each element has the number in its tensor that it has in the source's, of as many."""
    ours, theirs = program.tensor(moved.target).extents, program.tensor(source.tensor).extents
    if source.border is not None or any(isinstance(n, Named) for n in (*ours, *theirs)):
        return False
    place = _number(source.subscripts, theirs)
    return prod(ours) == prod(theirs) and place is not None and place == _number(moved.left, ours)


def _number(subscripts: tuple[Expr, ...], extents: tuple[Extent, ...]) -> Affine | None:
    """Which element of a tensor an access means."""
    total = Affine(0)
    for k, s in enumerate(subscripts):
        form = affine(s)
        if form is None or not form.is_plain or not form.is_concrete:
            return None
        total = total + form.scaled(prod(extents[k + 1 :]))
    return total


def _keeps_border(moved: Equation, source: Read, r: Read, extents: Mapping[str, Extent], program: Program) -> bool:
    """Whether an access with a border leaves the source where it leaves the copy: along an axis that both have, or never."""
    shared = {
        s.name: n
        for s, n in zip(source.subscripts, program.tensor(source.tensor).extents, strict=True)
        if isinstance(s, Index)
    }
    pairs = zip(moved.indices, r.subscripts, strict=True)
    return all(
        shared.get(b.name) == b.extent or (isinstance(s, Index) and extents.get(s.name) == b.extent) for b, s in pairs
    )


def _scope(n: Expr, r: Read, extents: Mapping[str, Extent]) -> Mapping[str, Extent] | None:
    """The extents of the indices bound where `r` stands; None where it is not found, or is part of a subscript."""
    if n == r:
        return extents
    if isinstance(n, Read):
        return None
    inner = {**extents, **{b.name: b.extent for b in n.over}} if isinstance(n, Reduce) else extents
    return next((found for c in children(n) if (found := _scope(c, r, inner)) is not None), None)
