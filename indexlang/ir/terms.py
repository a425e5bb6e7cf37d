"""Expressions with Python's operators, so that a formula in the compiler reads like one on paper.

y * (1 - y)    x.cos()    (a == 0).choose(0, y * a.log())
"""

from dataclasses import dataclass
from typing import Any, Union

from indexlang.ir import ops
from indexlang.ir.build import Builder, Number
from indexlang.ir.expr import Expr
from indexlang.ir.ops import Op

Part = Union["Term", Number]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """An expression, and the builder that makes larger ones of it. A function of the language is a method."""

    expr: Expr
    build: Builder

    def __add__(self, other: Part) -> "Term":
        return self._apply(ops.ADD, self, other)

    def __radd__(self, other: Part) -> "Term":
        return self._apply(ops.ADD, other, self)

    def __sub__(self, other: Part) -> "Term":
        return self._apply(ops.SUB, self, other)

    def __rsub__(self, other: Part) -> "Term":
        return self._apply(ops.SUB, other, self)

    def __mul__(self, other: Part) -> "Term":
        return self._apply(ops.MUL, self, other)

    def __rmul__(self, other: Part) -> "Term":
        return self._apply(ops.MUL, other, self)

    def __truediv__(self, other: Part) -> "Term":
        return self._apply(ops.DIV, self, other)

    def __rtruediv__(self, other: Part) -> "Term":
        return self._apply(ops.DIV, other, self)

    def __pow__(self, other: Part) -> "Term":
        return Term(self.build.power(self.expr, self._expr(other)), self.build)

    def __neg__(self) -> "Term":
        return self._apply(ops.NEG, self)

    def __lt__(self, other: Part) -> "Term":
        return self._apply(ops.LT, self, other)

    def __le__(self, other: Part) -> "Term":
        return self._apply(ops.LE, self, other)

    def __gt__(self, other: Part) -> "Term":
        return self._apply(ops.GT, self, other)

    def __ge__(self, other: Part) -> "Term":
        return self._apply(ops.GE, self, other)

    def equals(self, other: Part) -> "Term":
        """Whether both are the same number."""
        return self._apply(ops.EQ, self, other)

    def choose(self, then: Part, other: Part) -> "Term":
        """`then` where this condition holds, else `other`."""
        return Term(self.build.select(self.expr, self._expr(then), self._expr(other)), self.build)

    def __getattr__(self, name: str) -> Any:
        op = ops.FUNCTIONS[name]
        return lambda: self._apply(op, self)

    def _apply(self, op: Op, *args: Part) -> "Term":
        return Term(self.build.apply(op, *(self._expr(a) for a in args)), self.build)

    def _expr(self, part: Part) -> Expr:
        return part.expr if isinstance(part, Term) else self.build.number(part)
