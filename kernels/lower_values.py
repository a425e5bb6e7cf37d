"""Values of workers with their types, and the arithmetic that `lower` makes of them: by numba's rules."""

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from indexlang.kernels import kinds, lang
from indexlang.kernels.lanes import Lanes, joined, spread
from indexlang.kernels.tile_ir import I64


class Unsupported(Exception):
    """Source that `lower` does not know; numba may."""


@dataclass(frozen=True, slots=True)
class Value:
    """An LLVM value, its type, and the number where it stands in the source."""

    kind: Any
    value: Any
    literal: int | None = None


class _Context:
    """What words ask for, by the names that numba has for it."""

    def get_value_type(self, kind: Any) -> Any:
        return kind.llvm

    def get_dummy_value(self) -> Any:
        return ir.Constant(I64, 0)

    def unify_types(self, *given: Any) -> Any:
        return unified(*given)


CONTEXT = TYPING = _Context()
_SIGNED = (kinds.int64, kinds.int32)
_CONVERSIONS = {np.float32: kinds.float32, np.float64: kinds.float64, np.int64: kinds.int64}
_FLOATS: dict[type, str] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_WHOLES: dict[type, str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}
_COMPARISONS: dict[type, str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def constant(value: object) -> Value:
    """A bool, int (int64) or float (float64) of the source.

    Raises Unsupported for any other constant.
    """
    match value:
        case bool():
            return Value(kinds.boolean, ir.Constant(ir.IntType(1), int(value)))
        case int():
            return Value(kinds.int64, I64(value), value)
        case float():
            return Value(kinds.float64, ir.Constant(ir.DoubleType(), value))
        case _:
            raise Unsupported(f"the constant {value!r}")


def unified(*given: Any) -> Any:
    """The type in which values meet."""
    first, *others = given
    for kind in others:
        first = _unified(first, kind)
    return first


def _unified(a: Any, b: Any) -> Any:
    if a == b:
        return a
    if vector := joined(a, b):
        return vector
    both = {a, b}
    if kinds.float64 in both and both <= {kinds.float64, kinds.float32, kinds.int64}:
        return kinds.float64
    if both == {kinds.float32, kinds.int64}:
        return kinds.float64
    if kinds.int64 in both and both <= {kinds.int64, kinds.int32, kinds.uint8, kinds.boolean}:
        return kinds.int64
    raise Unsupported(f"{a} beside {b}")


def cast(builder: Any, v: Value, kind: Any) -> Value:
    """The value in another type, where no digit can be lost by it, but those of large integers."""
    if v.kind == kind:
        return v
    if _unified(v.kind, kind) != kind:
        raise Unsupported(f"{v.kind} as {kind}")
    if isinstance(kind, Lanes):
        return Value(kind, spread(builder, v.value, kind.width))
    return _numeric(builder, v, kind)


def converted(builder: Any, v: Value, function: type) -> Value:
    """np.float32(v) and the like."""
    if function not in _CONVERSIONS:
        raise Unsupported(f"{function}")
    return _numeric(builder, v, _CONVERSIONS[function])


def _numeric(builder: Any, v: Value, kind: Any) -> Value:
    if v.kind == kind:
        return v
    into = CONTEXT.get_value_type(kind)
    return Value(kind, _changed(builder, v, kind, into), v.literal if kind == kinds.int64 else None)


def _changed(builder: Any, v: Value, kind: Any, into: Any) -> Any:
    is_float, was_float = isinstance(kind, kinds.Float), isinstance(v.kind, kinds.Float)
    if not isinstance(v.kind, kinds.Float | kinds.Integer | kinds.Boolean):
        raise Unsupported(f"{v.kind} as {kind}")
    if is_float and was_float:
        return builder.fpext(v.value, into) if kind == kinds.float64 else builder.fptrunc(v.value, into)
    if is_float:
        return builder.sitofp(v.value, into) if v.kind in _SIGNED else builder.uitofp(v.value, into)
    if kind == kinds.boolean or (was_float and kind != kinds.int64):
        raise Unsupported(f"{v.kind} as {kind}")
    if was_float:
        return builder.fptosi(v.value, into)
    if v.value.type.width > into.width:
        return builder.trunc(v.value, into)
    return builder.sext(v.value, into) if v.kind in _SIGNED else builder.zext(v.value, into)


def computed(builder: Any, op: type, a: Value, b: Value, flags: tuple[str, ...]) -> Value:
    """a + b, a - b, a * b, a / b."""
    kind = unified(a.kind, b.kind)
    if kind == kinds.int64 and op is ast.Div:
        kind = kinds.float64
    left, right = cast(builder, a, kind).value, cast(builder, b, kind).value
    if isinstance(kind, kinds.Float) or (isinstance(kind, Lanes) and kind.kind != "i64"):
        name, flags = _FLOATS.get(op), ("contract",)
    else:
        name = _WHOLES.get(op) if kind == kinds.int64 or isinstance(kind, Lanes) else None
        flags = flags if kind == kinds.int64 else ()
    if name is None:
        raise Unsupported(f"{op.__name__} of {kind}")
    if a.literal is not None and b.literal is not None and kind == kinds.int64:
        return constant({ast.Add: a.literal + b.literal, ast.Sub: a.literal - b.literal}.get(op, a.literal * b.literal))
    return Value(kind, getattr(builder, name)(left, right, flags=flags))


def negated(builder: Any, v: Value, flags: tuple[str, ...]) -> Value:
    """-v; the literal is kept. Raises Unsupported for bools and short integers."""
    if v.literal is not None:
        return constant(-v.literal)
    if v.kind == kinds.int64:
        return Value(v.kind, builder.sub(I64(0), v.value, flags=flags))
    if isinstance(v.kind, Lanes) and v.kind.kind == "i64":
        return Value(v.kind, builder.neg(v.value))
    if not isinstance(v.kind, kinds.Float | Lanes):
        raise Unsupported(f"- of {v.kind}")
    return Value(v.kind, builder.fneg(v.value))


def compared(builder: Any, op: type, a: Value, b: Value) -> Value:
    """a < b and the like, as a bool: NaN is equal to nothing. Raises Unsupported for vectors and other operators."""
    kind, symbol = unified(a.kind, b.kind), _COMPARISONS.get(op)
    if symbol is None or kind not in (kinds.int64, kinds.float32, kinds.float64, kinds.boolean):
        raise Unsupported(f"{op.__name__} of {kind}")
    left, right = cast(builder, a, kind).value, cast(builder, b, kind).value
    if kind == kinds.boolean:
        return Value(kind, builder.icmp_unsigned(symbol, left, right))
    if kind == kinds.int64:
        return Value(kinds.boolean, builder.icmp_signed(symbol, left, right))
    compare = builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered
    return Value(kinds.boolean, compare(symbol, left, right))


def read(builder: Any, pointer: Value, index: Value) -> Value:
    """pointer[index]. Raises Unsupported where the first is no pointer."""
    if isinstance(pointer.kind, lang.Pointer):
        signature = pointer.kind.element(pointer.kind, kinds.int64)
        found = lang.read_element(CONTEXT, builder, signature, (pointer.value, index.value))
        return Value(pointer.kind.element, found)
    if isinstance(pointer.kind, kinds.Address):
        return Value(pointer.kind.dtype, builder.load(builder.gep(pointer.value, [index.value])))
    raise Unsupported(f"{pointer.kind}[…]")


def write(builder: Any, pointer: Value, index: Value, value: Value) -> None:
    """pointer[index] = value, converted to the element. Raises Unsupported where nothing can be written."""
    if isinstance(pointer.kind, lang.Pointer) and pointer.kind.use == "output":
        element = pointer.kind.element
        signature = kinds.void(pointer.kind, kinds.int64, element)
        stored = _numeric(builder, value, element).value
        lang.write_element(CONTEXT, builder, signature, (pointer.value, index.value, stored))
    elif isinstance(pointer.kind, kinds.Address):
        stored = _numeric(builder, value, pointer.kind.dtype).value
        builder.store(stored, builder.gep(pointer.value, [index.value]))
    else:
        raise Unsupported(f"{pointer.kind}[…] = …")
