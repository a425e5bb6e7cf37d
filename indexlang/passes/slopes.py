"""The local slopes of layers, as tensors: how much of a signal the function around each lets through.

before   L[b,j] = relu(sum[i:9] W[i,j]*X[b,i])
after    L_in[b,j] = sum[i:9] W[i,j]*X[b,i];  L[b,j] = relu(L_in[b,j]);  L_slope[b,j] = 1 if L_in[b,j] > 0 else 0

A layer whose equation is no function of one argument lets everything through, and gets none.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Const, Expr, Index, Read, with_children
from indexlang.ir.terms import Term
from indexlang.passes.growing import Growing


@dataclass(frozen=True, slots=True)
class Slopes:
    """The program with slopes computed; `names` of the slope of each layer that has one."""

    program: Program
    names: dict[str, str]


def with_slopes(program: Program, layers: Collection[str]) -> Slopes:
    """The program with the size of the local slope of each of these tensors as a tensor, and an output."""
    growing = _Growing(program)
    for e in program.equations:
        growing.out += growing.equation(e) if e.target in layers and e.is_plain and not e.part else [e]
    outputs = tuple(dict.fromkeys((*program.outputs, *growing.found.values())))
    return Slopes(growing.grown(tuple(growing.out)).replace(outputs=outputs), growing.found)


class _Growing(Growing):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.out: list[Equation] = []
        self.found: dict[str, str] = {}

    def equation(self, e: Equation) -> list[Equation]:
        match e.body:
            case Apply(op=op, args=args) if op.slopes and (at := _only(args)) is not None:
                inner = self._tensor(f"{e.target}_in", e)
                read = Read(inner, tuple(Index(b.name) for b in e.indices), None, args[at].dtype)
                body = with_children(e.body, tuple(read if k == at else a for k, a in enumerate(args)))
                slope = self._slope(op.slopes[at], args, at, read, body)
                self.found[e.target] = self._tensor(f"{e.target}_slope", e)
                return [
                    replace(e, target=inner, body=args[at]),
                    replace(e, body=body),
                    replace(e, target=self.found[e.target], body=slope),
                ]
            case _:
                return [e]

    def _tensor(self, stem: str, e: Equation) -> str:
        like = self.program.tensor(e.target)
        name = self.fresh(stem)
        self.tensors.append(Tensor(name, like.extents, like.dtype, Role.COMPUTED, like.axes, span=like.span))
        return name

    def _slope(self, slope: ops.Slope, args: tuple[Expr, ...], at: int, read: Expr, value: Expr) -> Expr:
        terms = (Term(read if k == at else a, self.build) for k, a in enumerate(args))
        found: Any = slope(*terms, Term(value, self.build))
        factor = found.expr if isinstance(found, Term) else self.build.number(found)
        if factor.dtype is DType.BOOL:
            return self.build.select(factor, self.build.number(1.0), self.build.number(0.0))
        return self.build.apply(ops.ABS, self.build.apply(ops.MUL, self.build.number(1.0), factor))


def _only(args: tuple[Expr, ...]) -> int | None:
    """The place of the one argument that is no constant; None where there are more."""
    varying = [k for k, a in enumerate(args) if not isinstance(a, Const)]
    is_float = len(varying) == 1 and args[varying[0]].dtype.is_float
    return varying[0] if is_float else None


__all__ = ["Slopes", "with_slopes"]
