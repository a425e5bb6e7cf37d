"""Running sums and extremes within a vector, for generated workers.

running_sum(c, v)     the vector c + v[0], c + (v[0] + v[1]), …; likewise running_prod, running_max, running_min
last_lane(v)          its last number

Each takes log2(width) steps, in which every lane folds in the one 1, 2, 4, … lanes before: of a sum of n numbers fewer are
added one after the other than in order. (Hillis & Steele, CACM 29(12), 1986.)
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from indexlang.kernels.kinds import KindError, word
from indexlang.kernels.lanes import Lanes, function_of, spread
from indexlang.kernels.tile_ir import I32

_Fold = Callable[[Any, Any, Any], Any]


def _running(name: str, identity: float, fold: _Fold) -> Any:
    def running(typing, carry, v):
        if not isinstance(v, Lanes) or v.kind == "i64" or carry != v.element:
            raise KindError(f"{name} takes a number and a vector of its type")

        def generate(context, builder, signature, args):
            first, found = args
            kind, width = found.type, v.width
            neutral = ir.Constant(kind, [ir.Constant(v.storage, identity)] * width)
            by = 1
            while by < width:
                moved = [*range(width - by, width), *range(width, 2 * width - by)]
                order = ir.Constant(ir.VectorType(I32, width), moved)
                found = fold(builder, builder.shuffle_vector(neutral, found, order), found)
                by *= 2
            return fold(builder, spread(builder, first, width), found)

        return v(carry, v), generate

    running.__name__ = name
    return word(running)


def _of_two(instruction: str) -> _Fold:
    return lambda builder, a, b: getattr(builder, instruction)(a, b)


def _extreme(name: str) -> _Fold:
    return lambda builder, a, b: function_of(builder, name, a, b, fastmath=("nsz",))


running_sum = _running("running_sum", 0.0, _of_two("fadd"))
running_prod = _running("running_prod", 1.0, _of_two("fmul"))
running_max = _running("running_max", float("-inf"), _extreme("maximum"))
running_min = _running("running_min", float("inf"), _extreme("minimum"))


@word
def last_lane(typing, v):
    """The last number of a vector."""
    if not isinstance(v, Lanes):
        raise KindError("last_lane takes a vector")
    return v.element(v), lambda context, builder, signature, args: builder.extract_element(args[0], I32(v.width - 1))
