"""Tensors of the graph whose axes belong to indices.

An expression becomes a tensor with one axis for each index that it depends on, in any order: `W[j,i]*x[i]` has the axes
(j, i) or (i, j). So a transposition is written only where somebody asks for an order, and neighbours that agree on one,
as convolutions do, need none between them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexlang.export.graph import Graph
from indexlang.ir.dtypes import DType
from indexlang.ir.size import Extent


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph; `axes` are the indices that its axes belong to, all different."""

    name: str
    axes: tuple[str, ...]
    dtype: DType


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands.

    box      how many values each index takes
    guarded  whether a condition around it may shut out what it reads: then places outside an axis mean nothing
    """

    box: Mapping[str, Extent]
    guarded: bool = False

    def extents(self, axes: Sequence[str]) -> tuple[Extent, ...]:
        """How many values each of the indices `axes` takes."""
        return tuple(self.box[x] for x in axes)


def cast(graph: Graph, v: Value, dtype: DType) -> Value:
    """A value in another dtype."""
    return v if v.dtype is dtype else Value(graph.cast(v.name, dtype), v.axes, dtype)


def in_order(graph: Graph, v: Value, axes: Sequence[str]) -> Value:
    """A value with its axes in this order, which has them all."""
    order = [v.axes.index(x) for x in axes]
    return Value(graph.transposed(v.name, order), tuple(axes), v.dtype)


def beside(graph: Graph, v: Value, axes: Sequence[str]) -> str:
    """A tensor with the axes of `axes` that broadcasts: of extent 1 where `v` does not depend on the index."""
    own = in_order(graph, v, [x for x in axes if x in v.axes]).name
    if not v.axes:
        return own
    first = min(n for n, x in enumerate(axes) if x in v.axes)
    missing = [n - first for n, x in enumerate(axes) if n >= first and x not in v.axes]
    return graph.add("Unsqueeze", own, graph.ints(*missing)) if missing else own


def common(values: Sequence[Value]) -> tuple[str, ...]:
    """An order of all axes: that of the value with the most of them, and what others add, in front."""
    most = max(values, key=lambda v: len(v.axes))
    others = [x for v in values for x in v.axes if x not in most.axes]
    return (*dict.fromkeys(others), *most.axes)


def spread(graph: Graph, v: Value, axes: Sequence[str], scope: Scope) -> Value:
    """A value repeated along the indices that it does not depend on, with exactly these axes."""
    name = beside(graph, v, axes)
    if set(v.axes) == set(axes):
        return Value(name, tuple(axes), v.dtype)
    return Value(graph.expanded(name, scope.extents(axes)), tuple(axes), v.dtype)


def merged(graph: Graph, v: Value, groups: Sequence[Sequence[str]], scope: Scope) -> str:
    """A tensor with one axis a group of indices, row-major; an empty group is an axis of extent 1."""
    flat = [x for g in groups for x in g]
    name = in_order(graph, v, flat).name
    if all(len(g) == 1 for g in groups):
        return name
    return graph.reshaped(name, [_product(scope.extents(g)) for g in groups])


def parted(graph: Graph, name: str, groups: Sequence[Sequence[str]], dtype: DType, scope: Scope) -> Value:
    """The other way round: the value whose `merged` tensor this is."""
    flat = tuple(x for g in groups for x in g)
    if not all(len(g) == 1 for g in groups):
        name = graph.reshaped(name, scope.extents(flat))
    return Value(name, flat, dtype)


def _product(extents: Sequence[Extent]) -> Extent:
    out: Extent = 1
    for e in extents:
        out = out * e
    return out
