"""exp and what is made of it: expm1, tanh, sigmoid, silu, without branches.

source  reduction by two parts of ln 2, polynomials by interpolation at Chebyshev points
"""

from collections.abc import Callable
from typing import Any

from indexlang.kernels.maker import Maker, Pair

_LOG2_E = 1.4426950408889634074
# Enough for results of 32 bits, when computed in 64: of (exp(r) - 1 - r) / r^2.
_EXP_SHORT = (
    0.500000001353873, 0.16666666681704215, 0.04166646419740569, 0.008333310844647862, 0.0013933730715792083,
    0.00019891080463998843,
)  # fmt: skip


def exp(m: Maker, x: Any) -> Any:
    """e^x as 2**n * e^r, |r| <= ln(2)/2; results are right into the denormal numbers."""
    n, r = _reduced(m, m.clamp(x, m.k.c["least"], m.k.c["greatest"]))
    return m.scaled(m.b.fadd(m.real(1.0), _exp_less_one(m, r)), n)


def exp_short(m: Maker, x: Any) -> Any:
    """exp in 64 bits, right to 31 of them; no result is denormal: |x| up to 700."""
    n, r = _reduced(m, m.clamp(x, -700.0, 700.0))
    value = m.fma(m.b.fmul(r, r), m.polynomial(r, _EXP_SHORT), m.b.fadd(m.real(1.0), r))
    return m.b.fmul(value, m.power_of_two(n))


def expm1(m: Maker, x: Any) -> Any:
    """Half of it first, so that 2**n is a number where the value is one; what is tiny is its own value."""
    b = m.b
    n, r = _reduced(m, m.clamp(x, m.k.c["expm1_least"], m.k.c["greatest"]))
    half = m.power_of_two(b.sub(n, m.whole(1)))
    t = m.fma(half, _exp_less_one(m, r), b.fsub(half, m.real(0.5)))
    return unless_tiny(m, x, b.fadd(t, t))


def tanh(m: Maker, x: Any) -> Any:
    """A polynomial near 0, and 1 - 2/(exp(2|x|) + 1) beyond."""
    b = m.b
    size = m.size(x)
    n, r = _reduced(m, m.clamp(b.fadd(size, size), 0.0, 2 * m.k.c["tanh_end"]))
    e = b.fmul(m.power_of_two(n), b.fadd(m.real(1.0), _exp_less_one(m, r)))
    far = b.fsub(m.real(1.0), b.fdiv(m.real(2.0), b.fadd(e, m.real(1.0))))
    z = b.fmul(x, x)
    near = m.fma(b.fmul(m.polynomial(z, m.k.c["tanh"]), z), size, size)
    return m.call("copysign", b.select(m.is_less(size, 0.55), near, far), x)


def sigmoid(m: Maker, x: Any) -> Any:
    """1/(1 + e) or e/(1 + e) with e = exp(-|x|): nothing overflows, and small values keep their digits."""
    return _logistic(m, x, lambda pair: pair, (m.real(1.0), m.real(0.0)))


def silu(m: Maker, x: Any) -> Any:
    """x times that; e may be denormal where x*e is not."""

    def by_x(pair: Pair) -> Pair:
        high = m.b.fmul(x, pair[0])
        return high, m.fma(x, pair[1], m.fma(x, pair[0], m.b.fneg(high)))

    found = _logistic(m, x, by_x, (x, m.real(0.0)))
    found = m.b.select(m.is_less(x, m.k.c["logistic_least"]), m.b.fmul(x, m.real(0.0)), found)
    return m.call("copysign", found, x)  # of -0 too


def _logistic(m: Maker, x: Any, below: Callable[[Pair], Pair], above: Pair) -> Any:
    """below(e)/(1 + e) for negative x, above/(1 + e) else; all but the last rounding is made good by a second step."""
    b = m.b
    n, r = _reduced(m, m.clamp(b.fneg(m.size(x)), m.k.c["logistic_least"], 0.0))
    p = _exp_less_one(m, r)
    high = b.fadd(m.real(1.0), p)
    low = b.fsub(p, b.fsub(high, m.real(1.0)))
    e = m.scaled(high, n)
    bottom = b.fadd(m.real(1.0), e)
    rest = b.fadd(b.fsub(e, b.fsub(bottom, m.real(1.0))), b.fmul(low, e))  # high is near 1
    is_negative = m.is_less(x, 0.0)  # 2**n, which both parts of e have, comes last
    top, lost = (b.select(is_negative, f, g) for f, g in zip(below((high, low)), above, strict=True))
    inverse = b.fdiv(m.real(1.0), bottom)
    first = b.fmul(top, inverse)
    missing = m.fma(b.fneg(first), rest, b.fadd(m.fma(b.fneg(first), bottom, top), lost))
    second = m.fma(missing, inverse, first)
    found = b.select(b.fcmp_unordered("uno", second, second), first, second)  # infinities met: the first stands
    return b.select(is_negative, m.scaled(found, n), found)


def unless_tiny(m: Maker, x: Any, value: Any) -> Any:
    """`x` itself where it is so small that functions with slope 1 at 0 round to it."""
    return m.b.select(m.is_less(m.size(x), 2.0 ** -(m.k.mantissa + 2)), x, value)


def _reduced(m: Maker, x: Any) -> tuple[Any, Any]:
    """n and r with x = n*ln 2 + r, |r| <= ln 2 / 2."""
    high, low = m.k.c["ln2"]
    n, turns = m.nearest(x, _LOG2_E)
    return n, m.fma(turns, m.real(-low), m.fma(turns, m.real(-high), x))


def _exp_less_one(m: Maker, r: Any) -> Any:
    """exp(r) - 1 for small r."""
    return m.fma(m.b.fmul(r, r), m.polynomial(r, m.k.c["exp"]), r)
