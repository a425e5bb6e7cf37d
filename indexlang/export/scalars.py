"""The scalar functions of the language in the operators of ONNX."""

from collections.abc import Callable
from math import sqrt

from indexlang.export.graph import Graph
from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.ops import Op

Write = Callable[[Graph, DType, tuple[str, ...]], str]


def scalar(graph: Graph, op: Op, dtype: DType, args: tuple[str, ...]) -> str:
    """`op` of tensors that broadcast, all of `dtype`: the type in which the arguments meet. Its name."""
    if op in _PLAIN:
        return graph.add(_PLAIN[op], *args)
    return _WRITTEN[op](graph, dtype, args)


_PLAIN = {
    ops.ADD: "Add", ops.SUB: "Sub", ops.MUL: "Mul", ops.DIV: "Div", ops.POW: "Pow", ops.NEG: "Neg",
    ops.LT: "Less", ops.LE: "LessOrEqual", ops.GT: "Greater", ops.GE: "GreaterOrEqual", ops.EQ: "Equal",
    ops.AND: "And", ops.OR: "Or", ops.NOT: "Not", ops.MAX: "Max", ops.MIN: "Min", ops.ABS: "Abs", ops.SIGN: "Sign",
    ops.SIGMOID: "Sigmoid", ops.TANH: "Tanh", ops.EXP: "Exp", ops.LOG: "Log", ops.SQRT: "Sqrt", ops.SIN: "Sin",
    ops.COS: "Cos", ops.ERF: "Erf",
}  # fmt: skip


def _ne(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    return g.add("Not", g.add("Equal", *a))


def _relu(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    return g.add("Relu", *a) if t.is_float else g.add("Max", *a, g.number(0, t))


def _rsqrt(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    return g.add("Reciprocal", g.add("Sqrt", *a))


def _log1p(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    """log(u)*x/(u - 1) of u = 1 + x, whose rounding is that of u itself (Kahan; Goldberg 1991, theorem 4)."""
    (x,), one = a, g.number(1, t)
    u = g.add("Add", x, one)
    whole = g.add("Or", g.add("Equal", u, one), g.add("IsInf", u))
    ratio = g.add("Div", g.add("Mul", g.add("Log", u), x), g.add("Where", whole, one, g.add("Sub", u, one)))
    return g.add("Where", whole, x, ratio)


def _expm1(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    """(u - 1)*x/log(u) of u = exp(x), by the same argument."""
    (x,), one = a, g.number(1, t)
    u = g.add("Exp", x)
    below = g.add("Sub", u, one)
    far = g.add("Or", g.add("LessOrEqual", below, g.number(-1, t)), g.add("IsInf", u))
    near = g.add("Equal", below, g.number(0, t))
    log = g.add("Where", g.add("Or", far, near), one, g.add("Log", u))
    ratio = g.add("Div", g.add("Mul", below, x), log)
    return g.add("Where", far, below, g.add("Where", near, x, ratio))


def _gelu(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    (x,) = a
    half = g.add("Mul", g.number(0.5, t), x)
    return g.add("Mul", half, g.add("Add", g.number(1, t), g.add("Erf", g.add("Div", x, g.number(sqrt(2), t)))))


def _silu(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    return g.add("Mul", *a, g.add("Sigmoid", *a))


def _softplus(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    (x,) = a
    rest = _log1p(g, t, (g.add("Exp", g.add("Neg", g.add("Abs", x))),))
    return g.add("Add", g.add("Max", x, g.number(0, t)), rest)


def _rounding(name: str) -> Write:
    def write(g: Graph, t: DType, a: tuple[str, ...]) -> str:
        return g.add(name, *a) if t.is_float else a[0]

    return write


def _floordiv(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    """Rounded down; of ints, what is divided by 0 gives 0."""
    x, y = a
    if t.is_float:
        return g.add("Floor", g.add("Div", x, y))
    zero = g.number(0, t)
    nothing = g.add("Equal", y, zero)
    safe = g.add("Where", nothing, g.number(1, t), y)
    whole = g.add("Div", g.add("Sub", x, g.add("Mod", x, safe)), safe)
    return g.add("Where", nothing, zero, whole)


def _mod(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    x, y = a
    if t.is_float:
        return g.add("Sub", x, g.add("Mul", y, g.add("Floor", g.add("Div", x, y))))
    zero = g.number(0, t)
    nothing = g.add("Equal", y, zero)
    return g.add("Where", nothing, zero, g.add("Mod", x, g.add("Where", nothing, g.number(1, t), y)))


def _to_int(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    return g.cast(a[0], DType.INT)


def _itself(g: Graph, t: DType, a: tuple[str, ...]) -> str:
    return a[0]


_WRITTEN: dict[Op, Write] = {
    ops.NE: _ne, ops.RELU: _relu, ops.RSQRT: _rsqrt, ops.LOG1P: _log1p, ops.EXPM1: _expm1, ops.GELU: _gelu,
    ops.SILU: _silu, ops.SOFTPLUS: _softplus, ops.FLOOR: _rounding("Floor"), ops.CEIL: _rounding("Ceil"),
    ops.ROUND: _rounding("Round"), ops.FLOORDIV: _floordiv, ops.MOD: _mod, ops.TO_INT: _to_int, ops.STOP: _itself,
}  # fmt: skip
