"""The scalar functions that generated worker source may call, over one float type each, as LLVM computes them.

exp_f32(x), exp_f64(x), …: functions of `vecmath`, or LLVM's own (sqrt, floor, …), of one number or of a vector. relu, sign,
floordiv, mod take ints and floats. accuracy: see `vecmath`; sqrt is rounded correctly.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from indexlang.kernels import kinds
from indexlang.kernels.kinds import KindError, word
from indexlang.kernels.lanes import Lanes, function_of, joined, kind_of, like

Build = Callable[..., Any]

_KINDS = {"f32": (kinds.float32, ir.FloatType()), "f64": (kinds.float64, ir.DoubleType())}


def _llvm(name: str) -> Build:
    def build(builder: Any, *args: Any) -> Any:
        return function_of(builder, name, *args)

    return build


_fabs, _fma = _llvm("fabs"), _llvm("fma")


def _ours(name: str) -> Build:
    """A function of `vecmath`, which `toolchain` links."""

    def build(builder: Any, *args: Any) -> Any:
        value = args[0].type
        width = f"x{value.count}" if isinstance(value, ir.VectorType) else ""
        full = f"indexlang_{name}_{kind_of(value)}{width}"
        function = builder.module.globals.get(full)
        function = function or ir.Function(builder.module, ir.FunctionType(value, [value] * len(args)), full)
        return builder.call(function, args)

    return build


# For each type: beyond which sizes a divisor is scaled first, and by how much.
_SCALES = {"f32": (2.0**-100, 2.0**100, 2.0**64), "f64": (2.0**-900, 2.0**900, 2.0**512)}


def _quotient(builder: Any, x: Any, y: Any) -> Any:
    """x / y, correctly rounded, in multiplications: LLVM computes 1/y once where y does not change in a loop.

    source  Markstein, IBM J. Res. Dev. 34(1), 1990: q = x*r, then q + (x - q*y)*r with r = 1/y rounded
    """
    small, large, factor = _SCALES[kind_of(y.type)]
    size = _fabs(builder, y)
    one = like(y, 1.0)
    scale = builder.select(builder.fcmp_ordered("<", size, like(y, small)), like(y, factor), one)
    scale = builder.select(builder.fcmp_ordered(">", size, like(y, large)), like(y, 1 / factor), scale)
    divisor = builder.fmul(y, scale)
    r = builder.fdiv(one, divisor)
    q = builder.fmul(x, r)
    rest = _fma(builder, builder.fneg(q), divisor, x)
    better = _fma(builder, rest, r, q)
    # Infinities met, or a zero would lose its sign: q stands.
    is_done = builder.fcmp_unordered("==", better, like(y, 0.0))
    return builder.fmul(builder.select(is_done, q, better), scale)


_FLOAT: dict[str, tuple[int, Build]] = {
    "sqrt": (1, _llvm("sqrt")),
    "quotient": (2, _quotient),
    "floor": (1, _llvm("floor")),
    "ceil": (1, _llvm("ceil")),
    "round": (1, _llvm("rint")),
    "abs": (1, _fabs),
    "pow": (2, _ours("pow")),
    **{
        name: (1, _ours(name))
        for name in ("exp", "log", "log1p", "expm1", "sin", "cos", "tanh", "erf", "sigmoid", "silu", "gelu", "softplus")
    },
}


def _float_function(name: str, kind: str, arity: int, build: Build) -> Any:
    element = _KINDS[kind][0]

    def typed(*given: Any) -> Any:
        value = joined(*given) or element
        if value != element and value.element != element:
            raise KindError(f"{name}_{kind} takes {kind}, not {given}")
        return value(*(value for _ in given)), lambda context, builder, signature, args: build(builder, *args)

    def unary(typing, x):
        return typed(x)

    def binary(typing, x, y):
        return typed(x, y)

    function = unary if arity == 1 else binary
    function.__name__ = f"{name}_{kind}"
    return word(function)


for _name, (_arity, _build) in _FLOAT.items():
    for _kind in _KINDS:
        globals()[f"{_name}_{_kind}"] = _float_function(_name, _kind, _arity, _build)


def _kind_of(t: Any) -> str | None:
    return "f32" if t == kinds.float32 else "f64" if t == kinds.float64 else None


def _numeric(name: str, on_float: Build, on_int: Build, arity: int) -> Any:
    """A function of floats or int64 (or, of one argument, of a vector), chosen by the type of its arguments."""

    def result(*given: Any) -> Any:
        t = given[0]
        if isinstance(t, Lanes) and arity == 1:
            return t(t), lambda context, builder, signature, args: on_float(builder, t.kind, *args)
        if t not in (kinds.float32, kinds.float64, kinds.int64) or any(k != t for k in given):
            raise KindError(f"{name} takes int64, float32 or float64, not {given}")
        kind = _kind_of(t)

        def generate(context, builder, signature, args):
            return on_int(builder, *args) if kind is None else on_float(builder, kind, *args)

        return t(*given), generate

    if arity == 1:

        def function(typing, x):
            return result(x)

        function.__name__ = name
        return word(function)

    def function_of_two(typing, x, y):
        return result(x, y)

    function_of_two.__name__ = name
    return word(function_of_two)


def _int(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _relu_float(builder: Any, kind: str, x: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", x, like(x, 0.0)), like(x, 0.0), x)


def _relu_int(builder: Any, x: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, _int(0)), _int(0), x)


def _sign_float(builder: Any, kind: str, x: Any) -> Any:
    zero = like(x, 0.0)
    below = builder.select(builder.fcmp_ordered("<", x, zero), like(x, -1.0), x)
    return builder.select(builder.fcmp_ordered(">", x, zero), like(x, 1.0), below)


def _sign_int(builder: Any, x: Any) -> Any:
    below = builder.select(builder.icmp_signed("<", x, _int(0)), _int(-1), _int(0))
    return builder.select(builder.icmp_signed(">", x, _int(0)), _int(1), below)


def _abs_float(builder: Any, kind: str, x: Any) -> Any:
    return function_of(builder, "fabs", x)


def _abs_int(builder: Any, x: Any) -> Any:
    return builder.select(builder.icmp_signed("<", x, _int(0)), builder.neg(x), x)


def _floordiv_float(builder: Any, kind: str, x: Any, y: Any) -> Any:
    return _FLOAT["floor"][1](builder, builder.fdiv(x, y))


def _floordiv_int(builder: Any, x: Any, y: Any) -> Any:
    """Rounded down as Python does (LLVM truncates); 0 for a zero divisor."""
    zero = builder.icmp_signed("==", y, _int(0))
    minus = builder.icmp_signed("==", y, _int(-1))
    safe = builder.select(builder.or_(zero, minus), _int(1), y)
    quotient = builder.sdiv(x, safe)
    rest = builder.sub(x, builder.mul(quotient, safe))
    signs = builder.icmp_signed("<", builder.xor(rest, safe), _int(0))
    down = builder.and_(builder.icmp_signed("!=", rest, _int(0)), signs)
    found = builder.select(down, builder.sub(quotient, _int(1)), quotient)
    return builder.select(zero, _int(0), builder.select(minus, builder.neg(x), found))


def _mod_float(builder: Any, kind: str, x: Any, y: Any) -> Any:
    return builder.fsub(x, builder.fmul(y, _floordiv_float(builder, kind, x, y)))


def _mod_int(builder: Any, x: Any, y: Any) -> Any:
    zero = builder.icmp_signed("==", y, _int(0))
    found = builder.sub(x, builder.mul(_floordiv_int(builder, x, y), y))
    return builder.select(zero, _int(0), found)


relu = _numeric("relu", _relu_float, _relu_int, 1)
sign = _numeric("sign", _sign_float, _sign_int, 1)
absolute = _numeric("absolute", _abs_float, _abs_int, 1)
floordiv = _numeric("floordiv", _floordiv_float, _floordiv_int, 2)
mod = _numeric("mod", _mod_float, _mod_int, 2)


@word
def to_int(typing, x):
    """A whole float as an int64: held within ±2^62, NaN as -2^62, so that a later range check fails and says so."""
    if _kind_of(x) is None:
        raise KindError("to_int takes a float")

    def generate(context, builder, signature, args):
        low, high = like(args[0], -(2.0**62)), like(args[0], 2.0**62)
        value = builder.select(builder.fcmp_ordered(">", args[0], low), args[0], low)
        value = builder.select(builder.fcmp_ordered("<", value, high), value, high)
        return builder.fptosi(value, ir.IntType(64))

    return kinds.int64(x), generate


def _philox(builder: Any, key: Any, stream: Any, position: Any) -> Any:
    """The first word of Philox 4x32 with 10 rounds (Salmon et al., SC 2011), in 64-bit registers."""
    mask, half = _int(0xFFFFFFFF), _int(32)

    def low(x: Any) -> Any:
        return builder.and_(x, mask)

    def high(x: Any) -> Any:
        return builder.lshr(x, half)

    c0, c1, c2, c3 = low(position), high(position), low(stream), high(stream)
    k0, k1 = low(key), high(key)
    for _ in range(10):
        p0, p1 = builder.mul(c0, _int(0xD2511F53)), builder.mul(c2, _int(0xCD9E8D57))
        c0, c1, c2, c3 = (
            builder.xor(builder.xor(high(p1), c1), k0),
            low(p1),
            builder.xor(builder.xor(high(p0), c3), k1),
            low(p0),
        )
        k0, k1 = low(builder.add(k0, _int(0x9E3779B9))), low(builder.add(k1, _int(0xBB67AE85)))
    return c0


def _uniform_function(kind: str) -> Any:
    value = _KINDS[kind][0]

    def draw(typing, key, stream, position):
        def generate(context, builder, signature, args):
            word = builder.lshr(_philox(builder, *args), _int(8))
            return builder.fmul(builder.uitofp(word, _KINDS[kind][1]), ir.Constant(_KINDS[kind][1], 2.0**-24))

        return value(kinds.int64, kinds.int64, kinds.int64), generate

    draw.__name__ = f"uniform_{kind}"
    return word(draw)


uniform_f32, uniform_f64 = _uniform_function("f32"), _uniform_function("f64")

NAMES = (
    "uniform_f32",
    "uniform_f64",
    *(f"{name}_{kind}" for name in _FLOAT for kind in _KINDS),
    "relu",
    "sign",
    "absolute",
    "floordiv",
    "mod",
    "to_int",
)
"""What generated source may import from here."""
