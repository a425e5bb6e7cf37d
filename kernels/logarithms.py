"""log, log1p and softplus, without branches. source: fdlibm e_log.c and FreeBSD e_logf.c"""

from typing import Any

from indexlang.kernels.exponentials import exp, exp_short, unless_tiny
from indexlang.kernels.maker import Maker

_ROOT_HALF = {23: 0x3F3504F3, 52: 0x3FE6A09E667F3BCD}  # the bits of sqrt(1/2)
# Enough for results of 32 bits: of log1p(e) in s = e/(2 + e).
_LOG1P_SHORT = (
    0.6666666665002361, 0.4000001076994966, 0.2857030572188366, 0.22264711209001325, 0.17464702465440773,
    0.20787616855746752,
)  # fmt: skip


def log(m: Maker, x: Any) -> Any:
    """ln x by log1p of x's fraction and its exponent times ln 2 in two parts; nan below 0, -inf at 0."""
    b = m.b
    exponent, fraction = split(m, x)
    f = b.fsub(fraction, m.real(1.0))
    s = b.fdiv(f, b.fadd(m.real(2.0), f))
    z = b.fmul(s, s)
    rest = b.fmul(z, m.polynomial(z, m.k.c["log"]))
    half_square = b.fmul(b.fmul(f, f), m.real(0.5))
    high, low = m.k.c["log_ln2"]
    tail = m.fma(s, b.fadd(half_square, rest), b.fmul(exponent, m.real(low)))
    return _ends(m, x, m.fma(exponent, m.real(high), b.fsub(f, b.fsub(half_square, tail))))


def split(m: Maker, x: Any) -> tuple[Any, Any]:
    """e (a float) and f with x = f * 2**e, f between sqrt(1/2) and sqrt(2); x is positive, and may be denormal."""
    b, k = m.b, m.k
    small = m.is_less(x, 2.0 ** (1 - k.bias))
    scaled = b.select(small, b.fmul(x, m.real(2.0 ** (k.mantissa + 2))), x)
    raw = b.bitcast(scaled, k.bits)
    exponent = b.ashr(b.sub(raw, m.whole(_ROOT_HALF[k.mantissa])), m.whole(k.mantissa))
    fraction = b.sub(raw, b.shl(exponent, m.whole(k.mantissa)))
    exponent = b.sub(exponent, b.select(small, m.whole(k.mantissa + 2), m.whole(0)))
    return m.as_real(exponent), b.bitcast(fraction, k.element)


def log1p(m: Maker, x: Any) -> Any:
    """log(u) with u = 1 + x rounded, and what the rounding took away, over u."""
    b = m.b
    u = b.fadd(m.real(1.0), x)
    rest = b.fdiv(b.fsub(x, b.fsub(u, m.real(1.0))), u)
    value = log(m, u)
    ends = b.fcmp_unordered("uno", rest, rest)  # 0 or infinity: nothing was taken away
    return unless_tiny(m, x, b.select(ends, value, b.fadd(value, rest)))


def softplus(m: Maker, x: Any) -> Any:
    """max(x, 0) + log1p(exp(-|x|)); for results of 32 bits in 64, with log1p(e) = 2 artanh(e/(2 + e))."""
    b = m.b
    positive = b.select(m.is_less(x, 0.0), m.real(0.0), x)
    if m.k.mantissa == 52:
        return b.fadd(positive, log1p(m, exp(m, b.fneg(m.size(x)))))
    w = m.widened()
    e = exp_short(w, b.fneg(w.size(m.wide(x))))
    s = b.fdiv(e, b.fadd(w.real(2.0), e))
    z = b.fmul(s, s)
    small = w.fma(b.fmul(s, z), w.polynomial(z, _LOG1P_SHORT), b.fadd(s, s))
    return m.narrow(b.fadd(m.wide(positive), small))


def _ends(m: Maker, x: Any, value: Any) -> Any:
    b = m.b
    value = b.select(b.fcmp_unordered("==", x, m.real(float("inf"))), x, value)  # infinity and NaN themselves
    value = b.select(b.fcmp_ordered("==", x, m.real(0.0)), m.real(float("-inf")), value)
    return b.select(m.is_less(x, 0.0), m.real(float("nan")), value)
