"""Reads of tensors: slices, reshapes and gathers, whatever the subscripts ask for.

One axis after the other gets the indices of its subscript. Where an index stands in several subscripts (a diagonal, or
`p[b, label[b]]`), their axes become one first.

before   L[b, 2*x+1, i]                L[b, (x,y), i]             V[x+dx]
after    Slice of axis 1, step 2       Reshape of axis 1          Gather with the places 0 1 2, 1 2 3, …
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexlang.export.graph import Graph
from indexlang.export.numbers import moved, numbers
from indexlang.export.values import Scope, Value, beside, cast, common, in_order, spread
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Const, Expr, Index, Read, Rule
from indexlang.ir.size import Extent, same

Places = NDArray[np.int64]
Lower = Callable[[Expr, Scope], Value]


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of the program in the graph: axis `order[k]` of the tensor is axis k there."""

    name: str
    order: tuple[int, ...]
    extents: tuple[Extent, ...]
    dtype: DType


@dataclass(frozen=True, slots=True)
class Kept:
    """An axis that an index runs over as it is."""

    index: str

    @property
    def axes(self) -> tuple[str, ...]:
        """The one that the index runs over."""
        return (self.index,)


@dataclass(frozen=True, slots=True)
class At:
    """An axis that is read at known places."""

    axes: tuple[str, ...]
    places: Places


@dataclass(frozen=True, slots=True)
class ByData:
    """An axis that is read at places that are computed."""

    value: Value

    @property
    def axes(self) -> tuple[str, ...]:
        """Those of the value that the places are."""
        return self.value.axes


Subscript = Kept | At | ByData


