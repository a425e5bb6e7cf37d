"""Values of workers with their types, and the arithmetic that `lower` makes of them: numba's rules for these types."""

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel.registry import default_manager
from numba.core.typing.templates import signature

from indexlang.kernels import lang
from indexlang.kernels.lanes import Lanes, joined, spread
from indexlang.kernels.tile_ir import I64


class Unsupported(Exception):
    """Source that `lower` does not know; numba may."""


@dataclass(frozen=True, slots=True)
class Value:
    """An LLVM value, its numba type, and the number where it stands in the source."""

    kind: Any
    value: Any
    literal: int | None = None


class _Context:
    """What intrinsics ask of numba's contexts."""

    def get_value_type(self, kind: Any) -> Any:
        return default_manager.lookup(kind).get_value_type()

    def get_dummy_value(self) -> Any:
        return ir.Constant(I64, 0)

    def unify_types(self, *kinds: Any) -> Any:
        return unified(*kinds)


CONTEXT = TYPING = _Context()
_SIGNED = (types.int64, types.int32)
_CONVERSIONS = {np.float32: types.float32, np.float64: types.float64, np.int64: types.int64}
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
            return Value(types.boolean, ir.Constant(ir.IntType(1), int(value)))
        case int():
            return Value(types.int64, I64(value), value)
        case float():
            return Value(types.float64, ir.Constant(ir.DoubleType(), value))
        case _:
            raise Unsupported(f"the constant {value!r}")


def unified(*kinds: Any) -> Any:
    """The type in which values meet."""
    first, *others = kinds
    for kind in others:
        first = _unified(first, kind)
    return first


def _unified(a: Any, b: Any) -> Any:
    if a == b:
        return a
    if vector := joined(a, b):
        return vector
    kinds = {a, b}
    if types.float64 in kinds and kinds <= {types.float64, types.float32, types.int64}:
        return types.float64
    if kinds == {types.float32, types.int64}:
        return types.float64
    if types.int64 in kinds and kinds <= {types.int64, types.int32, types.uint8, types.boolean}:
        return types.int64
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
    return Value(kind, _changed(builder, v, kind, into), v.literal if kind == types.int64 else None)


def _changed(builder: Any, v: Value, kind: Any, into: Any) -> Any:
    is_float, was_float = isinstance(kind, types.Float), isinstance(v.kind, types.Float)
    if not isinstance(v.kind, types.Float | types.Integer | types.Boolean):
        raise Unsupported(f"{v.kind} as {kind}")
    if is_float and was_float:
        return builder.fpext(v.value, into) if kind == types.float64 else builder.fptrunc(v.value, into)
    if is_float:
        return builder.sitofp(v.value, into) if v.kind in _SIGNED else builder.uitofp(v.value, into)
    if kind == types.boolean or (was_float and kind != types.int64):
        raise Unsupported(f"{v.kind} as {kind}")
    if was_float:
        return builder.fptosi(v.value, into)
    if v.value.type.width > into.width:
        return builder.trunc(v.value, into)
    return builder.sext(v.value, into) if v.kind in _SIGNED else builder.zext(v.value, into)


def computed(builder: Any, op: type, a: Value, b: Value, flags: tuple[str, ...]) -> Value:
    """a + b, a - b, a * b, a / b."""
    kind = unified(a.kind, b.kind)
    if kind == types.int64 and op is ast.Div:
        kind = types.float64
    left, right = cast(builder, a, kind).value, cast(builder, b, kind).value
    if isinstance(kind, types.Float) or (isinstance(kind, Lanes) and kind.kind != "i64"):
        name, flags = _FLOATS.get(op), ("contract",)
    else:
        name = _WHOLES.get(op) if kind == types.int64 or isinstance(kind, Lanes) else None
        flags = flags if kind == types.int64 else ()
    if name is None:
        raise Unsupported(f"{op.__name__} of {kind}")
    if a.literal is not None and b.literal is not None and kind == types.int64:
        return constant({ast.Add: a.literal + b.literal, ast.Sub: a.literal - b.literal}.get(op, a.literal * b.literal))
    return Value(kind, getattr(builder, name)(left, right, flags=flags))


def negated(builder: Any, v: Value, flags: tuple[str, ...]) -> Value:
    """-v; the literal is kept. Raises Unsupported for bools and short integers."""
    if v.literal is not None:
        return constant(-v.literal)
    if v.kind == types.int64:
        return Value(v.kind, builder.sub(I64(0), v.value, flags=flags))
    if isinstance(v.kind, Lanes) and v.kind.kind == "i64":
        return Value(v.kind, builder.neg(v.value))
    if not isinstance(v.kind, types.Float | Lanes):
        raise Unsupported(f"- of {v.kind}")
    return Value(v.kind, builder.fneg(v.value))


def compared(builder: Any, op: type, a: Value, b: Value) -> Value:
    """a < b and the like, as a bool: NaN is equal to nothing. Raises Unsupported for vectors and other operators."""
    kind, symbol = unified(a.kind, b.kind), _COMPARISONS.get(op)
    if symbol is None or kind not in (types.int64, types.float32, types.float64, types.boolean):
        raise Unsupported(f"{op.__name__} of {kind}")
    left, right = cast(builder, a, kind).value, cast(builder, b, kind).value
    if kind == types.boolean:
        return Value(kind, builder.icmp_unsigned(symbol, left, right))
    if kind == types.int64:
        return Value(types.boolean, builder.icmp_signed(symbol, left, right))
    compare = builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered
    return Value(types.boolean, compare(symbol, left, right))


def read(builder: Any, pointer: Value, index: Value) -> Value:
    """pointer[index]. Raises Unsupported where the first is no pointer."""
    if isinstance(pointer.kind, lang.Pointer):
        kinds = signature(pointer.kind.element, pointer.kind, types.int64)
        found = lang.read_element(CONTEXT, builder, kinds, (pointer.value, index.value))
        return Value(pointer.kind.element, found)
    if isinstance(pointer.kind, types.CPointer):
        return Value(pointer.kind.dtype, builder.load(builder.gep(pointer.value, [index.value])))
    raise Unsupported(f"{pointer.kind}[…]")


def write(builder: Any, pointer: Value, index: Value, value: Value) -> None:
    """pointer[index] = value, converted to the element. Raises Unsupported where nothing can be written."""
    if isinstance(pointer.kind, lang.Pointer) and pointer.kind.use == "output":
        element = pointer.kind.element
        kinds = signature(types.none, pointer.kind, types.int64, element)
        stored = _numeric(builder, value, element).value
        lang.write_element(CONTEXT, builder, kinds, (pointer.value, index.value, stored))
    elif isinstance(pointer.kind, types.CPointer):
        stored = _numeric(builder, value, pointer.kind.dtype).value
        builder.store(stored, builder.gep(pointer.value, [index.value]))
    else:
        raise Unsupported(f"{pointer.kind}[…] = …")
