"""Tests on vectors by name for generated workers, as LLVM has them.

lanes_lt(a, b)                in each lane whether a < b; likewise le, gt, ge, eq, ne, with NaN as in numpy
lanes_and(m, n) …             both, `lanes_or` either, `lanes_not(m)` the opposite
lanes_choose(m, a, b)         in each lane a where m holds, else b
"""

from typing import Any

from llvmlite import ir

from indexlang.kernels.kinds import Kind, KindError, word
from indexlang.kernels.lanes import Lanes, joined

_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


class Mask(Kind):
    """A vector of truths."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(f"Mask({width})", ir.VectorType(ir.IntType(1), width))


def _vector(*kinds: Any) -> Lanes:
    found = joined(*kinds)
    if found is None or found.kind == "i64":
        raise KindError(f"no vector of floats among {kinds}")
    return found


def _comparison(name: str, symbol: str) -> Any:
    def compare(typing, a, b):
        kind = _vector(a, b)

        def generate(context, builder, signature, args):
            return (builder.fcmp_unordered if symbol == "!=" else builder.fcmp_ordered)(symbol, *args)

        return Mask(kind.width)(kind, kind), generate

    compare.__name__ = f"lanes_{name}"
    return word(compare)


for _name, _symbol in _COMPARISONS.items():
    globals()[f"lanes_{_name}"] = _comparison(_name, _symbol)


def _logic(name: str, build: str) -> Any:
    def logic(typing, m, n):
        if not isinstance(m, Mask) or m != n:
            raise KindError(f"{name} takes two masks")
        return m(m, m), lambda context, builder, signature, args: getattr(builder, build)(*args)

    logic.__name__ = name
    return word(logic)


lanes_and, lanes_or = _logic("lanes_and", "and_"), _logic("lanes_or", "or_")


@word
def lanes_not(typing, m):
    """The opposite in each lane."""
    if not isinstance(m, Mask):
        raise KindError("lanes_not takes a mask")
    return m(m), lambda context, builder, signature, args: builder.not_(*args)


@word
def lanes_choose(typing, m, a, b):
    """In each lane one of two numbers."""
    kind = _vector(a, b)
    if m != Mask(kind.width):
        raise KindError("lanes_choose takes a mask of as many lanes")
    return kind(m, kind, kind), lambda context, builder, signature, args: builder.select(*args)
