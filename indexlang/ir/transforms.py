"""The small matrices with which windows take fewer products, and what stands for their elements in an expression.

Neighbouring sums over a window are the product of two polynomials, of the filter and of the input. It is known from its
values at as many points as it has coefficients, one product each; infinity is one of them.

source  Toom 1963, Cook 1966; Winograd, Arithmetic Complexity of Computations, 1980, for the form that is used here
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Expr
from indexlang.ir.ops import Kind, Op

# Beside 0, 1, -1, 2, -2 these halve the errors of rounding.
_POINTS = (Fraction(0), Fraction(2, 3), Fraction(-2, 3), Fraction(3, 2), Fraction(-3, 2))
PRODUCTS = len(_POINTS) + 1
TAPS = range(2, PRODUCTS)  # of windows that gain by it

Matrix = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, slots=True)
class Transforms:
    """How neighbouring sums come from one product for each point.

    result[r] = sum[u] of_result[r][u] * (sum[k] of_filter[u][k]*filter[k]) * (sum[p] of_input[u][p]*input[p])
    """

    of_input: Op
    of_filter: Op
    of_result: Op


@cache
def transforms(taps: int) -> Transforms:
    """Those of windows of so many values, of `TAPS`."""
    through = [_through([q for q in _POINTS if q != p]) for p in _POINTS]
    values = [[p**k for k in range(PRODUCTS)] for p in _POINTS]
    weights = [sum(c * v for c, v in zip(row, at, strict=True)) for row, at in zip(through, values, strict=True)]
    infinity = [Fraction(k == PRODUCTS - 1) for k in range(PRODUCTS)]
    results = results_of(taps)
    return Transforms(
        _element(f"of_input_{taps}", (*through, _through(_POINTS))),
        _element(
            f"of_filter_{taps}",
            (
                *(tuple(v / w for v in at[:taps]) for at, w in zip(values, weights, strict=True)),
                tuple(infinity[-taps:]),
            ),
        ),
        _element(f"of_result_{taps}", tuple(zip(*(at[:results] for at in values), infinity[-results:], strict=True))),
    )


def results_of(taps: int) -> int:
    """How many neighbouring sums come from the same products."""
    return PRODUCTS - taps + 1


def element(op: Op, row: Expr, column: Expr, dtype: DType) -> Apply:
    """An element of a matrix, as an expression. Its schedule writes it as a number, and leaves zeros out."""
    return Apply(op, (row, column), dtype)


def matrix(op: Op) -> Matrix | None:
    """The matrix of which an operation gives elements; None for all others."""
    return _MATRICES.get(op.name)


_MATRICES: dict[str, Matrix] = {}


def _element(name: str, rows: Matrix) -> Op:
    _MATRICES[name] = rows

    def value(row: int, column: int) -> float:
        return float(rows[row][column])

    return Op(name, 2, Kind.NUMBER, value, "", "an element of a matrix of windows")


def _through(roots: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The coefficients of the product of all `x - root`, that of 1 first."""
    out = [Fraction(1)]
    for root in roots:
        out = [a - root * b for a, b in zip([Fraction(0), *out], [*out, Fraction(0)], strict=True)]
    return (*out, *(Fraction(0) for _ in range(PRODUCTS - len(out))))
