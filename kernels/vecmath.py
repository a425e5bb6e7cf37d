"""exp, expm1, log, log1p, tanh and erf in plain arithmetic, so that LLVM makes vectors of loops that use them.

Workers are written with `math.exp` and so on; `toolchain` puts these functions in place of the C library's. They have
no branches and keep NaN, infinities, zeros and denormals as the C library does. Greatest error found, in units in the
last place, over the whole range (`tests/kernels/test_vecmath.py`; the promise is 4):

    f32   exp 1.1   log 0.8   tanh 2.4   erf 1.0   expm1 1.5   log1p 1.5
    f64   exp 1.1   log 0.8   tanh 2.3             expm1 2.1   log1p 1.3

source  exp: reduction by two parts of ln 2, polynomial by interpolation at Chebyshev points; log: fdlibm e_log.c and
        FreeBSD e_logf.c; erf: two polynomials after N. Juffa
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir

from indexlang.kernels.tile_ir import I32, I64


class _Kind:
    """Constants of a floating type, and how its bits are laid out."""

    def __init__(self, name: str, element: ir.Type, bits: Any, mantissa: int, **constants: Any) -> None:
        self.name, self.element, self.bits, self.mantissa = name, element, bits, mantissa
        self.bias = (1 << (bits.width - mantissa - 2)) - 1
        self.round = 1.5 * 2.0**mantissa  # adding this leaves the nearest integer in the low bits
        self.c: dict[str, Any] = constants


_F32 = _Kind(
    "f32",
    ir.FloatType(),
    I32,
    23,
    ln2=(0.693359375, -2.12194440054690583e-4),
    least=-104.0,
    greatest=89.0,
    tanh_end=10.0,
    exp=(0.5, 0.166665769896987757, 0.0416665546172045742, 0.00836317905272257737, 0.00139261835877134945),
    log=(0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    log_ln2=(6.9313812256e-01, 9.0580006145e-06),
)
_F64 = _Kind(
    "f64",
    ir.DoubleType(),
    I64,
    52,
    ln2=(6.93147180369123816490e-01, 1.90821492927058770002e-10),
    least=-746.0,
    greatest=710.0,
    tanh_end=20.0,
    exp=(
        0.500000000000000102,
        0.166666666666666675,
        0.0416666666666241279,
        0.00833333333333006183,
        0.00138888889172137169,
        0.000198412698630536169,
        0.0000248015212959543751,
        2.75572684599970648e-6,
        2.76200884454097482e-7,
        2.51003854955103191e-8,
    ),
    log=(
        6.666666666666735130e-01,
        3.999999999940941908e-01,
        2.857142874366239149e-01,
        2.222219843214978396e-01,
        1.818357216161805012e-01,
        1.531383769920937332e-01,
        1.479819860511658591e-01,
    ),
    log_ln2=(6.93147180369123816490e-01, 1.90821492927058770002e-10),
)
_LOG2_E = 1.4426950408889634074
_ERF_FAR = (
    -1.72853470e-5,
    3.83197126e-4,
    -3.88396438e-3,
    2.42546219e-2,
    -1.06777877e-1,
    -6.34846687e-1,
    -1.28717512e-1,
)
_ERF_NEAR = (1.28379166e-1, -3.76125336e-1, 1.12819925e-1, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4)


class _Maker:
    """Emits the arithmetic of one function on values of one kind."""

    def __init__(self, builder: Any, kind: _Kind) -> None:
        self.b, self.k = builder, kind

    def real(self, value: float) -> Any:
        return ir.Constant(self.k.element, value)

    def whole(self, value: int) -> Any:
        return ir.Constant(self.k.bits, value)

    def call(self, name: str, *args: Any) -> Any:
        full = f"llvm.{name}.{self.k.name}"
        module = self.b.module
        kind = ir.FunctionType(self.k.element, [self.k.element] * len(args))
        return self.b.call(module.globals.get(full) or ir.Function(module, kind, full), args)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        return self.call("fma", x, y, z)

    def polynomial(self, x: Any, coefficients: tuple[float, ...]) -> Any:
        """coefficients[0] + x*(coefficients[1] + …)."""
        value = self.real(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            value = self.fma(value, x, self.real(c))
        return value

    def clamp(self, x: Any, least: float, greatest: float) -> Any:
        """x between the two; NaN stays."""
        x = self.b.select(self.b.fcmp_ordered("<", x, self.real(least)), self.real(least), x)
        return self.b.select(self.b.fcmp_ordered(">", x, self.real(greatest)), self.real(greatest), x)

    def power_of_two(self, n: Any) -> Any:
        """2**n for an integer n in the range of normal numbers."""
        biased = self.b.add(n, self.whole(self.k.bias))
        return self.b.bitcast(self.b.shl(biased, self.whole(self.k.mantissa)), self.k.element)

    def reduce(self, x: Any) -> tuple[Any, Any]:
        """n and r with x = n*ln 2 + r, |r| <= ln 2 / 2."""
        b, (high, low) = self.b, self.k.c["ln2"]
        shifted = self.fma(x, self.real(_LOG2_E), self.real(self.k.round))
        zero = ir.Constant(self.k.element, self.k.round)
        n = b.sub(b.bitcast(shifted, self.k.bits), b.bitcast(zero, self.k.bits))
        turns = b.fsub(shifted, zero)
        return n, self.fma(turns, self.real(-low), self.fma(turns, self.real(-high), x))

    def exp_less_one(self, r: Any) -> Any:
        """exp(r) - 1 for small r."""
        return self.fma(self.b.fmul(r, r), self.polynomial(r, self.k.c["exp"]), r)

    def exp(self, x: Any) -> Any:
        b = self.b
        n, r = self.reduce(self.clamp(x, self.k.c["least"], self.k.c["greatest"]))
        half = b.ashr(n, self.whole(1))
        value = b.fadd(self.real(1.0), self.exp_less_one(r))
        return b.fmul(b.fmul(value, self.power_of_two(half)), self.power_of_two(b.sub(n, half)))

    def tanh(self, x: Any) -> Any:
        """t/(t+2) with t = exp(2|x|) - 1."""
        b = self.b
        size = self.clamp(self.call("fabs", x), 0.0, self.k.c["tanh_end"])
        n, r = self.reduce(b.fadd(size, size))
        scale = self.power_of_two(n)
        t = self.fma(scale, self.exp_less_one(r), b.fsub(scale, self.real(1.0)))
        return self.call("copysign", b.fdiv(t, b.fadd(t, self.real(2.0))), x)

    def expm1(self, x: Any) -> Any:
        """Half of it first, so that 2**n is a number where the value is one; what is tiny is its own value."""
        b, k = self.b, self.k
        n, r = self.reduce(self.clamp(x, -2 * k.c["tanh_end"], k.c["greatest"]))
        half = self.power_of_two(b.sub(n, self.whole(1)))
        t = self.fma(half, self.exp_less_one(r), b.fsub(half, self.real(0.5)))
        return self._unless_tiny(x, b.fadd(t, t))

    def log1p(self, x: Any) -> Any:
        """log(u) with u = 1 + x rounded, and what the rounding took away, over u."""
        b = self.b
        u = b.fadd(self.real(1.0), x)
        rest = b.fdiv(b.fsub(x, b.fsub(u, self.real(1.0))), u)
        value = self.log(u)
        ends = b.fcmp_unordered("uno", rest, rest)  # 0 or infinity: nothing was taken away
        return self._unless_tiny(x, b.select(ends, value, b.fadd(value, rest)))

    def _unless_tiny(self, x: Any, value: Any) -> Any:
        tiny = self.real(2.0 ** -(self.k.mantissa + 2))
        return self.b.select(self.b.fcmp_ordered("<", self.call("fabs", x), tiny), x, value)

    def log(self, x: Any) -> Any:
        b, k = self.b, self.k
        smallest = 2.0 ** (1 - k.bias)
        small = b.fcmp_ordered("<", x, self.real(smallest))
        scaled = b.select(small, b.fmul(x, self.real(2.0 ** (k.mantissa + 2))), x)
        # Take the exponent so that the fraction lies between sqrt(1/2) and sqrt(2).
        raw = b.bitcast(scaled, k.bits)
        root = {23: 0x3F3504F3, 52: 0x3FE6A09E667F3BCD}[k.mantissa]
        above = b.sub(raw, self.whole(root))
        exponent = b.ashr(above, self.whole(k.mantissa))
        fraction = b.sub(raw, b.shl(exponent, self.whole(k.mantissa)))
        exponent = b.sub(exponent, b.select(small, self.whole(k.mantissa + 2), self.whole(0)))
        f = b.fsub(b.bitcast(fraction, k.element), self.real(1.0))
        # Integer to float by the rounding constant: conversions of 64-bit integers are slow vectors on some machines.
        e = b.fsub(self._as_real(exponent), self.real(k.round))
        s = b.fdiv(f, b.fadd(self.real(2.0), f))
        z = b.fmul(s, s)
        rest = b.fmul(z, self.polynomial(z, k.c["log"]))
        half_square = b.fmul(b.fmul(f, f), self.real(0.5))
        high, low = k.c["log_ln2"]
        tail = self.fma(s, b.fadd(half_square, rest), b.fmul(e, self.real(low)))
        value = self.fma(e, self.real(high), b.fsub(f, b.fsub(half_square, tail)))
        return self._ends_of_log(x, value)

    def _as_real(self, n: Any) -> Any:
        """The rounding constant plus the small integer n."""
        base = self.b.bitcast(ir.Constant(self.k.element, self.k.round), self.k.bits)
        return self.b.bitcast(self.b.add(base, n), self.k.element)

    def _ends_of_log(self, x: Any, value: Any) -> Any:
        b = self.b
        infinity = self.real(float("inf"))
        value = b.select(b.fcmp_unordered("==", x, infinity), x, value)  # infinity and NaN themselves
        value = b.select(b.fcmp_ordered("==", x, self.real(0.0)), self.real(float("-inf")), value)
        return b.select(b.fcmp_ordered("<", x, self.real(0.0)), self.real(float("nan")), value)

    def erf(self, x: Any) -> Any:
        b = self.b
        size = self.call("fabs", x)
        square = b.fmul(x, x)
        t = self.clamp(size, 0.0, 4.0)
        c = [self.real(v) for v in _ERF_FAR]
        t2 = b.fmul(t, t)
        far = self.fma(self.fma(c[0], t, c[1]), t2, self.fma(c[2], t, c[3]))
        for coefficient in c[4:]:
            far = self.fma(far, t, coefficient)
        far = self.fma(far, t, b.fneg(t))
        far = self.call("copysign", b.fsub(self.real(1.0), self.exp(far)), x)
        near = self.fma(self.polynomial(square, _ERF_NEAR), x, x)
        return b.select(b.fcmp_ordered(">", size, self.real(0.927734375)), far, near)


_FUNCTIONS: dict[str, Callable[[_Maker, Any], Any]] = {
    "exp": _Maker.exp,
    "log": _Maker.log,
    "tanh": _Maker.tanh,
    "erf": _Maker.erf,
    "expm1": _Maker.expm1,
    "log1p": _Maker.log1p,
}
_ROWS = (
    *((name, kind) for kind in (_F32, _F64) for name in ("exp", "log", "tanh", "expm1", "log1p")),
    ("erf", _F32),
)
# The names under which a worker calls for them -> the name of our function.
REPLACED: dict[str, str] = {
    name: f"indexlang_{function}_{kind.name}"
    for function, kind in _ROWS
    for name in (f"llvm.{function}.{kind.name}", function + ("f" if kind is _F32 else ""))
}


@cache
def vecmath_ir() -> str:
    """LLVM text of a module that defines all the functions, each to be inlined where it is called."""
    module = ir.Module("vecmath")
    for name, kind in _ROWS:
        function = ir.Function(module, ir.FunctionType(kind.element, [kind.element]), f"indexlang_{name}_{kind.name}")
        function.attributes.add("alwaysinline")
        builder = ir.IRBuilder(function.append_basic_block())
        builder.ret(_FUNCTIONS[name](_Maker(builder, kind), function.args[0]))
    return str(module)
