"""Reductions are computed ahead of the conditions around them: what only these keep inside its tensor gets a border.

before   C[i:5,k] = (sum[j] A[i-1,j]*M[j,k]) if i > 0 else 0
after    C[i:5,k] = (sum[j] A[i-1,j else 0]*M[j,k]) if i > 0 else 0

No result changes: the border's value goes only into what the condition leaves out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from indexlang.ir import ops
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.build import zero_of
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Apply, Border, Expr, Read, Reduce, Rule, Select, children, with_children
from indexlang.ir.size import Extent


def guard_sums(program: Program) -> Program:
    """The program in which reductions stay inside their tensors wherever they are computed. Its extents are known."""
    return program.replace(equations=tuple(_guarded(e, program) for e in program.equations))


def _guarded(e: Equation, program: Program) -> Equation:
    around = _Around(program, {b.name: b.extent for b in e.indices})
    body = around.guarded(e.body)
    return e if body is e.body else replace(e, body=body, checks=e.checks or (e,))


@dataclass(frozen=True, slots=True)
class _Around:
    """What is around an expression.

    box    the indices              facts  the conditions inside the innermost reduction
    under  any condition            early  a reduction that is under one
    """

    program: Program
    box: Mapping[str, Extent]
    facts: Facts = field(default_factory=Facts)
    under: bool = False
    early: bool = False

    def guarded(self, e: Expr) -> Expr:
        """The expression with borders where it needs them; the same node if it needs none."""
        match e:
            case Reduce(over=over):
                box = {**self.box, **{b.name: b.extent for b in over}}
                inner = replace(self, box=box, facts=Facts(), early=self.under)
                return with_children(e, (inner.guarded(e.body),))
            case Select(cond=cond, then=then, other=other):
                parts = self.guarded(cond), self._where(cond).guarded(then), self._unless(cond).guarded(other)
                return with_children(e, parts)
            case Apply(op=ops.AND, args=(a, b)):
                return with_children(e, (self.guarded(a), self._where(a).guarded(b)))
            case Apply(op=ops.OR, args=(a, b)):
                return with_children(e, (self.guarded(a), self._unless(a).guarded(b)))
            case Read(border=None) if self.early and not self._stays_inside(e):
                border = Border(Rule.VALUE, zero_of(e.dtype))
                return replace(e, subscripts=tuple(map(self.guarded, e.subscripts)), border=border)
            case _:
                return with_children(e, tuple(map(self.guarded, children(e))))

    def _where(self, condition: Expr) -> "_Around":
        return replace(self, facts=self.facts.with_condition(condition), under=True)

    def _unless(self, condition: Expr) -> "_Around":
        return replace(self, facts=self.facts.with_negation(condition), under=True)

    def _stays_inside(self, r: Read) -> bool:
        pairs = zip(r.subscripts, self.program.tensor(r.tensor).extents, strict=True)
        return all(stays_inside(s, n, self.box, self.facts) for s, n in pairs)
