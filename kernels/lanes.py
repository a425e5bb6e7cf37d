"""Vectors by name for generated workers, as LLVM has them.

lanes_f32x16(p, n)            the 16 elements from p[n] on, as one vector; likewise `f64`, and any power of two
strided_f32x16(p, n, step)    p[n], p[n + step], …
reversed_f32x16(p, n)         p[n], p[n - 1], …
joined_f32x8x2(p, n, step)    8 elements from p[n] on, and 8 from p[n + step] on, in one vector
repeated_f32x8x2(p, n, step)  8 times p[n], and 8 times p[n + step]
spread_f32x16(x)              a vector of which every lane is x
ramp_i64x16(n, step)          the integers n, n + step, …
floats_f32x16(v)              a vector of integers as floats, each rounded once
put(p, n, v)                  write the lanes of v to p[n], p[n + 1], …

+ - * / and the functions of `lang` and `scalar` that say so take vectors and single floats together; tests on vectors are
in `masks`.
"""

import re
from typing import Any

from llvmlite import ir

from indexlang.kernels import kinds
from indexlang.kernels.kinds import Kind, KindError, word
from indexlang.kernels.tile_ir import I32, I64

_KINDS = {
    "f32": (kinds.float32, ir.FloatType(), 4),
    "f64": (kinds.float64, ir.DoubleType(), 8),
    "i64": (kinds.int64, I64, 8),
}
_NAME = re.compile(r"(?:(lanes|strided|reversed|spread|floats)_(f32|f64)|(ramp)_(i64))x(2|4|8|16|32)")
_PIECES = re.compile(r"(joined|repeated)_(f32|f64)x(1|2|4|8|16)x(2|4|8|16|32)")


class Lanes(Kind):
    """A vector of `width` numbers of one type; a single number becomes one by repetition."""

    def __init__(self, kind: str, width: int) -> None:
        self.kind, self.width = kind, width
        self.element, self.storage, self.itemsize = _KINDS[kind]
        super().__init__(f"Lanes({kind}, {width})", ir.VectorType(self.storage, width))


def joined(*given: Any) -> "Lanes | None":
    """The vector type in which numbers of these types meet; None where none of them is a vector."""
    found = next((k for k in given if isinstance(k, Lanes)), None)
    if found is not None and any(k not in (found, found.element) for k in given):
        raise KindError(f"{given} do not meet in one vector")
    return found


def like(value: Any, number: float) -> ir.Constant:
    """The constant `number` of the type of `value`, single or repeated."""
    if isinstance(value.type, ir.VectorType):
        return ir.Constant(value.type, [ir.Constant(value.type.element, number)] * value.type.count)
    return ir.Constant(value.type, number)


def function_of(builder: Any, name: str, *args: Any, fastmath: tuple[str, ...] = ()) -> Any:
    """A call of LLVM's `name` on floats or vectors of one type."""
    kind = args[0].type
    ending = f"v{kind.count}{kind_of(kind)}" if isinstance(kind, ir.VectorType) else kind_of(kind)
    full = f"llvm.{name}.{ending}"
    found = builder.module.globals.get(full)
    found = found or ir.Function(builder.module, ir.FunctionType(kind, [kind] * len(args)), full)
    return builder.call(found, args, fastmath=fastmath)


def kind_of(value: Any) -> str:
    """The name of an LLVM float type, or of the elements of a vector of it."""
    return "f32" if isinstance(getattr(value, "element", value), ir.FloatType) else "f64"


def spread(builder: Any, value: Any, width: int) -> Any:
    """The number `value` in all of `width` lanes."""
    kind = ir.VectorType(value.type, width)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(I32, width), None))


def _element(builder: Any, pointer: Any, index: Any, storage: Any) -> Any:
    return builder.gep(builder.bitcast(pointer, storage.as_pointer()), [index])


@word
def put(typing, pointer, index, value):
    """Write the lanes of `value` from pointer[index] on."""
    if not isinstance(value, Lanes):
        raise KindError("put takes a vector")

    def generate(context, builder, signature, args):
        place = builder.bitcast(_element(builder, *args[:2], value.storage), args[2].type.as_pointer())  # pyright: ignore[reportCallIssue]
        store = builder.store(args[2], place, align=value.itemsize)
        store.set_metadata("noalias", _inputs(builder.module))
        return context.get_dummy_value()

    return kinds.void(pointer, kinds.int64, value), generate


def _inputs(module: Any) -> Any:
    """The alias scope of all inputs, as in `lang`."""
    domain = module.add_metadata(["indexlang"])
    return module.add_metadata([module.add_metadata(["inputs", domain])])


def _loaded(kind: Lanes, builder: Any, pointer: Any, place: tuple[Any, Any]) -> Any:
    """The elements side by side from an address and an index on; `pointer` is the type of the address."""
    vector = ir.VectorType(kind.storage, kind.width)
    place = builder.bitcast(_element(builder, *place, kind.storage), vector.as_pointer())  # pyright: ignore[reportCallIssue]
    value = builder.load(place, align=kind.itemsize)
    if getattr(pointer, "use", "") == "input":
        value.set_metadata("alias.scope", _inputs(builder.module))
    return value


