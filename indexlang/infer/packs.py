"""Functions that keep the axes of a pack: one form for each rank, as an optimiser is for any parameter.

before   def momentum(W[I...], g[I...], rate, Φ):      called with W[5,7]
             state V[I...] = 0
after    def momentum(W[I1,I2], g[I1,I2], rate, Φ):
             state V[I1,I2] = 0

A body that says `I...` again, in a declaration, is one of whole tensors; any other sees the pack as one axis.
"""

from collections.abc import Sequence
from dataclasses import replace

from indexlang.infer.matching import Given, TensorGiven, pack_axis, tensor_params
from indexlang.syntax import ast
from indexlang.syntax.rewrite import rewritten


def keeps_axes(form: ast.Def) -> bool:
    """Whether the body names a pack of the head, as in `state V[I...] = 0`."""
    heads = {a.name for p in tensor_params(form) for a in p.axes if isinstance(a, ast.Pack)}
    return bool(heads) and any(
        isinstance(s, ast.Pack) and s.name in heads
        for statement in form.body
        if isinstance(statement, ast.State | ast.Param | ast.Declaration)
        for s in statement.axes
    )


def of_rank(form: ast.Def, given: Sequence[Given]) -> ast.Def:
    """The form for the axes that the first tensor of its pack has, none included; others stay as they are."""
    if not keeps_axes(form):
        return form
    tensors = [g for g in given if isinstance(g, TensorGiven)]
    for p, g in zip(tensor_params(form), tensors, strict=False):
        at = pack_axis(p)
        if at is not None:
            pack = p.axes[at]
            return _opened(form, pack.name, g.rank - len(g.letters) - (len(p.axes) - 1))
    return form


def _opened(form: ast.Def, pack: str, rank: int) -> ast.Def:
    names = [pack] if rank == 1 else [f"{pack}{n + 1}" for n in range(max(rank, 0))]

    def axes(node: object) -> object:
        match node:
            case ast.TensorParam() | ast.State() | ast.Param() | ast.Declaration():
                return replace(node, axes=tuple(b for a in node.axes for b in opened(a)))  # type: ignore[arg-type]
            case _:
                return node

    def opened(a: ast.Subscript) -> tuple[ast.Subscript, ...]:
        if isinstance(a, ast.Pack) and a.name == pack:
            return tuple(ast.Name(name, a.span) for name in names)
        return (a,)

    return rewritten(form, axes)


__all__ = ["keeps_axes", "of_rank"]
