"""x ^ y of floats: exp(y * log |x|) with more digits than the result has, then the sign and the ends of C's `pow`.

source  log m = 2 artanh(s), s = (m - 1)/(m + 1); in 64 bits s, s^3/3 and the product with y are sums of two floats
        (Dekker, Numer. Math. 18, 1971), so that y * log |x| is right to 2^-60 of itself
"""

from typing import Any

from indexlang.kernels.exponentials import exp_short
from indexlang.kernels.logarithms import split
from indexlang.kernels.maker import Maker, Pair

_LOG_SHORT = (
    0.6666666666738277, 0.39999998786883284, 0.28571756668146314, 0.22191265599171967, 0.19365278421757223,
)  # fmt: skip
_FIFTH = (
    0.2, 0.1428571428571469, 0.1111111111082441, 0.09090909168496285, 0.07692297395881176, 0.06667406985646002,
    0.058529940782504536, 0.05862885610905572,
)  # fmt: skip
_THIRD = (0.3333333333333333, 1.850371707708594e-17)
_LN2 = (0.6931471805599453, 2.3190468138462996e-17)
_LN2_PARTS = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # the first has few bits
_LOG2_E = 1.4426950408889634074


def power(m: Maker, x: Any, y: Any) -> Any:
    """x^y: 32 bits are computed in 64, 64 bits in sums of two floats. The ends are those of C's `pow`."""
    size = m.size(x)
    if m.k.mantissa == 52:
        found = _power_64(m, size, y)
    else:
        w = m.widened()
        found = m.narrow(_power_32(w, m.wide(size), m.wide(y)))
    return _signed(m, x, y, size, found)


def _power_32(w: Maker, x: Any, y: Any) -> Any:
    b = w.b
    exponent, fraction = split(w, x)
    f = b.fsub(fraction, w.real(1.0))
    s = b.fdiv(f, b.fadd(w.real(2.0), f))
    z = b.fmul(s, s)
    log = w.fma(exponent, w.real(_LN2[0]), w.fma(b.fmul(s, z), w.polynomial(z, _LOG_SHORT), b.fadd(s, s)))
    return exp_short(w, b.fmul(y, log))


def _power_64(m: Maker, x: Any, y: Any) -> Any:
    b = m.b
    exponent, fraction = split(m, x)
    high, low = _log(m, exponent, fraction)
    y = m.clamp(y, -(2.0**70), 2.0**70)  # beyond, all but 1 is 0 or infinity: and no product may be lost
    product = b.fmul(y, high)
    rest = m.fma(y, low, m.fma(y, high, b.fneg(product)))
    return _exp(m, product, rest)


def _log(m: Maker, exponent: Any, fraction: Any) -> Pair:
    """The logarithm of fraction * 2**exponent."""
    b = m.b
    s = _quotient(m, b.fsub(fraction, m.real(1.0)), fraction)
    square = _product(m, s, s)
    z = square[0]
    third = _product(m, square, tuple(map(m.real, _THIRD)))
    more = b.fmul(b.fmul(z, z), m.polynomial(z, _FIFTH))
    factor = _sum(m, third, more)
    cube = _product(m, s, factor)
    inner = _sum(m, s, cube[0])
    inner = _fast(m, inner[0], b.fadd(inner[1], cube[1]))
    twice = b.fadd(inner[0], inner[0]), b.fadd(inner[1], inner[1])
    whole = _product(m, (exponent, m.real(0.0)), tuple(map(m.real, _LN2)))
    high, low = m.two_sum(whole[0], twice[0])
    return _fast(m, high, b.fadd(low, b.fadd(whole[1], twice[1])))


def _quotient(m: Maker, f: Any, fraction: Any) -> Pair:
    """f / (fraction + 1), with f exact."""
    b = m.b
    bottom = b.fadd(fraction, m.real(1.0))
    lost = b.fsub(fraction, b.fsub(bottom, m.real(1.0)))
    s = b.fdiv(f, bottom)
    rest = m.fma(b.fneg(s), lost, m.fma(b.fneg(s), bottom, f))
    return s, b.fdiv(rest, bottom)


def _exp(m: Maker, x: Any, rest: Any) -> Any:
    """exp(x + rest), infinite or 0 beyond the ends."""
    b = m.b
    inside = m.clamp(x, m.k.c["least"], m.k.c["greatest"])
    n, turns = m.nearest(inside, _LOG2_E)
    r = m.fma(turns, m.real(-_LN2_PARTS[0]), inside)
    low = b.fmul(turns, m.real(-_LN2_PARTS[1]))
    sum_ = b.fadd(r, low)
    rest = b.fadd(m.clamp(rest, -(2.0**-20), 2.0**-20), b.fadd(b.fsub(r, sum_), low))
    p = m.fma(b.fmul(sum_, sum_), m.polynomial(sum_, m.k.c["exp"]), sum_)
    return m.scaled(b.fadd(m.real(1.0), m.fma(rest, b.fadd(m.real(1.0), p), p)), n)


def _product(m: Maker, p: Pair, q: Pair) -> Pair:
    b = m.b
    high = b.fmul(p[0], q[0])
    low = m.fma(p[0], q[1], m.fma(p[1], q[0], m.fma(p[0], q[0], b.fneg(high))))
    return _fast(m, high, low)


def _sum(m: Maker, p: Pair, y: Any) -> Pair:
    """p + y, with y smaller than p."""
    high, low = _fast(m, p[0], y)
    return high, m.b.fadd(low, p[1])


def _fast(m: Maker, x: Any, y: Any) -> Pair:
    """x + y as a pair, with y smaller than x."""
    high = m.b.fadd(x, y)
    return high, m.b.fadd(m.b.fsub(x, high), y)


def _signed(m: Maker, x: Any, y: Any, size: Any, found: Any) -> Any:
    """`found`, the power of |x|, at the ends and for negative x, as C's `pow` has it."""
    b = m.b
    one, zero, infinity = m.real(1.0), m.real(0.0), m.real(float("inf"))
    ends = b.or_(b.fcmp_ordered("==", size, zero), b.fcmp_ordered("==", size, infinity))
    grows = b.xor(m.is_less(y, 0.0), b.fcmp_ordered("==", size, infinity))
    found = b.select(ends, b.select(grows, infinity, zero), found)
    is_whole = b.fcmp_ordered("==", m.call("rint", y), y)
    half = b.fmul(y, m.real(0.5))
    is_odd = b.and_(is_whole, b.fcmp_unordered("!=", m.call("rint", half), half))
    found = b.select(is_odd, m.call("copysign", found, x), found)
    refused = b.and_(b.and_(m.is_less(x, 0.0), b.not_(is_whole)), b.not_(ends))
    found = b.select(refused, m.real(float("nan")), found)
    found = b.select(b.fcmp_unordered("uno", x, y), b.fadd(x, y), found)
    is_one = b.and_(b.fcmp_ordered("==", size, one), b.fcmp_ordered("==", y, y))
    found = b.select(b.and_(is_one, is_whole), b.select(is_odd, m.call("copysign", one, x), one), found)
    return b.select(b.or_(b.fcmp_ordered("==", y, zero), b.fcmp_ordered("==", x, one)), one, found)
