"""Copies into a box of another tensor disappear: what is copied is made there in the first place.

before   P[x:3] = 2*X[x];  S[x:3] = P[x];  S[3+x:4] = Q[x]
after    P[x:3] = 2*X[x];  S[3+x:4] = Q[x]      where P is the box of S that begins at 0

Boxes nest: in `L1 = L0 ; R0`, `L2 = L1 ; R1`, … all tensors end up inside the last. Readers see no difference but
for the strides. A tensor that is returned keeps memory of its own, and so does one that is a box of another already.
"""

from dataclasses import replace

from indexlang.ir.equation import Equation, Program, Role, Tensor, View
from indexlang.ir.expr import Index, Read


def embed_copies(program: Program) -> Program:
    """The program without the copies that a view replaces. Later passes must keep equations of views as they are."""
    tensors = dict(program.by_name)
    kept: list[Equation] = []
    for e in program.equations:
        view = _view(e, tensors, program.outputs)
        if view is None:
            kept.append(e)
        else:
            name, place = view
            tensors[name] = replace(tensors[name], view=place)
    return program.replace(tensors=tuple(tensors.values()), equations=tuple(kept))


def _view(e: Equation, tensors: dict[str, Tensor], outputs: tuple[str, ...]) -> tuple[str, View] | None:
    """The tensor that an equation copies, and where in the target it may live, or None."""
    source = copied(e)
    if source is None or e.starts is None:
        return None
    t = tensors[source]
    whole = all(n == b.extent for n, b in zip(t.extents, e.indices, strict=True))
    free = t.role is Role.COMPUTED and t.view is None and source not in outputs
    return (source, View(e.target, e.starts)) if whole and free and t.dtype is tensors[e.target].dtype else None


def copied(e: Equation) -> str | None:
    """The tensor of which an equation is a copy, element by element in order, into a box of its target."""
    if e.accumulates or e.starts is None or not isinstance(e.body, Read) or e.body.border is not None:
        return None
    names = tuple(s.name if isinstance(s, Index) else None for s in e.body.subscripts)
    return e.body.tensor if names == tuple(b.name for b in e.indices) else None
