"""What depends on indices alone has its values now: places in tensors, masks, weights of an interpolation."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Const, Expr, Index, Rule, Select, free_indices
from indexlang.ir.size import Extent, Size

_MOST = 1 << 22  # elements of a constant


@dataclass(frozen=True, slots=True)
class Numbers:
    """An array with an axis for each of some indices, in their order in the box."""

    axes: tuple[str, ...]
    array: NDArray[Any]


def numbers(e: Expr, box: Mapping[str, Extent]) -> Numbers | None:
    """The values of an expression over indices of known extents; None where it reads a tensor, or is too large."""
    free = free_indices(e)
    axes = tuple(x for x in box if x in free)
    extents = [box[x] for x in axes]
    known = [int(n) for n in extents if isinstance(n, int)]
    if len(known) < len(extents) or prod(known) > _MOST or not _is_of_indices(e):
        return None
    places = {x: np.arange(n).reshape([-1 if y == x else 1 for y in axes]) for x, n in zip(axes, known, strict=True)}
    with np.errstate(all="ignore"):
        found = np.asarray(_array(e, places))
    return Numbers(axes, np.broadcast_to(found, known).astype(e.dtype.read.numpy, order="C"))


def _is_of_indices(e: Expr) -> bool:
    match e:
        case Const(value=value):
            return not isinstance(value, Size)
        case Index():
            return True
        case Apply(op=op, args=args):
            return op is not ops.UNIFORM and all(map(_is_of_indices, args))
        case Select(cond=cond, then=then, other=other):
            return all(map(_is_of_indices, (cond, then, other)))
        case _:
            return False


def _array(e: Expr, places: Mapping[str, NDArray[np.int64]]) -> Any:
    match e:
        case Const(value=value):
            return _wide(e.dtype).type(float(value) if isinstance(value, Fraction) else value)
        case Index(name=name):
            return places[name]
        case Apply(op=op, args=args, dtype=dtype):
            to_float = op.kind is ops.Kind.FLOAT or (op.kind is ops.Kind.NUMBER and dtype.is_float)
            parts = [np.asarray(_array(a, places)) for a in args]
            is_number = op.kind is ops.Kind.NUMBER
            return op.value(*(p.astype(np.float64) if to_float else _counted(p) if is_number else p for p in parts))
        case Select(cond=cond, then=then, other=other, dtype=dtype):
            both = (_array(then, places), _array(other, places))
            return np.asarray(np.where(_array(cond, places), both[0], both[1]), _wide(dtype))
        case _:
            raise AssertionError(e)


def _counted(p: NDArray[Any]) -> NDArray[Any]:
    return p.astype(np.int64) if p.dtype.kind == "b" else p


def _wide(dtype: DType) -> np.dtype[Any]:
    return np.dtype(np.float64 if dtype.is_float else np.bool_ if dtype is DType.BOOL else np.int64)


def moved(places: NDArray[np.int64], n: int, rule: Rule) -> NDArray[np.int64]:
    """Where a border rule reads for places of an axis of `n` elements, n > 0; as `ir/interp.py` says it."""
    match rule:
        case Rule.EDGE:
            return np.clip(places, 0, n - 1)
        case Rule.WRAP:
            return places % n
        case Rule.MIRROR:
            p = places % (2 * n)
            return np.where(p < n, p, 2 * n - 1 - p)
        case Rule.REFLECT:
            p = places % max(2 * n - 2, 1)
            return np.where(p < n, p, 2 * n - 2 - p) if n > 1 else np.zeros_like(places)
        case Rule.VALUE:
            return places
