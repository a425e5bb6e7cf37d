"""Random tensors get the run's seed, and a stream of their own."""

from dataclasses import replace
from zlib import crc32

from indexlang.infer.mapping import is_random
from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import SEED, Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Const, Expr, Read, children, with_children


def seeded(program: Program) -> Program:
    """The program with the seed as a scalar that it reads; the same program if it draws nothing.

    A tensor's stream follows from its name, so that its numbers do not depend on what else is drawn.
    """
    if not any(is_random(e.body) for e in program.equations):
        return program
    seed = Tensor(SEED, (), DType.INT, Role.SEED)
    equations = tuple(replace(e, body=_keyed(e.body, e)) if is_random(e.body) else e for e in program.equations)
    return program.replace(tensors=(seed, *program.tensors), equations=equations)


def _keyed(e: Expr, equation: Equation) -> Expr:
    moved = with_children(e, tuple(_keyed(c, equation) for c in children(e)))
    if not isinstance(moved, Apply) or moved.op is not ops.UNIFORM:
        return moved
    _, stream, position = moved.args
    if isinstance(stream, Const) and isinstance(stream.value, int) and stream.value < 0:
        stream = Const(crc32(equation.target.encode()) * 4 - 1 - stream.value, DType.INT)
    return Apply(moved.op, (Read(SEED, (), None, DType.INT), stream, position), moved.dtype, moved.span)
