"""LLVM arithmetic on one number or on a vector of them, for the functions of `vecmath`."""

from typing import Any

from llvmlite import ir

from indexlang.kernels.tile_ir import I32, I64

Pair = tuple[Any, Any]  # a sum of two floats, the second below the last place of the first


class Kind:
    """A floating type of `width` lanes, how its bits are laid out, and the constants of its functions.

    round  adding this leaves the nearest integer in the low bits
    """

    def __init__(self, name: str, element: ir.Type, bits: Any, mantissa: int, width: int, c: dict[str, Any]) -> None:
        self.name, self.mantissa, self.width, self.c = name, mantissa, width, c
        self.single = element
        self.element = element if width == 1 else ir.VectorType(element, width)
        self.bits = bits if width == 1 else ir.VectorType(bits, width)
        self.bias = (1 << (bits.width - mantissa - 2)) - 1
        self.round = 1.5 * 2.0**mantissa

    @property
    def suffix(self) -> str:
        """As in the names of LLVM's functions."""
        return self.name if self.width == 1 else f"v{self.width}{self.name}"


def f32(width: int) -> Kind:
    """`width` floats of 32 bits."""
    return Kind("f32", ir.FloatType(), I32, 23, width, _F32)


def f64(width: int) -> Kind:
    """`width` floats of 64 bits."""
    return Kind("f64", ir.DoubleType(), I64, 52, width, _F64)


# source  exp, tanh: interpolation at Chebyshev points; log: fdlibm e_log.c and FreeBSD e_logf.c
_F32: dict[str, Any] = {
    "ln2": (0.693359375, -2.12194440054690583e-4),
    "least": -104.0,
    "greatest": 89.0,
    "expm1_least": -20.0,
    "tanh_end": 10.0,
    "exp": (
        0.5, 0.16666666681704215, 0.04166646419740569, 0.008333310844647862, 0.0013933730715792083,
        0.00019891080463998843,
    ),
    "logistic_least": -112.0,
    "tanh": (-0.33333329923453686, 0.13332871156814893, -0.05386674958452925, 0.021074384127868866, -0.00621213867389645),
    "log": (0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841),
    "log_ln2": (6.9313812256e-01, 9.0580006145e-06),
}  # fmt: skip
_F64: dict[str, Any] = {
    "ln2": (6.93147180369123816490e-01, 1.90821492927058770002e-10),
    "least": -746.0,
    "greatest": 710.0,
    "expm1_least": -40.0,
    "logistic_least": -755.0,
    "tanh_end": 20.0,
    "exp": (
        0.500000000000000102, 0.166666666666666675, 0.0416666666666241279, 0.00833333333333006183,
        0.00138888889172137169, 0.000198412698630536169, 0.0000248015212959543751, 2.75572684599970648e-6,
        2.76200884454097482e-7, 2.51003854955103191e-8,
    ),
    "tanh": (
        -0.3333333333333333, 0.13333333333333305, -0.05396825396821176, 0.021869488533603213, -0.008863235450017834,
        0.0035921265571986906, -0.0014558169553480793, 0.0005898914948486743, -0.00023841575269367045,
        9.440568000217939e-05, -3.351086325904106e-05, 7.743877325542659e-06,
    ),
    "log": (
        6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
        1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01,
    ),
    "log_ln2": (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}  # fmt: skip


class Maker:
    """Emits arithmetic on values of one kind. No fast-math flag is set: what is written is what is computed."""

    def __init__(self, builder: Any, kind: Kind) -> None:
        self.b, self.k = builder, kind

    def real(self, value: float) -> Any:
        """The float constant, in every lane."""
        return self._constant(self.k.element, value)

    def whole(self, value: int) -> Any:
        """The integer constant as wide as the float, in every lane."""
        return self._constant(self.k.bits, value)

    def _constant(self, kind: Any, value: Any) -> Any:
        return ir.Constant(kind, value if self.k.width == 1 else [ir.Constant(kind.element, value)] * self.k.width)

    def call(self, name: str, *args: Any) -> Any:
        """LLVM's intrinsic `name` on values of this kind."""
        full = f"llvm.{name}.{self.k.suffix}"
        module = self.b.module
        kind = ir.FunctionType(self.k.element, [self.k.element] * len(args))
        return self.b.call(module.globals.get(full) or ir.Function(module, kind, full), args)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """x*y + z, rounded once."""
        return self.call("fma", x, y, z)

    def size(self, x: Any) -> Any:
        """|x|."""
        return self.call("fabs", x)

    def polynomial(self, x: Any, coefficients: tuple[float, ...]) -> Any:
        """coefficients[0] + x*(coefficients[1] + …)."""
        value = self.real(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            value = self.fma(value, x, self.real(c))
        return value

    def is_less(self, x: Any, y: float) -> Any:
        """x < y; not so for NaN."""
        return self.b.fcmp_ordered("<", x, self.real(y))

    def clamp(self, x: Any, least: float, greatest: float) -> Any:
        """x between the two; NaN stays."""
        x = self.b.select(self.is_less(x, least), self.real(least), x)
        return self.b.select(self.b.fcmp_ordered(">", x, self.real(greatest)), self.real(greatest), x)

    def power_of_two(self, n: Any) -> Any:
        """2**n for an integer n in the range of normal numbers."""
        biased = self.b.add(n, self.whole(self.k.bias))
        return self.b.bitcast(self.b.shl(biased, self.whole(self.k.mantissa)), self.k.element)

    def scaled(self, x: Any, n: Any) -> Any:
        """x * 2**n in two steps, so that results are rounded once where they are denormal."""
        b = self.b
        half = b.ashr(n, self.whole(1))
        return b.fmul(b.fmul(x, self.power_of_two(half)), self.power_of_two(b.sub(n, half)))

    def nearest(self, x: Any, factor: float) -> tuple[Any, Any]:
        """The integer next to x * factor, as an integer and as a float; it must be small beside 2**mantissa."""
        b = self.b
        shifted = self.fma(x, self.real(factor), self.real(self.k.round))
        zero = self.real(self.k.round)
        return b.sub(b.bitcast(shifted, self.k.bits), b.bitcast(zero, self.k.bits)), b.fsub(shifted, zero)

    def as_real(self, n: Any) -> Any:
        """The small integer n: conversions of 64-bit integers are slow vectors on some machines."""
        b, base = self.b, self.real(self.k.round)
        return b.fsub(b.bitcast(b.add(b.bitcast(base, self.k.bits), n), self.k.element), base)

    def two_sum(self, x: Any, y: Any) -> Pair:
        """x + y rounded, and what the rounding took away."""
        b = self.b
        high = b.fadd(x, y)
        part = b.fsub(high, x)
        return high, b.fadd(b.fsub(x, b.fsub(high, part)), b.fsub(y, part))

    def widened(self) -> "Maker":
        """The same with 64 bits a number."""
        return Maker(self.b, f64(self.k.width))

    def wide(self, x: Any) -> Any:
        """A number of this kind in 64 bits."""
        return self.b.fpext(x, f64(self.k.width).element)

    def narrow(self, x: Any) -> Any:
        """A number of 64 bits in this kind."""
        return self.b.fptrunc(x, self.k.element)
