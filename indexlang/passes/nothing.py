"""Reductions over nothing are their identity.

before   A[i:5] = X[i] + sum[k:0] W[k]*Y[i+7]
after    A[i:5] = X[i] + 0

Under an index without values every access is proved to stay inside, since nothing is read there. So nothing may be: no
schedule may compute a part of such a body ahead of its loop. Equations without points are skipped by the plan.
"""

from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.equation import Program
from indexlang.ir.expr import Const, Expr, Reduce, rewrite


def drop_empty_reductions(program: Program) -> Program:
    """The program without them. Its extents are known."""
    return program.replace(equations=tuple(replace(e, body=rewrite(e.body, _identity)) for e in program.equations))


def _identity(n: Expr) -> Expr:
    match n:
        case Reduce(fold=fold, over=over, dtype=dtype) if any(b.extent == 0 for b in over):
            if fold in (ops.ARGMAX, ops.ARGMIN):
                return n  # has no value; refused before (E0409)
            return Const(ops.identity(fold, dtype.is_float), dtype, n.span)
        case _:
            return n
