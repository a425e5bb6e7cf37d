"""sin and cos of vectors; lanes with large arguments go to the C library, one by one.

source  reduction by three parts of pi/2 (Cody and Waite); polynomials: in 32 bits by interpolation at
        Chebyshev points, in 64 bits those of fdlibm k_sin.c and k_cos.c
"""

from typing import Any

from llvmlite import ir

from indexlang.kernels.maker import Maker
from indexlang.kernels.tile_ir import I32

_TWO_OVER_PI = 0.63661977236758134308
# Up to here the reduction is exact enough; n * pi/2 is taken away part by part.
_LIMIT = {23: 70000.0, 52: 2.0**28}
_PARTS = {
    23: (1.57079601287841796875, 3.1391647326017846e-07, 5.3903025299577648e-15),
    52: (1.5707963267948966192, 6.123233995736766e-17, -1.4973849048591833e-33),
}
_SIN_32 = (-0.1666666666381008, 0.008333331857164982, -0.0001984007727607258, 2.7248701708232046e-06)
_COS_32 = (1.0, -0.5, 0.041666666664282086, -0.0013888887657373514, 2.480059248232837e-05, -2.729993753428394e-07)
_SIN_64 = (
    -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
    -2.50507602534068634195e-08, 1.58969099521155010221e-10,
)  # fmt: skip
_COS_64 = (
    4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07,
    2.08757232129817482790e-09, -1.13596475577881948265e-11,
)  # fmt: skip


def sin(m: Maker, x: Any) -> Any:
    """The sine; accurate for any size of x, though slow beyond the limit."""
    return _or_library(m, x, _turned(m, x, 0), "sin")


def cos(m: Maker, x: Any) -> Any:
    """The cosine, in the same way."""
    return _or_library(m, x, _turned(m, x, 1), "cos")


def _turned(m: Maker, x: Any, quarters: int) -> Any:
    """The sine of x and some quarter turns."""
    b = m.b
    n, turns = m.nearest(x, _TWO_OVER_PI)
    minus = b.fneg(turns)
    first, second, third = map(m.real, _PARTS[m.k.mantissa])
    r = m.fma(minus, first, x)
    if m.k.mantissa == 23:
        sine, cosine = _pair_32(m, m.fma(minus, third, m.fma(minus, second, r)))
    else:
        product = b.fmul(minus, second)
        high, low = m.two_sum(r, product)
        low = b.fadd(low, m.fma(minus, third, m.fma(minus, second, b.fneg(product))))
        sine, cosine = _pair_64(m, high, low)
    n = b.add(n, m.whole(quarters))
    value = b.select(_has(m, n, 1), cosine, sine)
    return b.select(_has(m, n, 2), b.fneg(value), value)


def _has(m: Maker, n: Any, bit: int) -> Any:
    return m.b.icmp_unsigned("!=", m.b.and_(n, m.whole(bit)), m.whole(0))


def _pair_32(m: Maker, r: Any) -> tuple[Any, Any]:
    z = m.b.fmul(r, r)
    cube = m.fma(r, z, m.real(0.0))  # +0 of -0, which then stays
    return m.fma(m.polynomial(z, _SIN_32), cube, r), m.polynomial(z, _COS_32)


def _pair_64(m: Maker, r: Any, low: Any) -> tuple[Any, Any]:
    """Sine and cosine of r + low."""
    b = m.b
    z = b.fmul(r, r)
    cube = b.fmul(z, r)
    part = b.fsub(b.fmul(m.real(0.5), low), b.fmul(cube, m.polynomial(z, _SIN_64[1:])))
    sine = b.fsub(r, b.fsub(b.fsub(b.fmul(z, part), low), b.fmul(cube, m.real(_SIN_64[0]))))
    half = b.fmul(z, m.real(0.5))
    w = b.fsub(m.real(1.0), half)
    rest = b.fsub(b.fmul(b.fmul(z, z), m.polynomial(z, _COS_64)), b.fmul(r, low))
    return sine, b.fadd(w, b.fadd(b.fsub(b.fsub(m.real(1.0), w), half), rest))


def _or_library(m: Maker, x: Any, value: Any, name: str) -> Any:
    """`value` where |x| is within the limit; elsewhere, and of NaN and infinity, what the C library says."""
    b = m.b
    is_good = b.fcmp_ordered("<=", m.size(x), m.real(_LIMIT[m.k.mantissa]))
    before = b.block
    beyond, done = b.append_basic_block(), b.append_basic_block()
    b.cbranch(_all(m, is_good), done, beyond)
    b.position_at_end(beyond)
    told = b.select(is_good, value, _by_lane(m, x, name))
    after = b.block
    b.branch(done)
    b.position_at_end(done)
    found = b.phi(m.k.element)
    found.add_incoming(value, before)
    found.add_incoming(told, after)
    return found


def _all(m: Maker, lanes: Any) -> Any:
    if m.k.width == 1:
        return lanes
    bit = ir.IntType(1)
    full = f"llvm.vector.reduce.and.v{m.k.width}i1"
    return m.b.call(ir.Function(m.b.module, ir.FunctionType(bit, [lanes.type]), full), [lanes])


def _by_lane(m: Maker, x: Any, name: str) -> Any:
    single, b = m.k.single, m.b
    library = ir.Function(b.module, ir.FunctionType(single, [single]), name + ("f" if m.k.mantissa == 23 else ""))
    if m.k.width == 1:
        return b.call(library, [x])
    before, loop, done = b.block, b.append_basic_block(), b.append_basic_block()
    b.branch(loop)
    b.position_at_end(loop)
    lane, told = b.phi(I32), b.phi(m.k.element)
    more = b.insert_element(told, b.call(library, [b.extract_element(x, lane)]), lane)
    following = b.add(lane, I32(1))
    for phi, first, then in ((lane, I32(0), following), (told, x, more)):
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
    b.cbranch(b.icmp_unsigned("<", following, I32(m.k.width)), loop, done)
    b.position_at_end(done)
    return more
