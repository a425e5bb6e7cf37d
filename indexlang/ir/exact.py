"""What scalar functions give for Python's own numbers: exact where numpy's integers would wrap around, and without numpy."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from indexlang.ir import ops


def _floordiv(a: int, b: int) -> int:
    return a // b


def _and(a: bool, b: bool) -> bool:
    return a and b


def _or(a: bool, b: bool) -> bool:
    return a or b


def _relu(a: int) -> int:
    return max(a, 0)


def _sign(a: int) -> int:
    return (a > 0) - (a < 0)


COMPARED: Mapping[ops.Op, Callable[..., bool]] = {
    ops.LT: operator.lt,
    ops.LE: operator.le,
    ops.GT: operator.gt,
    ops.GE: operator.ge,
    ops.EQ: operator.eq,
    ops.NE: operator.ne,
    ops.NOT: operator.not_,
    ops.AND: _and,
    ops.OR: _or,
}
"""Those that give a bool: of integers, of floats, of bools."""

WHOLE: Mapping[ops.Op, Callable[..., Any]] = {
    ops.ADD: operator.add,
    ops.SUB: operator.sub,
    ops.MUL: operator.mul,
    ops.NEG: operator.neg,
    ops.FLOORDIV: _floordiv,
    ops.MOD: operator.mod,
    ops.MAX: max,
    ops.MIN: min,
    ops.ABS: abs,
    ops.RELU: _relu,
    ops.SIGN: _sign,
}
"""Those that give an integer for integers."""

EXACT: Mapping[ops.Op, Callable[..., Any]] = {**WHOLE, **COMPARED}
