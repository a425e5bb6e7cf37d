"""erf and gelu, without branches: erf(x) is near 0 a polynomial, and 1 - exp(-x^2)*erfcx(x) beyond.

source  erf of 32 bits: two polynomials after N. Juffa; erfcx(x) = exp(x^2)*erfc(x) by polynomials in (x - k)/(x + k)
        (Shepherd and Laframboise, Math. Comp. 36, 1981), made by interpolation at Chebyshev points
"""

from typing import Any

from indexlang.kernels.exponentials import exp, exp_short
from indexlang.kernels.maker import Maker

_FAR_32 = (-1.72853470e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1)
_NEAR_32 = (1.28379166e-1, -3.76125336e-1, 1.12819925e-1, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4)
_NEAR_64 = (
    0.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
    -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
    -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11,
)  # fmt: skip
# (1 + 2x) * erfcx(x) in t = (x - k)/(x + k): k, and the coefficients. Up to x = 27.5, and up to 10.5 to 30 bits.
_ERFCX = (
    3.0,
    (
        1.2530080582697296, -0.13562110612458111, -0.04756229435345301, 0.12964515870275164, -0.1192736634151708,
        0.06830802734435829, -0.02377051492191023, 0.0025293918086449966, 0.0018886903981563047,
        -0.0007798321918771739, -0.00010516006463147255, 0.0001250988251551598, 4.950572543847218e-06,
        -2.009835452609167e-05, -7.342503844097082e-07, 3.4663514853827484e-06, 3.608828987652022e-07,
        -6.058648425989622e-07, -1.444094930479574e-07, 8.986622362225036e-08, 4.137161006733423e-08,
        -5.732869287862736e-09, -6.544809637162719e-09, -1.0948368127794075e-09,
    ),
)  # fmt: skip
_ERFCX_SHORT = (
    2.5,
    (
        1.2648381836598026, -0.12235676560333464, -0.09902445583230858, 0.15763001832138365, -0.10296864515727595,
        0.03275939353330919, 0.00094269496988645, -0.004371316806862651, 0.00046053188818384464,
        0.0005959831006604814, -5.302751139367648e-05, -6.203140805523349e-05,
    ),
)  # fmt: skip
_ROOT_HALF = 0.7071067811865476
# From here to the left the distribution function is 0 in 64 bits; `exp_short` must stay above its end.
_GELU_END, _GELU_END_SHORT = 38.8, 37.0


def erf(m: Maker, x: Any) -> Any:
    """2/√π times the integral of exp(-t^2) up to x; one form for each kind of float."""
    return _erf_32(m, x) if m.k.mantissa == 23 else _erf_64(m, x)


def gelu(m: Maker, x: Any) -> Any:
    """x times the normal distribution function of x, which for negative x keeps its digits."""
    if m.k.mantissa == 52:
        return _gelu(m, x, exp, _ERFCX)
    return m.narrow(_gelu(m.widened(), m.wide(x), exp_short, _ERFCX_SHORT))


def _gelu(m: Maker, x: Any, exp: Any, table: tuple[float, tuple[float, ...]]) -> Any:
    b = m.b
    end = _GELU_END_SHORT if exp is exp_short else _GELU_END
    size = m.clamp(m.size(x), 0.0, end)
    square = b.fmul(size, size)
    rest = m.fma(size, size, b.fneg(square))
    e = exp(m, b.fmul(square, m.real(-0.5)))
    e = m.fma(b.fmul(rest, m.real(-0.5)), e, e)
    half = b.fmul(m.real(0.5), _erfcx(m, b.fmul(size, m.real(_ROOT_HALF)), table))
    left = b.fmul(b.fmul(x, half), e)  # in this order: e may be denormal
    left = b.select(m.is_less(x, -end), b.fmul(x, m.real(0.0)), left)
    far = b.select(m.is_less(x, 0.0), left, b.fmul(x, b.fsub(m.real(1.0), b.fmul(half, e))))
    if exp is exp_short:
        return far
    s = b.fmul(x, m.real(_ROOT_HALF))
    erf = m.fma(m.polynomial(b.fmul(s, s), _NEAR_64), s, s)
    return b.select(m.is_less(size, 0.7), b.fmul(x, m.fma(m.real(0.5), erf, m.real(0.5))), far)


def _erfcx(m: Maker, x: Any, table: tuple[float, tuple[float, ...]]) -> Any:
    b, (k, coefficients) = m.b, table
    t = b.fdiv(b.fsub(x, m.real(k)), b.fadd(x, m.real(k)))
    return b.fdiv(m.polynomial(t, coefficients), m.fma(x, m.real(2.0), m.real(1.0)))


def _erf_64(m: Maker, x: Any) -> Any:
    b = m.b
    size = m.size(x)
    t = m.clamp(size, 0.0, 6.0)
    far = b.fsub(m.real(1.0), b.fmul(exp(m, b.fneg(b.fmul(t, t))), _erfcx(m, t, _ERFCX)))
    near = m.fma(m.polynomial(b.fmul(x, x), _NEAR_64), size, size)
    return m.call("copysign", b.select(m.is_less(size, 1.0), near, far), x)


def _erf_32(m: Maker, x: Any) -> Any:
    b = m.b
    size = m.size(x)
    t = m.clamp(size, 0.0, 4.0)
    c = [m.real(v) for v in _FAR_32]
    far = m.fma(m.fma(c[0], t, c[1]), b.fmul(t, t), m.fma(c[2], t, c[3]))
    for coefficient in c[4:]:
        far = m.fma(far, t, coefficient)
    far = b.fsub(m.real(1.0), exp(m, m.fma(far, t, b.fneg(t))))
    near = m.fma(m.polynomial(b.fmul(x, x), _NEAR_32), x, x)
    return b.select(b.fcmp_ordered(">", size, m.real(0.927734375)), m.call("copysign", far, x), near)
