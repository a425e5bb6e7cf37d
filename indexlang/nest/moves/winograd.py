"""Sums over short windows with fewer multiplications: of three values, four results from six products.

before   Y[x:56,j:64] = relu(sum[dx:3,i:64] W[dx,i,j]*X[x+dx-1,i else 0] + B[j])
after    X_tiles[u:6,x:14,i:64] = sum[p:6] of_input(u,p)*X[4*x+p-1,i else 0]
         W_tiles[u:6,i:64,j:64] = sum[dx:3] of_filter(u,dx)*W[dx,i,j]
         Y_tiles[u:6,x:14,j:64] = sum[i:64] X_tiles[u,x,i]*W_tiles[u,i,j]
         Y[x:56,j:64] = relu(sum[u:6] of_result(x%4,u)*Y_tiles[u,x//4,j] + B[j])

Along two windows at once a quarter of the multiplications is left. How much more is rounded off stands in `docs/trust.md`.

source   Lavin & Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine, expression, index
from indexlang.ir.bounds import gathers
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import (
    Border,
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Reduce,
    Rule,
    Select,
    free_indices,
    rewrite,
    walk,
    with_indices,
)
from indexlang.ir.fixed import fixed_tensors
from indexlang.ir.ops import Op
from indexlang.ir.size import Extent, Named
from indexlang.ir.transforms import PRODUCTS, TAPS, Transforms, element, results_of, transforms
from indexlang.nest.body import here
from indexlang.nest.moves.block_shape import is_vectorial
from indexlang.nest.steps import known
from indexlang.passes.contraction import Contraction, contraction, used
from indexlang.passes.growing import other_name
from indexlang.passes.padding import Padding, Reach, reach

TYPES = (DType.F32,)  # f64 is for those who compare: it stays as it is written
LEAST_PRODUCTS = 1 << 24  # of a sum that is taken apart: others are over before its kernels would have been compiled
LEAST_CHANNELS = 16  # what is left must be worth a tile of registers
GAIN = 1.25  # times less work
_MOVING, _FILTER = 25, 20  # products in the time that an element of what is made takes; of a filter, which is only read
_MOST_WINDOWS = 2  # of one sum: three would leave few terms of many tiles


def winograd(program: Program) -> Program:
    """The program with such sums where that is less work. Its extents are known."""
    if program.exact or program.updates:  # filters of a step of training change with every step
        return program
    return _Winograd(program).run()


@dataclass(frozen=True, slots=True)
class _Window:
    """A summed index of few values that slides along a left index.

    axis    of the input, in which both stand
    flipped whether larger taps read earlier elements
    """

    tap: Bound
    along: Bound
    axis: int
    flipped: bool

    @property
    def tiles(self) -> int:
        """How many groups of results there are along it."""
        return -(-known(self.along.extent) // self.results)

    @property
    def taps(self) -> int:
        """Values of the summed index."""
        return known(self.tap.extent)

    @property
    def results(self) -> int:
        """How many neighbours come from the same products."""
        return results_of(self.taps)

    @property
    def transforms(self) -> Transforms:
        """How they come from these."""
        return transforms(self.taps)


class _Winograd(Padding):
    @cached_property
    def lasting(self) -> set[str]:
        """The tensors that stay as they are while parameters do."""
        return fixed_tensors(self.program) | {t.name for t in self.program.with_role(Role.PARAM)}

    def run(self) -> Program:
        return self.grown(tuple(made for e in self.program.equations for made in self._shortened(e)))

    def _shortened(self, e: Equation) -> Iterator[Equation]:
        found = contraction(e, self.program)
        sum_ = _Sum.of(e, found, self.program) if found is not None else None
        if sum_ is None or not sum_.pays or not self._may(sum_):
            yield e
            return
        a = yield from self._input(sum_)
        w = self._filter(sum_)
        yield w
        product = self.build.apply(ops.MUL, here(a, sum_.dtype), here(w, sum_.dtype))
        total = Reduce(ops.SUM, sum_.over, product, sum_.dtype)
        tiles = self.defined(f"{e.target}_tiles", (*sum_.points, *sum_.left), total, e)
        yield tiles
        yield self._result(sum_, tiles.target)

    def _may(self, s: "_Sum") -> bool:
        """Whether a sum may be taken apart: of numbers that others do not add to, with filters that stay as they are."""
        if s.dtype not in TYPES or s.e.accumulates or gathers(s.e.body) or s.found.w.tensor not in self.lasting:
            return False
        rest = rewrite(s.e.body, lambda n: Const(0.0, s.dtype) if n == s.found.total else n)
        return not any(isinstance(n, Select) for n in walk(rest)) and is_vectorial(rest, self.program)

    def _input(self, s: "_Sum") -> Generator[Equation, None, Equation]:
        """The transformed tiles of the input, and before them what pads it; also given back."""
        read = s.found.a
        if s.is_loose:
            border = read.border or Border(Rule.VALUE, Const(0.0, s.dtype))
            read = yield from self.padded(replace(read, border=border), s.reaches)
        subscripts = list(read.subscripts)
        for w, place in zip(s.windows, s.places, strict=True):
            first = integer(w.taps - 1 if w.flipped else 0)
            tile = self.build.apply(ops.MUL, integer(w.results), Index(w.along.name))
            moved = with_indices(subscripts[w.axis], {w.tap.name: first, w.along.name: tile})
            subscripts[w.axis] = expression((affine(moved) or Affine(0)) + index(place.name))
        total = self._transformed(
            replace(read, subscripts=tuple(subscripts)),
            [w.transforms.of_input for w in s.windows],
            [Index(p.name) for p in s.points],
            s.places,
        )
        made = self.defined(f"{read.tensor}_tiles", (*s.points, *s.of_a), total, s.e)
        yield made
        return made

    def _filter(self, s: "_Sum") -> Equation:
        """The transformed filters."""
        last = {w.tap.name: Affine(w.taps - 1) - index(w.tap.name) for w in s.windows if w.flipped}
        read = with_indices(s.found.w, {name: expression(form) for name, form in last.items()})
        total = self._transformed(
            read,
            [w.transforms.of_filter for w in s.windows],
            [Index(p.name) for p in s.points],
            [w.tap for w in s.windows],
        )
        return self.defined(f"{s.found.w.tensor}_tiles", (*s.points, *s.of_w), total, s.e)

    def _result(self, s: "_Sum", tiles: str) -> Equation:
        """The equation itself, with what its sum is made of in place of it."""
        by = {w.along.name: integer(w.results) for w in s.windows}
        left = [Index(b.name) for b in s.left]
        which = [self.build.apply(ops.FLOORDIV, n, by[n.name]) if n.name in by else n for n in left]
        read = Read(tiles, (*(Index(p.name) for p in s.points), *which), None, s.dtype)
        value = self._transformed(
            read,
            [w.transforms.of_result for w in s.windows],
            [self.build.apply(ops.MOD, Index(name), size) for name, size in by.items()],
            s.points,
        )
        return replace(s.e, body=rewrite(s.e.body, lambda n: value if n == s.found.total else n))

    def _transformed(self, read: Expr, matrices: Sequence[Op], rows: Sequence[Expr], over: Sequence[Bound]) -> Expr:
        """A sum for each window, around what is read."""
        out = read
        for op, row, b in zip(matrices, rows, over, strict=True):
            factor = element(op, row, Index(b.name), read.dtype)
            out = Reduce(ops.SUM, (b,), self.build.apply(ops.MUL, factor, out), read.dtype)
        return out


@dataclass(frozen=True, slots=True)
class _Sum:
    """A contraction whose windows are taken apart.

    points  an index of the transformed tensors for each window, and `places` one of what a tile reads
    left    the indices of the equation, with tiles in place of those along windows
    over    the summed indices that stay
    of_a    which of these the input has, and `of_w` the filters
    """

    e: Equation
    found: Contraction
    windows: tuple[_Window, ...]
    points: tuple[Bound, ...]
    places: tuple[Bound, ...]
    left: tuple[Bound, ...]
    over: tuple[Bound, ...]
    extents: tuple[Extent, ...]  # of the input

    @classmethod
    def of(cls, e: Equation, found: Contraction, program: Program) -> "_Sum | None":
        """The parts of a contraction, or None where it has no such windows."""
        windows = _windows(e, found)
        taps = {w.tap.name for w in windows}
        last = _last(found)
        if not windows or last is None or last.name in taps:
            return None
        over = (*(b for b in found.total.over if b.name not in taps and b is not last), last)
        if any(isinstance(b.extent, Named) for b in over):
            return None
        taken = {b.name for b in (*e.indices, *found.total.over)}
        points, places = (
            tuple(_fresh(f"{w.along.name}_{kind}", taken) for w in windows) for kind in ("point", "place")
        )
        tiled = {w.along.name: replace(w.along, extent=w.tiles) for w in windows}
        left = tuple(tiled.get(b.name, b) for b in e.indices)
        made = cls(e, found, windows, points, places, left, over, program.tensor(found.a.tensor).extents)
        return made if all(made._stays_within(w) for w in windows) else None

    @property
    def dtype(self) -> DType:
        """Of the sum."""
        return self.found.total.dtype

    @property
    def of_a(self) -> tuple[Bound, ...]:
        """The indices of the transformed input behind the points."""
        return tuple(b for b in (*self.left, *self.over) if b.name in used(self.found.a))

    @property
    def of_w(self) -> tuple[Bound, ...]:
        """The indices of the transformed filters behind the points."""
        own = used(self.found.w)
        return (*(b for b in (*self.left[:-1], *self.over) if b.name in own), self.left[-1])

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """How far the tiles reach along each axis of the input."""
        taps = {w.tap.name: w.tap.extent for w in self.windows}
        box = {b.name: b.extent for b in (*self.e.indices, *self.over)} | taps
        out = [reach(s, box) for s in self.found.a.subscripts]
        for w in self.windows:
            low, _ = out[w.axis]
            out[w.axis] = low, low + w.results * w.tiles + w.taps - 2
        return tuple(out)

    @property
    def is_loose(self) -> bool:
        """Whether tiles reach beyond the input."""
        pairs = zip(self.reaches, self.extents, strict=True)
        return any(low < 0 or high >= known(n) for (low, high), n in pairs)

    def _stays_within(self, w: _Window) -> bool:
        """Whether tiles touch no element that the sum itself does not: such a one may be NaN."""
        low, high = self.reaches[w.axis]
        last = low + known(w.along.extent) + w.taps - 2
        return high == last or last >= known(self.extents[w.axis]) - 1

    @property
    def pays(self) -> bool:
        """Whether the products that are saved take longer than what is moved for it."""
        columns = known(self.found.column.extent)
        rows = _volume(self.e.indices) // columns
        terms = _volume(self.over)
        taps = prod(w.taps for w in self.windows)
        before = rows * columns * terms * taps
        points = prod(PRODUCTS for _ in self.windows)
        tiles = _volume(self.left) // columns
        inputs, results = points * _volume(self.of_a), points * tiles * columns
        moved = 2 * (inputs + results) + rows * columns + 2 * prod(high - low + 1 for low, high in self.reaches)
        after = points * tiles * columns * terms + _MOVING * moved + _FILTER * (points - taps) * _volume(self.of_w)
        return before >= LEAST_PRODUCTS and min(columns, terms) >= LEAST_CHANNELS and before >= GAIN * after


def _last(found: Contraction) -> Bound | None:
    """The summed index along which the input lies side by side: its tiles are made of vectors of it."""
    *others, last = found.a.subscripts
    form = affine(last)
    elsewhere = {name for s in others for name in free_indices(s)}
    along = (b for b in found.total.over if form is not None and form.coefficient(b.name) == 1)
    return next((b for b in along if b.name not in elsewhere), None)


def _fresh(stem: str, taken: set[str]) -> Bound:
    name = other_name(stem, taken)
    taken.add(name)
    return Bound(name, PRODUCTS)


def _volume(bounds: Sequence[Bound]) -> int:
    return prod(known(b.extent) for b in bounds)


def _windows(e: Equation, found: Contraction) -> tuple[_Window, ...]:
    """Up to two windows of a contraction."""
    out: list[_Window] = []
    for tap in found.total.over:
        made = _window(tap, e, found) if tap.extent in TAPS else None
        if made is not None and made.along not in [w.along for w in out]:
            out.append(made)
    return tuple(out[:_MOST_WINDOWS])


def _window(tap: Bound, e: Equation, found: Contraction) -> _Window | None:
    axes = [k for k, s in enumerate(found.a.subscripts) if tap.name in free_indices(s)]
    form = affine(found.a.subscripts[axes[0]]) if len(axes) == 1 else None
    if form is None or tap.name not in used(found.w) or form.coefficient(tap.name) not in (1, -1):
        return None
    others = [v for v in form.indices if v != tap.name]
    along = next((b for b in e.indices if [b.name] == others), None)
    if along is None or form.coefficient(along.name) != 1 or along.name in used(found.w):
        return None
    if isinstance(along.extent, Named) or any(
        along.name in free_indices(s) for k, s in enumerate(found.a.subscripts) if k != axes[0]
    ):
        return None
    return _Window(tap, along, axes[0], form.coefficient(tap.name) == -1)
