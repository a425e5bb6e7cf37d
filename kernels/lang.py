"""The names that generated worker source may use, as LLVM computes them.

pointer_f32(address) …     an int64 as a pointer; `p[i]` reads and `p[i] = v` writes element i (no wraparound, no check)
input_f32(address) …       the same, to be read only: LLVM may take it that no write through an output touches it
output_f32(address) …      the same, for what the worker writes; it may be read too
shift(p, n)                the pointer n elements further on
stream(p, n, q, count)     p[n], p[n + 1], … = q[0], q[1], …, `count` of them, by stores that leave the caches alone
turn_f32(q, m, p, n, s, r, c)   q[k*m + h] = p[n + h*s + k] for h < r and k < c; and turn_f64
streams_end()              what was streamed is written before anything that follows
scratch_f32(n)             room for n elements (a literal) on the stack of the thread, like an output; and scratch_f64
plus(a, b), times(a, b)    like + and *, but LLVM may reorder a chain of them, so that a reduction becomes vectors
max2(a, b), min2(a, b)     the greater or smaller; NaN if either is NaN, as numpy.maximum and numpy.minimum
atomic_min(p, i, v)        p[i] = min(p[i], v) for int64, safe between threads
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from llvmlite import ir

from indexlang.kernels import kinds
from indexlang.kernels.kinds import Kind, KindError, word, word_of_literals
from indexlang.kernels.lanes import Lanes, function_of, joined
from indexlang.kernels.stream_ir import STREAM
from indexlang.kernels.tile_ir import ARGUMENTS, I64, POINTER, POINTERS, SETTLED, Tile

# What LLVM may assume of `plus` and `times`: the order of a chain and the sign of zero do not matter, nothing else.
_REORDER = ("reassoc", "nsz", "contract")


def _pointer_function(element: Any, name: str) -> Any:
    def pointer(typing, address):
        if not isinstance(address, kinds.Integer):
            raise KindError(f"{name} takes an address")

        def generate(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return kinds.Address(element)(kinds.int64), generate

    pointer.__name__ = name
    return word(pointer)


pointer_f32 = _pointer_function(kinds.float32, "pointer_f32")
pointer_f64 = _pointer_function(kinds.float64, "pointer_f64")
pointer_i64 = _pointer_function(kinds.int64, "pointer_i64")
pointer_i32 = _pointer_function(kinds.int32, "pointer_i32")
pointer_u8 = _pointer_function(kinds.uint8, "pointer_u8")


_BYTES = ir.IntType(8).as_pointer()


class Pointer(Kind):
    """Address of elements of one type: of an input, which nobody writes while it is read, or of an output.

    (An `Address` cannot store a boolean, and says nothing of overlaps.)
    """

    def __init__(self, element: Any, use: str) -> None:
        self.element, self.use = element, use
        super().__init__(f"Pointer({element}, {use})", _BYTES)


def _typed_pointer(element: Any, use: str, name: str) -> Any:
    kind = Pointer(element, use)

    def pointer(typing, address):
        def generate(context, builder, signature, args):
            return builder.inttoptr(args[0], _BYTES)

        return kind(kinds.int64), generate

    pointer.__name__ = name
    return word(pointer)


_ELEMENTS = {
    "f32": kinds.float32,
    "f64": kinds.float64,
    "i64": kinds.int64,
    "i32": kinds.int32,
    "u8": kinds.uint8,
    "bool": kinds.boolean,
}
for _name, _element in _ELEMENTS.items():
    for _use in ("input", "output"):
        globals()[f"{_use}_{_name}"] = _typed_pointer(_element, _use, f"{_use}_{_name}")
pointer_bool = globals()["output_bool"]
_BYTES_OF = {e: int(re.sub(r"\D", "", name) or 8) // 8 for name, e in _ELEMENTS.items()}  # a bool is kept as a byte


def _storage(context: Any, element: Any) -> Any:
    return ir.IntType(8) if element == kinds.boolean else context.get_value_type(element)


def _place(builder: Any, pointer: Any, index: Any, storage: Any) -> Any:
    return builder.gep(builder.bitcast(pointer, storage.as_pointer()), [index])


def read_element(context, builder, signature, args):
    """`pointer[index]`: a load, of inputs one that no store can change."""
    kind = signature.args[0]
    storage = _storage(context, kind.element)
    pointer, index = args
    value = builder.load(_place(builder, pointer, index, storage))
    if kind.use == "input":
        value.set_metadata("alias.scope", _inputs(builder.module))
    return builder.trunc(value, ir.IntType(1)) if kind.element == kinds.boolean else value


def write_element(context, builder, signature, args):
    """`pointer[index] = value`: a store into no input. A bool is kept as a byte."""
    kind = signature.args[0]
    pointer, index, value = args
    storage = _storage(context, kind.element)
    stored = builder.zext(value, storage) if kind.element == kinds.boolean else value
    builder.store(stored, _place(builder, pointer, index, storage)).set_metadata("noalias", _inputs(builder.module))
    return context.get_dummy_value()


def _inputs(module: Any) -> Any:
    """The alias scope of all inputs: what is written is none of them."""
    domain = module.add_metadata(["indexlang"])
    return module.add_metadata([module.add_metadata(["inputs", domain])])


@word
def shift(typing, pointer, count):
    """The pointer `count` elements behind `pointer`."""
    if not isinstance(pointer, kinds.Address | Pointer):
        raise KindError("shift takes a pointer")

    def generate(context, builder, signature, args):
        start, steps = args
        if isinstance(pointer, Pointer):
            return builder.bitcast(_place(builder, start, steps, _storage(context, pointer.element)), _BYTES)
        return builder.gep(start, [steps])

    return pointer(pointer, kinds.int64), generate


def _scratch_function(element: Any, name: str) -> Any:
    kind = Pointer(element, "output")

    def scratch(typing, count):
        if not isinstance(count, kinds.Literal):
            raise KindError(f"{name} takes a number of the source")

        def generate(context, builder, signature, args):
            room = ir.ArrayType(context.get_value_type(element), count.literal_value)
            with builder.goto_entry_block():
                place = builder.alloca(room)
            place.align = 64
            return builder.bitcast(place, _BYTES)

        return kind(count), generate

    scratch.__name__ = name
    return word_of_literals(scratch)


scratch_f32 = _scratch_function(kinds.float32, "scratch_f32")
scratch_f64 = _scratch_function(kinds.float64, "scratch_f64")


@word
def stream(typing, pointer, index, row, count):
    """Copy `count` elements from `row` to pointer[index] and on, past the caches: a call of the function of `stream_ir`."""
    if not isinstance(pointer, Pointer) or pointer != row or pointer.use != "output":
        raise KindError("stream takes two outputs of one type")

    def generate(context, builder, signature, args):
        to, at, source, number = args
        storage = _storage(context, pointer.element)
        size = number.type(_BYTES_OF[pointer.element])
        place = builder.bitcast(_place(builder, to, at, storage), POINTER)
        kind = ir.FunctionType(ir.VoidType(), [POINTER, POINTER, I64])
        function = builder.module.globals.get(STREAM) or ir.Function(builder.module, kind, STREAM)
        builder.call(function, [place, builder.bitcast(source, POINTER), builder.mul(number, size)])
        return context.get_dummy_value()

    return kinds.void(pointer, kinds.int64, pointer, kinds.int64), generate


def _turn_function(element: Any, kind: str) -> Any:
    name = f"turn_block_{kind}"

    def turn(typing, row, side, pointer, index, step, rows, columns):
        if not all(isinstance(p, Pointer) and p.element == element for p in (row, pointer)) or row.use != "output":
            raise KindError(f"turn_{kind} takes an output and a pointer")

        def generate(context, builder, signature, args):
            to, apart, source, at, step, *count = args
            place = _place(builder, source, at, _storage(context, element))
            signed = ir.FunctionType(ir.VoidType(), [POINTER, I64, POINTER, I64, I64, I64])
            function = builder.module.globals.get(name) or ir.Function(builder.module, signed, name)
            ends = [builder.bitcast(p, POINTER) for p in (to, place)]
            builder.call(function, [ends[0], apart, ends[1], step, *count])
            return context.get_dummy_value()

        whole = kinds.int64
        return kinds.void(row, whole, pointer, whole, whole, whole, whole), generate

    turn.__name__ = f"turn_{kind}"
    return word(turn)


turn_f32, turn_f64 = _turn_function(kinds.float32, "f32"), _turn_function(kinds.float64, "f64")


@word
def streams_end(typing):
    """Stores past the caches keep no order by themselves: what was streamed so far is written before what follows."""

    def generate(context, builder, signature, args):
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return kinds.void(), generate


def _chain(float_name: str, int_name: str, name: str) -> Any:
    """A word of two numbers or vectors: a reorderable float operation, or the plain one on integers."""

    def generate(context, builder, signature, args):
        if isinstance(signature.return_type, kinds.Float | Lanes):
            return getattr(builder, float_name)(*args, flags=_REORDER)
        return getattr(builder, int_name)(*args)

    return _binary(generate, name)


def _extreme(llvm_name: str, comparison: str, name: str) -> Any:
    """A word of two numbers or vectors: LLVM's minimum or maximum, which keeps NaN, or a comparison of integers."""

    def generate(context, builder, signature, args):
        kind = signature.return_type
        if isinstance(kind, kinds.Float | Lanes):
            return function_of(builder, llvm_name, *args, fastmath=("nsz",))
        compare = builder.icmp_signed if getattr(kind, "signed", False) else builder.icmp_unsigned
        return builder.select(compare(comparison, *args), *args)

    return _binary(generate, name)


