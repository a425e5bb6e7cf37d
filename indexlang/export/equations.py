"""Equations as tensors of the graph: whole ones, parts side by side, terms added up."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.export.accesses import Stored
from indexlang.export.graph import Given, Graph
from indexlang.export.lower import Lowering
from indexlang.export.numbers import numbers
from indexlang.export.values import Scope, Value, cast, in_order, spread
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Index
from indexlang.passes.dce import drop_dead
from indexlang.passes.turn import turn_scatters

Array = NDArray[Any]


def written(program: Program, values: Mapping[str, Array]) -> Graph:
    """The graph of a program's outputs. `values` are those of its parameters and states.

    Raises ProgramError E1101 for what ONNX cannot say.
    """
    live = drop_dead(program, program.outputs)
    if any(e.accumulates for e in live.equations) and not live.size_names:
        live = turn_scatters(live)
    inputs = live.with_role(Role.INPUT)
    graph = Graph([Given(t.name, t.extents, t.dtype) for t in inputs], [t.name for t in live.tensors])
    _check_updates(program, graph)
    made = _Tensors(live, graph)
    for t in inputs:
        made.stored[t.name] = _as_it_is(t)
    for name, array in values.items():
        graph.constants[name] = array
        made.stored[name] = _as_it_is(live.tensor(name))
    made.run()
    return graph


def _check_updates(program: Program, graph: Graph) -> None:
    if not program.updates:
        return
    kept, following = program.updates[0]
    graph.place = kept
    graph.span = next((e.span for e in program.equations if e.target == following), None)
    raise graph.refuse("it gets a next value at each run, and an ONNX graph keeps nothing",
                       "export the program without its steps of training")  # fmt: skip


def _as_it_is(t: Tensor) -> Stored:
    return Stored(t.name, tuple(range(len(t.extents))), t.extents, t.dtype)


class _Tensors:
    def __init__(self, program: Program, graph: Graph) -> None:
        self.program, self.graph = program, graph
        self.stored: dict[str, Stored] = {}
        self.lowering = Lowering(graph, self.stored)

    def run(self) -> None:
        by_target: dict[str, list[Equation]] = {}
        last = {e.target: n for n, e in enumerate(self.program.equations)}
        for n, e in enumerate(self.program.equations):
            by_target.setdefault(e.target, []).append(e)
            if last[e.target] == n:
                self.graph.place = e.target
                self.stored[e.target] = self._tensor(self.program.tensor(e.target), by_target[e.target])
        for name in self.program.outputs:
            s = self.stored[name]
            back = tuple(s.order.index(k) for k in range(len(s.order)))
            is_same = back == tuple(range(len(back)))
            if name in self.graph.constants or s.name != name:
                self._output(name, s, back, is_same)

    def _output(self, name: str, s: Stored, back: tuple[int, ...], is_same: bool) -> None:
        if is_same:
            self.graph.into(name, "Identity", s.name)
        else:
            self.graph.into(name, "Transpose", s.name, perm=back)

    def _tensor(self, t: Tensor, equations: Sequence[Equation]) -> Stored:
        if equations[0].accumulates:
            return self._added(t, equations)
        if len(equations) > 1:
            return self._joined(t, equations)
        return self._whole(t, equations[0])

    def _value(self, t: Tensor, e: Equation) -> tuple[Value, Scope]:
        self.graph.span = e.span
        scope = Scope({b.name: b.extent for b in e.indices})
        return cast(self.graph, self.lowering.value(e.body, scope), t.dtype), scope

    def _whole(self, t: Tensor, e: Equation) -> Stored:
        v, scope = self._value(t, e)
        names = [s.name for s in e.left if isinstance(s, Index)]
        if len(names) == len(e.left) == len(e.indices):
            missing = [x for x in names if x not in v.axes]
            full = spread(self.graph, v, v.axes if not missing else names, scope)
            return Stored(full.name, tuple(names.index(x) for x in full.axes), t.extents, t.dtype)
        return self._scattered(t, e, spread(self.graph, v, [b.name for b in e.indices], scope), scope)

    def _scattered(self, t: Tensor, e: Equation, v: Value, scope: Scope) -> Stored:
        """A left side like `(x,y)` or `2*i + k`: each element has one place, so each place has one element."""
        order = tuple(range(len(t.extents)))
        box = [b.extent for b in e.indices]
        places = [numbers(s, {b.name: b.extent for b in e.indices}) for s in e.left]
        if not all(isinstance(n, int) for n in (*box, *t.extents)) or any(p is None for p in places):
            return self._grouped(t, e, v, scope)
        linear = np.zeros([int(n) for n in box], np.int64)  # type: ignore[arg-type]
        for p, extent in zip(places, t.extents, strict=True):
            assert p is not None
            along = p.array.reshape([int(b.extent) if b.name in p.axes else 1 for b in e.indices])  # type: ignore[arg-type]
            linear = linear * int(extent) + along  # type: ignore[arg-type]
        flat = linear.reshape(-1)
        name = v.name
        if not (flat == np.arange(flat.size)).all():
            inverse = np.empty_like(flat)
            inverse[flat] = np.arange(flat.size)
            name = self.graph.add(
                "Gather", self.graph.reshaped(name, [flat.size]), self.graph.constant(inverse), axis=0
            )
        return Stored(self.graph.reshaped(name, t.extents), order, t.extents, t.dtype)

    def _grouped(self, t: Tensor, e: Equation, v: Value, scope: Scope) -> Stored:
        """Single indices, and others that are permuted among themselves: those of known extents, for each of the rest."""
        single = [s.name for s in e.left if isinstance(s, Index)]
        rest = [b for b in e.indices if b.name not in single]
        axes = [k for k, s in enumerate(e.left) if not isinstance(s, Index)]
        if not all(isinstance(b.extent, int) for b in rest) or len(axes) != 1:
            raise self.graph.refuse("its left side mixes indices of extents that are not known",
                                    f"give the extent a value: -D {self.program.size_names[0]}=…")  # fmt: skip
        found = numbers(e.left[axes[0]], {b.name: b.extent for b in rest})
        if found is None:
            raise self.graph.refuse("its left side is computed", "write the index alone on the left side")
        v = in_order(self.graph, v, [*single, *(b.name for b in rest)])
        outer = scope.extents(single)
        count = prod(int(b.extent) for b in rest)  # type: ignore[arg-type]
        name = self.graph.reshaped(v.name, [*outer, count])
        flat = found.array.reshape(-1)
        if not (flat == np.arange(count)).all():
            name = self.graph.add("Gather", name, self.graph.constant(np.argsort(flat)), axis=len(single))
        order = [k for k, s in enumerate(e.left) if isinstance(s, Index)] + axes
        return Stored(name, tuple(order), t.extents, t.dtype)

    # -- several equations

    def _joined(self, t: Tensor, equations: Sequence[Equation]) -> Stored:
        """Parts along one axis, side by side; other boxes with zeros around them, added up."""
        order = tuple(range(len(t.extents)))
        boxes = [(e.starts, self._box(t, e)) for e in equations]
        starts = [s for s, _ in boxes if s is not None]
        if len(starts) < len(boxes):
            raise self.graph.refuse("one of its parts is no box", "write its places as `x+1, y`, with a constant each")
        axes = [k for k in order if len({str(s[k]) for s in starts}) > 1]
        if len(axes) == 1 and all(isinstance(s[axes[0]], int) for s in starts):
            parts = sorted(((int(s[axes[0]]), v) for s, v in zip(starts, (v for _, v in boxes), strict=True)))  # type: ignore[arg-type]
            return Stored(self.graph.add("Concat", *(v for _, v in parts), axis=axes[0]), order, t.extents, t.dtype)
        return self._added_boxes(t, equations, [v for _, v in boxes])

    def _box(self, t: Tensor, e: Equation) -> str:
        v, scope = self._value(t, e)
        return spread(self.graph, v, [b.name for b in e.indices], scope).name

    def _added_boxes(self, t: Tensor, equations: Sequence[Equation], parts: Sequence[str]) -> Stored:
        total: str | None = None
        wide = DType.INT if t.dtype in (DType.BOOL, DType.U8, DType.I32) else t.dtype
        for e, part in zip(equations, parts, strict=True):
            starts = e.starts or ()
            after = [n - s - b.extent for n, s, b in zip(t.extents, starts, e.indices, strict=True)]
            if not all(isinstance(n, int) for n in (*starts, *after)):
                raise self.graph.refuse("one of its parts lies at a place that is not known",
                                        f"give the extent a value: -D {self.program.size_names[0]}=…")  # fmt: skip
            part = self.graph.cast(part, wide) if wide is not t.dtype else part
            around = self.graph.ints(*(int(n) for n in (*starts, *after)))  # type: ignore[arg-type]
            padded = self.graph.add("Pad", part, around, self.graph.number(0, wide), mode="constant")
            total = padded if total is None else self.graph.add("Add", total, padded)
        assert total is not None
        name = self.graph.cast(total, t.dtype) if wide is not t.dtype else total
        return Stored(name, tuple(range(len(t.extents))), t.extents, t.dtype)

    def _added(self, t: Tensor, equations: Sequence[Equation]) -> Stored:
        """`+=`: what each equation adds, in their order."""
        total: str | None = None
        for e in equations:
            v, scope = self._value(t, e)
            full = spread(self.graph, v, [b.name for b in e.indices], scope)
            term = self._summed(t, e, full) or self._sent(t, e, full, scope)
            total = term if total is None else self.graph.add("Add", total, term)
        assert total is not None
        return Stored(total, tuple(range(len(t.extents))), t.extents, t.dtype)

    def _summed(self, t: Tensor, e: Equation, v: Value) -> str | None:
        """Terms that go to single indices: each element summed over the indices that the left side leaves out."""
        names = [s.name for s in e.left if isinstance(s, Index)]
        extents = {b.name: b.extent for b in e.indices}
        if len(set(names)) < len(e.left) or any(
            str(extents[x]) != str(n) for x, n in zip(names, t.extents, strict=True)
        ):
            return None
        lost = [x for x in v.axes if x not in names]
        ordered = in_order(self.graph, v, [*names, *lost])
        places = self.graph.ints(*range(len(names), len(v.axes)))
        return self.graph.add("ReduceSum", ordered.name, places, keepdims=0) if lost else ordered.name

    def _sent(self, t: Tensor, e: Equation, v: Value, scope: Scope) -> str:
        """Terms that go to computed places: added there one by one."""
        sizes = [int(n) for n in (*t.extents, *scope.box.values()) if isinstance(n, int)]
        if len(sizes) < len(t.extents) + len(scope.box):
            raise self.graph.refuse("it adds to computed places of a tensor whose extents are not known",
                                    f"give the extent a value: -D {self.program.size_names[0]}=…")  # fmt: skip
        places = self.lowering.accesses.linear(list(e.left), list(t.extents), scope)
        whole, count = prod(sizes[: len(t.extents)]), prod(sizes[len(t.extents) :])
        zeros = self.graph.expanded(self.graph.number(0, t.dtype), [whole])
        parts = (self.graph.reshaped(places.name, [count]), self.graph.reshaped(v.name, [count]))
        found = self.graph.add("ScatterElements", zeros, *parts, axis=0, reduction="add")
        return self.graph.reshaped(found, t.extents)