def _lanes(kind: Lanes) -> Any:
    def lanes(typing, pointer, index):
        def generate(context, builder, signature, args):
            return _loaded(kind, builder, pointer, args)

        return kind(pointer, kinds.int64), generate

    return lanes


def _reversed(kind: Lanes) -> Any:
    def reversed_(typing, pointer, index):
        def generate(context, builder, signature, args):
            start, last = args
            found = _loaded(kind, builder, pointer, (start, builder.sub(last, I64(kind.width - 1))))
            order = ir.Constant(ir.VectorType(I32, kind.width), list(reversed(range(kind.width))))
            return builder.shuffle_vector(found, found, order)

        return kind(pointer, kinds.int64), generate

    return reversed_


def _strided(kind: Lanes) -> Any:
    def strided(typing, pointer, index, step):
        def generate(context, builder, signature, args):
            start, index, step = args
            found = ir.Constant(ir.VectorType(kind.storage, kind.width), ir.Undefined)
            for k in range(kind.width):
                place = builder.add(index, builder.mul(step, I64(k)))
                value = builder.load(_element(builder, start, place, kind.storage))
                if getattr(pointer, "use", "") == "input":
                    value.set_metadata("alias.scope", _inputs(builder.module))
                found = builder.insert_element(found, value, I32(k))
            return found

        return kind(pointer, kinds.int64, kinds.int64), generate

    return strided


def _joined(width: int, kind: Lanes) -> Any:
    """Pieces of `width` elements."""
    own = Lanes(kind.kind, width)

    def generate_piece(builder: Any, pointer: Any, place: tuple[Any, Any]) -> Any:
        piece = _loaded(own, builder, pointer, place)
        order = [k % width for k in range(kind.width)]
        return builder.shuffle_vector(piece, piece, ir.Constant(ir.VectorType(I32, kind.width), order))

    return _in_pieces(width, kind, generate_piece)


def _repeated_pieces(width: int, kind: Lanes) -> Any:
    """Pieces of one element each."""

    def generate_piece(builder: Any, pointer: Any, place: tuple[Any, Any]) -> Any:
        value = builder.load(_element(builder, *place, kind.storage))  # pyright: ignore[reportCallIssue]
        if getattr(pointer, "use", "") == "input":
            value.set_metadata("alias.scope", _inputs(builder.module))
        return spread(builder, value, kind.width)

    return _in_pieces(width, kind, generate_piece)


def _in_pieces(width: int, kind: Lanes, generate_piece: Any) -> Any:
    """Each piece as a whole vector, of which every lane that is its own is taken."""

    def pieces(typing, pointer, index, step):
        def generate(context, builder, signature, args):
            start, index, step = args
            found = generate_piece(builder, pointer, (start, index))
            for k in range(1, kind.width // width):
                index = builder.add(index, step)
                piece = generate_piece(builder, pointer, (start, index))
                own = [lane // width == k for lane in range(kind.width)]
                found = builder.select(ir.Constant(ir.VectorType(ir.IntType(1), kind.width), own), piece, found)
            return found

        return kind(pointer, kinds.int64, kinds.int64), generate

    return pieces


def _repeat(kind: Lanes) -> Any:
    def spread(typing, value):
        return kind(kind), lambda context, builder, signature, args: args[0]

    return spread


def _ramp(kind: Lanes) -> Any:
    def ramp(typing, start, step):
        def generate(context, builder, signature, args):
            numbers = ir.Constant(ir.VectorType(I64, kind.width), list(range(kind.width)))
            steps = builder.mul(spread(builder, args[1], kind.width), numbers)
            return builder.add(spread(builder, args[0], kind.width), steps)

        return kind(kinds.int64, kinds.int64), generate

    return ramp


def _floats(kind: Lanes) -> Any:
    def floats(typing, value):
        def generate(context, builder, signature, args):
            return builder.sitofp(args[0], ir.VectorType(kind.storage, kind.width))

        return kind(Lanes("i64", kind.width)), generate

    return floats


_MAKERS = {
    "lanes": _lanes,
    "strided": _strided,
    "reversed": _reversed,
    "spread": _repeat,
    "ramp": _ramp,
    "floats": _floats,
}
_MAKERS_OF_PIECES = {"joined": _joined, "repeated": _repeated_pieces}


def _made(name: str) -> Any:
    """The function of that name; None where there is none."""
    if (found := _NAME.fullmatch(name)) is not None:
        return _MAKERS[found[1] or found[3]](Lanes(found[2] or found[4], int(found[5])))
    if (found := _PIECES.fullmatch(name)) is not None:
        width, count = int(found[3]), int(found[4])
        return _MAKERS_OF_PIECES[found[1]](width, Lanes(found[2], width * count))
    return None


def __getattr__(name: str) -> Any:
    """`lanes_f32x16` and the others on first use."""
    function = _made(name)
    if function is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function.__name__ = name
    globals()[name] = made = word(function)
    return made