def _binary(generate: Callable[..., Any], name: str) -> Any:
    def operation(typing, a, b):
        kind = joined(a, b) or typing.unify_types(a, b)
        if not isinstance(kind, kinds.Integer | kinds.Float | kinds.Boolean | Lanes):
            raise KindError(f"{name} takes two numbers")
        return kind(kind, kind), generate

    operation.__name__ = name
    return word(operation)


plus = _chain("fadd", "add", "plus")
times = _chain("fmul", "mul", "times")
max2 = _extreme("maximum", ">", "max2")
min2 = _extreme("minimum", "<", "min2")


@word
def atomic_min(typing, pointer, index, value):
    """pointer[index] = min(pointer[index], value), in one step that other threads cannot divide."""
    if pointer != kinds.Address(kinds.int64):
        raise KindError("atomic_min takes a pointer_i64")

    def generate(context, builder, signature, args):
        place = builder.gep(args[0], [args[1]])
        builder.atomic_rmw("min", place, args[2], "seq_cst")
        return context.get_dummy_value()

    return kinds.void(pointer, kinds.int64, kinds.int64), generate


def tile_function(tile: Tile) -> Any:
    """The contraction tile as a word: a call of the function that `tiles` makes, with the literals given here."""

    def call(typing, out, out_row, a, a_row, a_step, w, w_step, offsets, segments, run, columns, adds, ahead):
        def generate(context, builder, signature, args):
            module = builder.module
            kind = ir.FunctionType(ir.VoidType(), [POINTER if name in POINTERS else I64 for name in ARGUMENTS])
            name = replace(tile, settled=_settled(args)).name
            function = module.globals.get(name) or ir.Function(module, kind, name)
            function.attributes.add("nounwind")
            pointers = [
                builder.bitcast(v, POINTER) if name in POINTERS else v for name, v in zip(ARGUMENTS, args, strict=True)
            ]
            builder.call(function, pointers)
            return context.get_dummy_value()

        given = (out, out_row, a, a_row, a_step, w, w_step, offsets, segments, run, columns, adds, ahead)
        taken = (k if name in POINTERS else kinds.int64 for name, k in zip(ARGUMENTS, given, strict=True))
        return kinds.void(*taken), generate

    call.__name__ = tile.name
    return word(call)


def _settled(args: Any) -> tuple[tuple[str, int], ...]:
    """Arguments of a tile that are literals where it is called, which have a function of their own."""
    given = dict(zip(ARGUMENTS, args, strict=True))
    literals = ((name, given[name]) for name in SETTLED)
    return tuple((name, v.constant) for name, v in literals if isinstance(v, ir.Constant) and 0 <= v.constant < 10**9)