class Accesses:
    """Reads in one graph. `tensors` are those that have been made so far; `lower` makes the value of an expression."""

    def __init__(self, graph: Graph, tensors: Mapping[str, Stored], lower: Lower) -> None:
        self.graph, self.tensors, self.lower = graph, tensors, lower

    def read(self, r: Read, scope: Scope) -> Value:
        """The value of an access. Raises ProgramError E1101 where it depends on extents without a value."""
        stored = self.tensors[r.tensor]
        subscripts = [self._subscript(s, n, scope) for s, n in zip(r.subscripts, stored.extents, strict=True)]
        if r.border is None:
            found = self._inside(stored, self._clipped(subscripts, stored, scope), scope)
        elif r.border.rule is not Rule.VALUE:
            found = self._inside(stored, self._moved(subscripts, stored, r.border.rule), scope)
        else:
            assert r.border.value is not None
            found = self._with_value(stored, subscripts, r.border.value, scope)
        return cast(self.graph, found, r.dtype)

    def _subscript(self, s: Expr, extent: Extent, scope: Scope) -> Subscript:
        if isinstance(s, Index) and same(scope.box[s.name], extent) is True:
            return Kept(s.name)
        found = numbers(s, scope.box)
        if found is not None:
            return At(found.axes, found.array.astype(np.int64))
        return ByData(self.lower(s, scope))

    # -- borders

    def _clipped(self, subscripts: list[Subscript], stored: Stored, scope: Scope) -> list[Subscript]:
        """Places outside are never used (it is proved); where a condition shuts them out, they must not fail either."""
        out: list[Subscript] = []
        for s, n in zip(subscripts, stored.extents, strict=True):
            match s:
                case At(axes, places) if isinstance(n, int) and n > 0:
                    out.append(At(axes, np.clip(places, 0, n - 1)))
                case At(axes, places) if scope.guarded:
                    out.append(ByData(self._into(Value(self.graph.constant(places), axes, DType.INT), n)))
                case ByData(value) if scope.guarded:
                    out.append(ByData(self._into(value, n)))
                case _:
                    out.append(s)
        return out

    def _into(self, v: Value, extent: Extent) -> Value:
        last = self.graph.add("Sub", self.graph.size(extent), self.graph.number(1, DType.INT))
        low = self.graph.add("Max", v.name, self.graph.number(0, DType.INT))
        return replace(v, name=self.graph.add("Min", low, last))

    def _moved(self, subscripts: list[Subscript], stored: Stored, rule: Rule) -> list[Subscript]:
        out: list[Subscript] = []
        for s, n in zip(subscripts, stored.extents, strict=True):
            match s:
                case At(axes, places) if isinstance(n, int) and n > 0:
                    out.append(At(axes, moved(places, n, rule)))
                case At(axes, places):
                    value = Value(self.graph.constant(places), axes, DType.INT)
                    out.append(ByData(replace(value, name=self._moved_then(value, n, rule))))
                case ByData(value):
                    out.append(ByData(replace(value, name=self._moved_then(value, n, rule))))
                case Kept():
                    out.append(s)
        return out

    def _moved_then(self, v: Value, extent: Extent, rule: Rule) -> str:
        """The same where places or the extent are known only when the graph runs."""
        g, n, one = self.graph, self.graph.size(extent), self.graph.number(1, DType.INT)
        if rule is Rule.EDGE:
            return self._into(v, extent).name
        if rule is Rule.WRAP:
            return g.add("Mod", v.name, n)
        last = g.add("Sub", g.add("Add", n, n), one)
        turn = g.add("Add", last, one)
        if rule is Rule.REFLECT:
            last = g.add("Sub", last, one)
            turn = g.add("Max", last, one)
        place = g.add("Mod", v.name, turn)
        return g.add("Where", g.add("Less", place, n), place, g.add("Sub", last, place))

    def _with_value(self, stored: Stored, subscripts: list[Subscript], value: Expr, scope: Scope) -> Value:
        """Outside the axes there is a value: a constant is put around the tensor, anything else is chosen by a mask."""
        if isinstance(value, Const) and not any(isinstance(s, ByData) for s in subscripts):
            around = self._padded(stored, subscripts, value)
            if around is not None:
                return self._inside(*around, scope)
        inside = replace(scope, guarded=True)
        found = self._inside(stored, self._clipped(subscripts, stored, inside), scope)
        masks = [m for s, n in zip(subscripts, stored.extents, strict=True) for m in self._masks(s, n)]
        if not masks:
            return found
        other = cast(self.graph, self.lower(value, scope), found.dtype)
        axes = common([found, other, *masks])
        mask = beside(self.graph, masks[0], axes)
        for m in masks[1:]:
            mask = self.graph.add("And", mask, beside(self.graph, m, axes))
        name = self.graph.add("Where", mask, beside(self.graph, found, axes), beside(self.graph, other, axes))
        return Value(name, axes, found.dtype)

    def _masks(self, s: Subscript, extent: Extent) -> list[Value]:
        """Where a subscript is inside its axis; nothing if it always is."""
        match s:
            case Kept():
                return []
            case At(axes, places) if isinstance(extent, int):
                inside = (places >= 0) & (places < extent)
                return [] if inside.all() else [Value(self.graph.constant(inside), axes, DType.BOOL)]
            case At(axes, places):
                return self._masks(ByData(Value(self.graph.constant(places), axes, DType.INT)), extent)
            case ByData(value):
                low = self.graph.add("GreaterOrEqual", value.name, self.graph.number(0, DType.INT))
                high = self.graph.add("Less", value.name, self.graph.size(extent))
                return [Value(self.graph.add("And", low, high), value.axes, DType.BOOL)]

    def _padded(
        self, stored: Stored, subscripts: list[Subscript], value: Expr
    ) -> tuple[Stored, list[Subscript]] | None:
        """The tensor with the constant around it, as far as it is read, and the subscripts in that."""
        before, after = [0] * len(subscripts), [0] * len(subscripts)
        out = list(subscripts)
        for axis, (s, n) in enumerate(zip(subscripts, stored.extents, strict=True)):
            if not isinstance(s, At):
                continue
            if not isinstance(n, int):
                return None
            before[axis] = max(0, -int(s.places.min(initial=0)))
            after[axis] = max(0, int(s.places.max(initial=0)) - n + 1)
            out[axis] = At(s.axes, s.places + before[axis])
        if not any(before) and not any(after):
            return stored, out
        name = self._pad(stored, before, after, value)
        extents = tuple(b + n + a for b, n, a in zip(before, stored.extents, after, strict=True))
        return replace(stored, name=name, extents=extents), out

    def _pad(self, stored: Stored, before: list[int], after: list[int], value: Expr) -> str:
        pads = [before[k] for k in stored.order] + [after[k] for k in stored.order]
        filling = cast(self.graph, self.lower(value, Scope({})), stored.dtype)
        return self.graph.add("Pad", stored.name, self.graph.ints(*pads), filling.name, mode="constant")

    # -- places inside

    def _inside(self, stored: Stored, subscripts: list[Subscript], scope: Scope) -> Value:
        """The read, all places inside their axes."""
        count: dict[str, int] = {}
        for s in subscripts:
            for x in s.axes:
                count[x] = count.get(x, 0) + 1
        shared = {x for x, n in count.items() if n > 1}
        if not shared:
            return self._axis_by_axis(stored, subscripts, scope)
        tied = _tied(subscripts, shared)
        by_data = [k for k in tied if isinstance(subscripts[k], ByData)]
        others = [k for k in tied if isinstance(subscripts[k], Kept)]
        if len(by_data) == 1 and len(others) == len(tied) - 1:
            return self._within(stored, subscripts, by_data[0], others, scope)
        return self._inside(*self._as_one(stored, subscripts, tied, scope), scope)

    def _axis_by_axis(self, stored: Stored, subscripts: list[Subscript], scope: Scope) -> Value:
        name, axes = stored.name, list[int | str](stored.order)
        for k in sorted(range(len(subscripts)), key=lambda k: _grows(subscripts[k])):
            at = axes.index(k)
            extents = [stored.extents[d] if isinstance(d, int) else scope.box[d] for d in axes]
            name, own = self._one(name, at, subscripts[k], extents)
            axes[at : at + 1] = own
        return Value(name, tuple(str(d) for d in axes), stored.dtype)

    def _one(self, name: str, at: int, s: Subscript, extents: list[Extent]) -> tuple[str, tuple[str, ...]]:
        """One axis of a tensor at the places of its subscript."""
        match s:
            case Kept(index):
                return name, (index,)
            case ByData(value):
                return self.graph.add("Gather", name, value.name, axis=at), value.axes
            case At(axes, places):
                return self._at(name, at, axes, places, extents), axes

    def _at(self, name: str, at: int, axes: tuple[str, ...], places: Places, extents: list[Extent]) -> str:
        step = _step(places)
        if step is None or not axes or step < 1:
            return self.graph.add("Gather", name, self.graph.constant(places), axis=at)
        first, count = int(places.flat[0]), places.size
        if first or step != 1 or count != extents[at]:
            bounds = (first, first + step * (count - 1) + 1, at, step)
            name = self.graph.add("Slice", name, *(self.graph.ints(n) for n in bounds))
        if len(axes) == 1:
            return name
        return self.graph.reshaped(name, [*extents[:at], *map(int, places.shape), *extents[at + 1 :]])

    def _within(self, stored: Stored, subscripts: list[Subscript], data: int, others: list[int], scope: Scope) -> Value:
        """`p[b, label[b]]`: each b picks from its own row; GatherND with b as a batch."""
        chosen = subscripts[data]
        assert isinstance(chosen, ByData)
        kept = [str(subscripts[k].axes[0]) for k in others]
        rest = [k for k in range(len(subscripts)) if k not in (data, *others)]
        order = [*others, data, *rest]
        name = self.graph.transposed(stored.name, [stored.order.index(k) for k in order])
        value = in_order(self.graph, chosen.value, [*kept, *(x for x in chosen.axes if x not in kept)])
        places = self.graph.add("Unsqueeze", value.name, self.graph.ints(-1))
        name = self.graph.add("GatherND", name, places, batch_dims=len(kept))
        extents = (*scope.extents(value.axes), *(stored.extents[k] for k in rest))
        inner = Stored(name, tuple(range(len(extents))), extents, stored.dtype)
        return self._axis_by_axis(inner, [*map(Kept, value.axes), *(subscripts[k] for k in rest)], scope)

    def _as_one(
        self, stored: Stored, subscripts: list[Subscript], tied: list[int], scope: Scope
    ) -> tuple[Stored, list[Subscript]]:
        """The axes `tied` as a single one, row-major, in front of the others; the places in it."""
        extents = [stored.extents[k] for k in tied]
        rest = [k for k in range(len(subscripts)) if k not in tied]
        if not all(isinstance(n, int) for n in extents):
            shown = next(n for n in extents if not isinstance(n, int))
            raise self.graph.refuse("an index stands in two subscripts of a tensor whose extents are not known",
                                    f"give the extent a value: -D {shown}=…")  # fmt: skip
        name = self.graph.transposed(stored.name, [stored.order.index(k) for k in (*tied, *rest)])
        new = (int(np.prod([int(n) for n in extents])), *(stored.extents[k] for k in rest))  # type: ignore[arg-type]
        name = self.graph.reshaped(name, new)
        made = Stored(name, tuple(range(len(new))), new, stored.dtype)
        return made, [self._linear([subscripts[k] for k in tied], extents, scope), *(subscripts[k] for k in rest)]

    def linear(self, parts: list[Expr], extents: list[Extent], scope: Scope) -> Value:
        """The row-major place that some subscripts mean together, over all indices of the scope."""
        made = self._linear([self._subscript(s, n, scope) for s, n in zip(parts, extents, strict=True)], extents, scope)
        value = (
            made.value if isinstance(made, ByData) else Value(self.graph.constant(made.places), made.axes, DType.INT)
        )
        return spread(self.graph, value, tuple(scope.box), scope)

    def _linear(self, parts: list[Subscript], extents: list[Extent], scope: Scope) -> At | ByData:
        strides = [int(np.prod([int(n) for n in extents[k + 1 :]])) for k in range(len(extents))]  # type: ignore[arg-type]
        axes = tuple(x for x in scope.box if any(x in p.axes for p in parts))
        values = [self._placed(p, scope) for p in parts]
        if not any(isinstance(v, Value) for v in values):
            box = scope.extents(axes)
            total = sum(_along(v, axes) * s for v, s in zip(values, strides, strict=True) if isinstance(v, At))
            return At(axes, np.broadcast_to(total, [int(n) for n in box]).copy())  # type: ignore[arg-type]
        name: str | None = None
        for v, stride in zip(values, strides, strict=True):
            v = v if isinstance(v, Value) else Value(self.graph.constant(v.places), v.axes, DType.INT)
            term = self.graph.add("Mul", beside(self.graph, v, axes), self.graph.number(stride, DType.INT))
            name = term if name is None else self.graph.add("Add", name, term)
        assert name is not None
        return ByData(Value(name, axes, DType.INT))

    def _placed(self, s: Subscript, scope: Scope) -> At | Value:
        match s:
            case Kept(index):
                n = scope.box[index]
                assert isinstance(n, int)
                return At((index,), np.arange(n))
            case At():
                return s
            case ByData(value):
                return value


def _tied(subscripts: list[Subscript], shared: set[str]) -> list[int]:
    """The axes that hang together by the first shared index."""
    first = next(k for k, s in enumerate(subscripts) if shared & set(s.axes))
    found, letters = {first}, set(subscripts[first].axes)
    while True:
        more = {k for k, s in enumerate(subscripts) if k not in found and letters & set(s.axes)}
        if not more:
            return sorted(found)
        found |= more
        letters |= {x for k in more for x in subscripts[k].axes}


def _grows(s: Subscript) -> int:
    """Axes that shrink come first, those that become several last."""
    return len(s.axes) if not isinstance(s, Kept) else 1


def _step(places: Places) -> int | None:
    """The distance of neighbours, row-major, if it is the same everywhere."""
    flat = places.reshape(-1)
    if flat.size == 0:
        return None
    if flat.size == 1:
        return 1
    step = int(flat[1] - flat[0])
    return step if (np.diff(flat) == step).all() else None


def _along(s: At, axes: tuple[str, ...]) -> Places:
    order = [s.axes.index(x) for x in axes if x in s.axes]
    shape = [s.places.shape[s.axes.index(x)] if x in s.axes else 1 for x in axes]
    return s.places.transpose(order).reshape(shape)
