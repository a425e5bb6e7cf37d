"""Equation → loop nests: the general schedules, each in a file of its own. Contractions are `moves/contract.py`'s."""

from collections.abc import Iterator
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.build import Builder
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Const, Index, Read
from indexlang.ir.lefts import is_one_to_one
from indexlang.nest.body import Body
from indexlang.nest.inner import inner
from indexlang.nest.nodes import Nest
from indexlang.nest.rows import rows
from indexlang.nest.scatter import scattered


def lowered(e: Equation, program: Program, large: int) -> Iterator[Nest]:
    """The kernels of an equation of a program whose borders are lowered and whose extents are known, in order.

    large  bytes of a result that is written past the caches
    """
    if e.accumulates and is_one_to_one(e):
        yield inner(_in_place(e, program), Body(program))
    elif e.accumulates:
        yield scattered(e, Body(program))
    else:
        yield rows(e, Body(program)) or inner(e, Body(program, large))


def _in_place(e: Equation, program: Program) -> Equation:
    """`T[i] += f(i)` as `T[i] = T[i] + f(i)`: every element is read and written by one iteration only."""
    element = Read(e.target, e.left, None, program.tensor(e.target).dtype.read)
    return replace(e, accumulates=False, body=Builder(program.float_type).apply(ops.ADD, element, e.body))


def cleared(e: Equation, program: Program) -> Nest:
    """The kernel that clears a target which its equations do not cover element by element."""
    target = program.tensor(e.target)
    indices = tuple(Bound(f"u{k}", n) for k, n in enumerate(target.extents))
    value = Const(False if target.dtype is DType.BOOL else 0, target.dtype)
    left = tuple(Index(b.name) for b in indices)
    return inner(Equation(e.target, indices, left, False, value, e.span), Body(program))
