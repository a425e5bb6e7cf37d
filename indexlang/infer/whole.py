"""Tensor names without brackets: `L2 = L1 + R` is an equation over all indices of tensors of one shape.

before   C = A + 2*B          (A and B of two axes)
after    C[i,j] = A[i,j] + 2*B[i,j]
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from indexlang.infer.scope import World
from indexlang.syntax import ast

_LETTERS = "ijklmnpqrtuvwxyz"


def written_out(e: ast.Equation, world: World) -> ast.Equation:
    """The equation with an index for each axis of the tensors that it names without brackets.

    Only where the left side has no brackets either; inside a reduction without a list, the reduction's own indices.
    """
    expansion = _Expansion(e, world)
    body = expansion.expr(e.body, None)
    if body is e.body or (e.subscripts is not None and expansion.outer):
        return e
    if not expansion.outer:
        return replace(e, body=body)
    subscripts = tuple(ast.Name(letter, e.left_span) for letter in expansion.outer)
    return replace(e, subscripts=subscripts, body=body)


class _Expansion:
    def __init__(self, e: ast.Equation, world: World) -> None:
        self.world = world
        used = {n.name for n in ast.nodes(e) if isinstance(n, ast.Name | ast.Access | ast.Binder)}
        taken = used | world.constants.keys() | world.tensors.keys() | world.computed
        self.fresh: Iterator[str] = (x for x in _candidates() if x not in taken)
        self.outer: list[str] = []

    def expr(self, e: ast.Expr, inner: list[str] | None) -> ast.Expr:
        match e:
            case ast.Name(name=name, span=span):
                rank = self._rank(name)
                if rank == 0:
                    return e
                letters = self.outer if inner is None else inner
                while len(letters) < rank:
                    letters.append(next(self.fresh))
                return ast.Access(name, tuple(ast.Name(x, span) for x in letters[:rank]), None, span, span)
            case ast.Unary():
                return replace(e, operand=self.expr(e.operand, inner))
            case ast.Binary():
                return replace(e, left=self.expr(e.left, inner), right=self.expr(e.right, inner))
            case ast.Comparison():
                return replace(e, operands=tuple(self.expr(o, inner) for o in e.operands))
            case ast.Conditional():
                value, condition, other = (self.expr(p, inner) for p in (e.value, e.condition, e.other))
                return replace(e, value=value, condition=condition, other=other)
            case ast.Call():
                return replace(e, args=tuple(self.expr(a, inner) for a in e.args))
            case ast.Reduction(binders=None) if not any(isinstance(n, ast.Access) for n in ast.nodes(e.body)):
                return replace(e, body=self.expr(e.body, []))
            case _:
                return e

    def _rank(self, name: str) -> int:
        tensor = self.world.tensors.get(name)
        return len(tensor.extents) if tensor is not None and name not in self.world.constants else 0


def _candidates() -> Iterator[str]:
    yield from _LETTERS
    yield from (f"i{n}" for n in count(1))
