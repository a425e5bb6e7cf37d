"""Tensors that several equations define together, a box each: concatenation, and borders around an interior.

`S[b,J1+J2] = P[b,J1] ; Q[b,J2]` is two equations of S, both with `part` set:

    S[b,j] = P[b,j]          for j of 0..J1
    S[b,J1+j] = Q[b,j]       for j of 0..J2
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexlang.ir import ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.equation import Equation, Program, Tensor
from indexlang.ir.expr import Bound, Expr, Index
from indexlang.ir.size import Extent
from indexlang.text.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Piece:
    """One of the boxes that are joined: an index for each axis of the target, in order, and the body over them."""

    indices: tuple[Bound, ...]
    body: Expr
    span: Span = NOWHERE


def joined(target: Tensor, axis: int, pieces: Sequence[Piece], build: Builder) -> tuple[Equation, ...]:
    """The equations of `target` as the pieces side by side along `axis`, first one first.

    The extents of the pieces along `axis` add up to the target's, and are its own along all other axes; they may
    depend on named extents. One piece alone gives an ordinary equation.
    """
    at: Extent = 0
    out: list[Equation] = []
    for piece in pieces:
        starts = tuple(at if k == axis else 0 for k in range(len(target.extents)))
        out.append(boxed(target.name, starts, piece, build))
        at = at + piece.indices[axis].extent
    return (
        tuple(out) if len(out) > 1 else tuple(Equation(e.target, e.indices, e.left, False, e.body, e.span) for e in out)
    )


def boxed(target: str, starts: tuple[Extent, ...], piece: Piece, build: Builder) -> Equation:
    """The part of `target` that begins at `starts`."""
    left = tuple(
        build.apply(ops.ADD, integer(start), Index(b.name)) for start, b in zip(starts, piece.indices, strict=True)
    )
    return Equation(target, piece.indices, left, False, piece.body, piece.span, part=True)


def marked_parts(program: Program) -> Program:
    """Several `=` equations of one tensor are its parts: said of each, so that it holds when a pass removes others."""
    count = Counter(e.target for e in program.equations if not e.accumulates)
    marked = (replace(e, part=e.part or (count[e.target] > 1 and not e.accumulates)) for e in program.equations)
    return program.replace(equations=tuple(marked))
