"""The oracle: what a program means, by plain loops in float64.

Slow and simple on purpose: every clever path of the compiler is compared with this file. It refuses subscripts
outside an axis, negative ones included, so that a padding mistake cannot hide.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, Rule, Select
from indexlang.ir.size import Size

Array = NDArray[Any]
Point = dict[str, int]
Evaluate = Callable[[Point], Any]


class OutOfRange(Exception):
    """A subscript outside its axis: tensor, axis, value, extent."""

    def __init__(self, tensor: str, axis: int, value: int, extent: int) -> None:
        super().__init__(f"{tensor}: subscript {value} on axis {axis} of extent {extent}")
        self.tensor, self.axis, self.value, self.extent = tensor, axis, value, extent


class NotParts(Exception):
    """The parts of a tensor write an element twice, or never: a defect of the compiler."""


def interpret(program: Program, given: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of a program whose extents are all known.

    given   the inputs, parameters and states by name
    raises  OutOfRange for a data-dependent subscript outside its axis; NotParts where the equations that should
            define a tensor together overlap or leave something out
    cost    microseconds an operation; for small extents only
    """
    tensors: dict[str, Array] = {n: _widened(np.asarray(a)) for n, a in given.items()}
    for t in program.tensors:
        if t.role is Role.COMPUTED:
            tensors[t.name] = np.zeros(cast(tuple[int, ...], t.extents), _wide(t.dtype))
    written: dict[str, Array] = {}
    for e in program.equations:
        _run(e, tensors)
        if e.part:
            count = written.setdefault(e.target, np.zeros(tensors[e.target].shape, np.int64))
            count += _writes(e, tensors)
    for name, count in written.items():
        if (count != 1).any():
            raise NotParts(name)
    return tensors


def evaluate(e: Expr, point: Point, tensors: Mapping[str, Array]) -> Any:
    """The value of one expression at one point."""
    return _compile(e, {n: _widened(a) for n, a in tensors.items()})(dict(point))


def _widened(a: Array) -> Array:
    return a.astype(np.float64 if a.dtype.kind == "f" else np.bool_ if a.dtype.kind == "b" else np.int64)


def _wide(dtype: DType) -> np.dtype[np.generic]:
    return np.dtype(np.float64) if dtype.is_float else np.dtype(np.bool_) if dtype is DType.BOOL else np.dtype(np.int64)


def _run(e: Equation, tensors: dict[str, Array]) -> None:
    target = tensors[e.target]
    left = [_compile(s, tensors) for s in e.left]
    body = _compile(e.body, tensors)
    for point in _points(e.indices):
        place = tuple(int(s(point)) for s in left)
        _check(e.target, place, target)
        if e.accumulates:
            target[place] += body(point)
        else:
            target[place] = body(point)


def _writes(e: Equation, tensors: dict[str, Array]) -> Array:
    """How often an equation writes each element of its target."""
    left = [_compile(s, tensors) for s in e.left]
    out = np.zeros(tensors[e.target].shape, np.int64)
    for point in _points(e.indices):
        out[tuple(int(s(point)) for s in left)] += 1
    return out


def _points(indices: tuple[Bound, ...]) -> Iterator[Point]:
    names = [b.name for b in indices]
    for values in product(*(range(cast(int, b.extent)) for b in indices)):
        yield dict(zip(names, values, strict=True))


def _check(name: str, place: tuple[int, ...], array: Array) -> None:
    for axis, (value, extent) in enumerate(zip(place, array.shape, strict=True)):
        if not 0 <= value < extent:
            raise OutOfRange(name, axis, value, extent)


def _compile(e: Expr, tensors: dict[str, Array]) -> Evaluate:
    """An expression as a function of the index values."""
    match e:
        case Const(value=value):
            assert not isinstance(value, Size)
            number = _number(value, e.dtype)
            return lambda point: number
        case Index(name=name):
            return lambda point: np.int64(point[name])
        case Apply(op=ops.AND, args=(a, b)):
            p, q = _compile(a, tensors), _compile(b, tensors)
            return lambda point: bool(p(point)) and bool(q(point))
        case Apply(op=ops.OR, args=(a, b)):
            p, q = _compile(a, tensors), _compile(b, tensors)
            return lambda point: bool(p(point)) or bool(q(point))
        case Apply(op=op, args=args, dtype=dtype):
            return _application(op, [_compile(a, tensors) for a in args], dtype)
        case Select(cond=cond, then=then, other=other, dtype=dtype):
            c, a, b = _compile(cond, tensors), _compile(then, tensors), _compile(other, tensors)
            cast_to = _wide(dtype).type
            return lambda point: cast_to(a(point) if c(point) else b(point))
        case Read():
            return _reader(e, tensors)
        case Reduce(fold=fold, over=over, body=body):
            return _folder(fold, over, _compile(body, tensors), e.dtype, body.dtype)


def _number(value: int | float | bool | Fraction, dtype: DType) -> Any:
    return _wide(dtype).type(float(value) if isinstance(value, Fraction) else value)


def _application(op: ops.Op, args: list[Evaluate], dtype: DType) -> Evaluate:
    function = op.value
    to_float = op.kind is ops.Kind.FLOAT or (op.kind is ops.Kind.NUMBER and dtype.is_float)

    def number(x: Any) -> Any:
        return np.float64(x) if to_float else np.int64(x) if x.dtype.kind == "b" and op.kind is ops.Kind.NUMBER else x

    def call(point: Point) -> Any:
        with np.errstate(all="ignore"):
            return function(*(number(np.asarray(a(point))[()]) for a in args))

    return call


def _reader(e: Read, tensors: dict[str, Array]) -> Evaluate:
    array = tensors[e.tensor]
    subscripts = [_compile(s, tensors) for s in e.subscripts]
    border = e.border
    fallback = _compile(border.value, tensors) if border and border.value is not None else None
    kind = _wide(e.dtype).type

    def read(point: Point) -> Any:
        place = [int(s(point)) for s in subscripts]
        if border is not None:
            if border.rule is Rule.VALUE:
                assert fallback is not None
                if not all(0 <= p < n for p, n in zip(place, array.shape, strict=True)):
                    return kind(fallback(point))
            else:
                place = [_moved(p, n, border.rule) for p, n in zip(place, array.shape, strict=True)]
        _check(e.tensor, tuple(place), array)
        return kind(array[tuple(place)])

    return read


def _moved(p: int, n: int, rule: Rule) -> int:
    """Where a border rule reads for position `p` of an axis of `n` elements."""
    if 0 <= p < n or n == 0:
        return p
    match rule:
        case Rule.EDGE:
            return min(max(p, 0), n - 1)
        case Rule.WRAP:
            return p % n
        case Rule.MIRROR:
            p %= 2 * n
            return p if p < n else 2 * n - 1 - p
        case Rule.REFLECT:
            if n == 1:
                return 0
            p %= 2 * n - 2
            return p if p < n else 2 * n - 2 - p
        case Rule.VALUE:
            return p


def _folder(fold: ops.Fold, over: tuple[Bound, ...], body: Evaluate, dtype: DType, term: DType) -> Evaluate:
    first = ops.identity(fold, term.is_float) if fold.name not in ("argmax", "argmin") else 0
    kind = _wide(dtype).type
    names = [b.name for b in over]
    ranges = [range(cast(int, b.extent)) for b in over]

    def call(point: Point) -> Any:
        terms = [body({**point, **dict(zip(names, values, strict=True))}) for values in product(*ranges)]
        with np.errstate(all="ignore"):
            return kind(fold.value(np.asarray(terms))) if terms else kind(first)

    return call
