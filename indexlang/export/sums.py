"""Reductions that ONNX has an operator for: convolutions, matrix products, pools. Anything else is left to `lower.py`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, prod

from indexlang.export.accesses import Accesses, Stored
from indexlang.export.graph import Graph
from indexlang.export.values import Scope, Value, merged, parted
from indexlang.export.windows import Window, bare, reads_outside, window
from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Expr, Index, Read, Reduce
from indexlang.ir.size import same

Lower = Callable[[Expr, Scope], Value]


def factors(e: Expr) -> list[Expr]:
    """The factors of a product of floats."""
    if isinstance(e, Apply) and e.op is ops.MUL and e.dtype.is_float:
        return [f for a in e.args for f in factors(a)]
    return [e]


@dataclass(frozen=True, slots=True)
class _Slid:
    """The axes of a tensor under windows: by window, summed along, or as they are."""

    windows: tuple[tuple[int, Window], ...]
    plain: tuple[tuple[int, str], ...]


class Sums:
    """Reductions in one graph."""

    def __init__(self, graph: Graph, accesses: Accesses) -> None:
        self.graph, self.accesses = graph, accesses

    # -- products

    def product(self, e: Reduce, scope: Scope, lower: Lower) -> Value | None:
        """A sum of products as Conv, MatMul or Einsum; None if it is none."""
        parts = factors(e.body)
        if e.fold is not ops.SUM or len(parts) < 2 or not e.dtype.is_float:
            return None
        over = [b.name for b in e.over]
        if len(parts) == 2 and e.dtype is DType.F32:
            for data, weights in (parts, parts[::-1]):
                if isinstance(data, Read) and isinstance(weights, Read):
                    found = self._convolution(data, weights, over, scope)
                    if found is not None:
                        return found
        values = [self._as(lower(p, scope), e.dtype) for p in parts]
        if len(values) != 2 or any(not any(x in v.axes for v in values) for x in over):
            return None
        a, b = values
        if any(x not in a.axes or x not in b.axes for x in over):
            return None
        return self._matrices(a, b, over, scope)

    def _as(self, v: Value, dtype: DType) -> Value:
        return v if v.dtype is dtype else Value(self.graph.cast(v.name, dtype), v.axes, dtype)

    def _matrices(self, a: Value, b: Value, over: list[str], scope: Scope) -> Value | None:
        """[batch, own of a, over] times [batch, over, own of b]."""
        batch = [x for x in a.axes if x in b.axes and x not in over]
        mine = [x for x in a.axes if x not in b.axes]
        theirs = [x for x in b.axes if x not in a.axes]
        if not mine and not theirs:
            return None
        place = {x: n for n, x in enumerate(scope.box)}  # the indices of the left side come first
        if theirs and (not mine or min(map(place.__getitem__, theirs)) < min(map(place.__getitem__, mine))):
            a, b, mine, theirs = b, a, theirs, mine
        over = [x for x in a.axes if x in over]
        left = merged(self.graph, a, [*([x] for x in batch), mine, over], scope) if batch or not mine else (
            merged(self.graph, a, [*([x] for x in mine), over], scope))  # fmt: skip
        right = merged(self.graph, b, [*([x] for x in batch), over, theirs], scope)
        name = self.graph.add("MatMul", left, right)
        if batch or not mine:
            groups = [*([x] for x in batch), mine, theirs]
        else:
            groups = [*([x] for x in mine), theirs]
        return parted(self.graph, name, groups, a.dtype, scope)

    # -- convolutions

    def _convolution(self, data: Read, weights: Read, over: list[str], scope: Scope) -> Value | None:
        """The batch axes, then the features, then the axes under windows."""
        letters = [bare(s) for s in weights.subscripts]
        stored = self.accesses.tensors[weights.tensor]
        whole = all(x and same(scope.box[x], n) is True for x, n in zip(letters, stored.extents, strict=True))
        if not whole or weights.border or len(set(letters)) < len(letters) or not reads_outside(data, 0):
            return None
        mine = [x for x in letters if x is not None]
        data, source = self._ungrouped(data, over, mine, scope)
        slid = self._slid(data, source, over, mine, scope)
        if slid is None or not slid.windows or any(w.inner not in mine or w.outer in mine for _, w in slid.windows):
            return None
        inner = {w.inner for _, w in slid.windows}
        plain = [x for _, x in slid.plain]
        channels = [x for x in plain if x in over]
        batch = [x for x in plain if x not in over and x not in mine]
        groups = [x for x in plain if x not in over and x in mine]
        if {*over} != {*inner, *channels} or any(x not in mine for x in channels) or len(groups) > 1:
            return None
        out = [x for x in mine if x not in inner and x not in channels and x not in groups]
        source, pads = self._around(source, slid, scope)
        if source is None:
            return None
        windows = list(slid.windows)
        x = self._picture(source, slid, [batch, [*groups, *channels]], scope)
        kernel = self._kernel(weights, [[*groups, *out], channels, *([w.inner] for _, w in windows)], windows, scope)
        many = scope.box[groups[0]] if groups else 1
        if not isinstance(many, int):
            return None
        shape = tuple(int(scope.box[w.inner]) for _, w in windows)  # type: ignore[arg-type]
        name = self.graph.add(
            "Conv", x, kernel, kernel_shape=shape, strides=tuple(w.stride for _, w in windows),
            dilations=tuple(w.dilation for _, w in windows), pads=pads, group=int(many),
        )  # fmt: skip
        return parted(self.graph, name, [batch, [*groups, *out], *([w.outer] for _, w in windows)], DType.F32, scope)

    def _kernel(self, weights: Read, groups: list[list[str]], windows: list[tuple[int, Window]], scope: Scope) -> str:
        v = merged(self.graph, self.accesses.read(weights, scope), groups, scope)
        back = [n + 2 for n, (_, w) in enumerate(windows) if w.is_reversed]
        if back:
            v = self.graph.add("Slice", v, self.graph.ints(*[-1] * len(back)), self.graph.ints(*[-(2**62)] * len(back)),
                               self.graph.ints(*back), self.graph.ints(*[-1] * len(back)))  # fmt: skip
        return v

    def _ungrouped(self, r: Read, over: list[str], weights: list[str], scope: Scope) -> tuple[Read, Stored]:
        """A read of `(g,i)`, a group of features and one of it, as a read of two axes."""
        stored = self.accesses.tensors[r.tensor]
        for axis, s in enumerate(r.subscripts):
            form = affine(s)
            if form is None or not form.is_plain or len(form.terms) != 2 or form.constant != 0:
                continue
            steps = {str(v): c for v, c in form.terms}
            inner = [x for x in steps if x in over]
            outer = [x for x in steps if x not in over and x in weights]
            if len(inner) != 1 or len(outer) != 1 or steps[inner[0]] != 1 or steps[outer[0]] != scope.box[inner[0]]:
                continue
            parts = (scope.box[outer[0]], scope.box[inner[0]])
            if same(parts[0] * parts[1], stored.extents[axis]) is not True:
                continue
            at = stored.order.index(axis)
            laid = [stored.extents[k] for k in stored.order]
            name = self.graph.reshaped(stored.name, [*laid[:at], *parts, *laid[at + 1 :]])
            order = [k + (k > axis) for k in stored.order]
            extents = (*stored.extents[:axis], *parts, *stored.extents[axis + 1 :])
            both = (Index(outer[0]), Index(inner[0]))
            made = Stored(name, (*order[: at + 1], axis + 1, *order[at + 1 :]), extents, stored.dtype)
            return replace(r, subscripts=(*r.subscripts[:axis], *both, *r.subscripts[axis + 1 :])), made
        return r, stored

    def _slid(self, r: Read, stored: Stored, over: list[str], weights: list[str], scope: Scope) -> _Slid | None:
        """What each axis of a read is, if windows and single indices are all there is."""
        windows: list[tuple[int, Window]] = []
        plain: list[tuple[int, str]] = []
        for axis, (s, n) in enumerate(zip(r.subscripts, stored.extents, strict=True)):
            letter = bare(s)
            if letter is not None:
                if same(scope.box[letter], n) is not True:
                    return None
                plain.append((axis, letter))
                continue
            found = window(s, over, scope.box)
            if found is None or found.outer in weights:
                return None
            windows.append((axis, found))
        used = [x for _, x in plain] + [x for _, w in windows for x in (w.outer, w.inner)]
        return _Slid(tuple(windows), tuple(plain)) if len(used) == len(set(used)) else None

    def _around(self, stored: Stored, slid: _Slid, scope: Scope) -> tuple[Stored | None, tuple[int, ...]]:
        """The tensor as far as the windows read it, and what is added before and behind: no window too many fits."""
        before: list[int] = []
        behind: list[int] = []
        for axis, w in slid.windows:
            after = w.after(stored.extents[axis], scope.box[w.outer], scope.box[w.inner])
            if after is None:
                return None, ()
            n = stored.extents[axis]
            first = max(w.start, 0)
            after = 0 if -w.stride < after < 0 else after  # less than a step: no window more
            if first or after < 0:
                end = 2**62 if after >= 0 else after
                at = stored.order.index(axis)
                name = self.graph.add("Slice", stored.name, *(self.graph.ints(k) for k in (first, end, at, 1)))
                extents = (*stored.extents[:axis], n - first + min(after, 0), *stored.extents[axis + 1 :])
                stored = replace(stored, name=name, extents=extents)
            before.append(max(-w.start, 0))
            behind.append(max(after, 0))
        return stored, (*before, *behind)

    def _picture(self, stored: Stored, slid: _Slid, groups: list[list[str]], scope: Scope) -> str:
        """The tensor as pictures: batch, features, and the axes under windows, in their order."""
        names = dict(slid.plain) | {axis: f"({axis})" for axis, _ in slid.windows}
        box = {**scope.box, **{f"({axis})": stored.extents[axis] for axis, _ in slid.windows}}
        value = Value(stored.name, tuple(names[k] for k in stored.order), stored.dtype)
        return merged(self.graph, value, [*groups, *([f"({axis})"] for axis, _ in slid.windows)], Scope(box))

    # -- pools

    def pool(self, e: Reduce, scope: Scope) -> Value | None:
        """The largest of windows as MaxPool, their sum as AveragePool times the number of elements; None otherwise."""
        r = e.body
        if not isinstance(r, Read) or e.fold not in (ops.LARGEST, ops.SUM) or r.dtype is not DType.F32:
            return None
        is_max = e.fold is ops.LARGEST
        over = [b.name for b in e.over]
        source = self.accesses.tensors[r.tensor]
        slid = self._slid(r, source, over, [], scope)
        if slid is None or not reads_outside(r, -inf if is_max else 0) or len(slid.windows) not in (1, 2, 3):
            return None
        if {w.inner for _, w in slid.windows} != set(over) or any(w.is_reversed for _, w in slid.windows):
            return None
        if not is_max and any(w.dilation != 1 for _, w in slid.windows):
            return None
        source, pads = self._around(source, slid, scope)
        shape = tuple(int(scope.box[w.inner]) for _, w in slid.windows)  # type: ignore[arg-type]
        if source is None or any(p >= n for p, n in zip(pads, (*shape, *shape), strict=True)):
            return None
        plain = [x for _, x in slid.plain]
        batch, features = plain[:1], plain[1:]
        x = self._picture(source, slid, [batch, features], scope)
        strides = tuple(w.stride for _, w in slid.windows)
        if is_max:
            name = self.graph.add("MaxPool", x, kernel_shape=shape, strides=strides, pads=pads,
                                  dilations=tuple(w.dilation for _, w in slid.windows))  # fmt: skip
        else:
            name = self.graph.add("AveragePool", x, kernel_shape=shape, strides=strides, pads=pads, count_include_pad=1)
            name = self.graph.add("Mul", name, self.graph.number(prod(shape), DType.F32))
        return parted(self.graph, name, [batch, features, *([w.outer] for _, w in slid.windows)], DType.F32, scope)
