"""What the windows of a block of lines read, with its border, copied near: side by side, and in no need of tests.

before   for x: for y by 13, 1 <= y < 27:  t_r += W[g,dx,dy,i,j]*X[x+dx-1,y+r+dy-1,8*g+i];  for y at the borders: …
after    for x by 7:
             for u: for v: for c:  X_near[u,v,c] = X[x+u-1,v-1,8*g+c] if it is inside else 0
             for each of 7 x: for y by 14:  t_r += W[g,dx,dy,i,j]*X_near[x'+dx,y+r+dy,i]

Without it every row at a border is a block by itself, whose sum waits for each of its additions; and elements that are read
together lie far apart, on few sets of the nearest cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine, conjuncts, expression, not_negative
from indexlang.ir.build import Builder, integer
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Const, Expr, Index, Read, Reduce, Select, rewrite, walk
from indexlang.nest.interior import is_plain
from indexlang.nest.moves.beside import Beside
from indexlang.nest.nodes import For, Lanes, Node, Room, Store
from indexlang.nest.steps import known

_MOST_BYTES = 28 << 10  # of a copy: it shares the nearest cache with the other operand and the results
_LEAST_USES = 12  # of each element that is copied
_LEAST_BLOCKS = 32  # of lines and all around them, so that all threads have work


@dataclass(frozen=True, slots=True)
class Lines:
    """The outer index that slides with a summed one, `size` of whose values share a copy; `block` counts such pieces."""

    index: Bound
    size: int

    @property
    def block(self) -> Bound:
        """The index that counts the pieces."""
        return Bound(f"{self.index.name}_block", -(-known(self.index.extent) // self.size))

    @property
    def start(self) -> Affine:
        """The first line of a block."""
        return Affine(0, ((self.block.name, self.size),))


@dataclass(frozen=True, slots=True)
class Near:
    """An equation that reads a copy, the program that knows the copy, and the nodes that make it for a block of lines."""

    equation: Equation
    program: Program
    lines: Lines | None
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of what is copied: `size` places from `first` on, which is known before a block; `moves` within it."""

    first: Affine
    moves: Affine
    size: int
    low: bool  # whether there may be places before the tensor's first one
    high: bool  # … and behind its last


def near(
    e: Equation, total: Reduce, row: Bound, column: Bound, beside: Beside | None, program: Program, lanes: int
) -> Near | None:
    """The equation with the one read that has a border in place of a copy; None where that does not pay."""
    found = {n for n in walk(e.body) if isinstance(n, Select)}
    choice = next(iter(found)) if len(found) == 1 and found <= set(walk(total.body)) else None
    if choice is None or not isinstance(choice.then, Read) or not isinstance(choice.other, Const):
        return None
    return _Copying(e, total, row, column, beside, program, choice, choice.then, lanes).near()


class _Copying:
    def __init__(
        self, e: Equation, total: Reduce, row: Bound, column: Bound, beside: Beside | None, program: Program,
        choice: Select, read: Read, lanes: int,
    ) -> None:  # fmt: skip
        self.e, self.total, self.row, self.column, self.beside = e, total, row, column, beside
        self.program, self.choice, self.read, self.lanes = program, choice, read, lanes
        self.build = Builder(program.float_type)
        self.extents = program.tensor(read.tensor).extents
        self.forms = [f for s in read.subscripts if (f := affine(s)) is not None and f.is_plain and f.is_concrete]
        self.bounds = {b.name: b for b in (*e.indices, *total.over)}

    def near(self) -> Near | None:
        if len(self.forms) < len(self.extents) or not self._is_border() or self.read.dtype is not self.total.dtype:
            return None
        moved = {v for f in self.forms for v, _ in f.terms}
        if self.column.name in moved or self.row.name not in moved:
            return None
        line = self._line()
        for lines in self._pieces(line) if line else (None,):
            axes = self._axes(lines)
            if axes is None:
                return None
            if prod(a.size for a in axes) * self.total.dtype.size <= _MOST_BYTES:
                return self._made(lines, axes) if self._pays(lines, axes) else None
        return None

    def _pieces(self, line: Bound) -> Iterator[Lines]:
        """The lines in equal pieces, the longest first of those that give all threads work."""
        extent, around = known(line.extent), self._around(line)
        for count in range(1, extent + 1):
            if around * count >= _LEAST_BLOCKS or count == extent:
                yield Lines(line, -(-extent // count))

    def _line(self) -> Bound | None:
        """The outer index that slides as a summed index does."""
        over = {b.name for b in self.total.over}
        inner = {self.row.name, self.column.name, *([self.beside.group.name] if self.beside else [])}
        windows = [{str(v) for v, _ in f.terms} for f in self.forms]
        slides = set[str]().union(*(w for w in windows if w & over)) - over - inner
        return next((b for b in self.e.indices if b.name in slides and is_plain(b.extent)), None)

    def _around(self, line: Bound | None) -> int:
        inner = (self.row, self.column, line)
        own = prod(known(b.extent) for b in self.e.indices if b not in inner and is_plain(b.extent))
        return own // (self.beside.pieces if self.beside else 1)

    def _pays(self, lines: Lines | None, axes: list[_Axis]) -> bool:
        """Whether each element that is copied is used often enough."""
        inner = known(self.row.extent) * known(self.column.extent) * (lines.size if lines else 1)
        terms = inner * prod(known(b.extent) for b in self.total.over) * (self.beside.pieces if self.beside else 1)
        return terms >= _LEAST_USES * prod(a.size for a in axes)

    def _is_border(self) -> bool:
        """Whether the tests are those of the tensor's own axes, all of which have plain extents where they are tested."""
        own = [t for f, n in zip(self.forms, self.extents, strict=True) for t in (f, Affine(n - 1) - f)]  # type: ignore[operator]
        tests = [not_negative(c) for c in conjuncts(self.choice.cond)]
        return all(t is not None and any(not (t - f).terms and (t - f).constant == 0 for f in own) for t in tests)

    def _axes(self, lines: Lines | None) -> list[_Axis] | None:
        found = [self._axis(f, n, lines) for f, n in zip(self.forms, self.extents, strict=True)]
        axes = [a for a in found if a is not None]
        return axes if len(axes) == len(found) and not (axes[-1].low or axes[-1].high) else None

    def _axis(self, form: Affine, extent: object, lines: Lines | None) -> _Axis | None:
        """What a subscript takes on within a block of lines; None where named extents decide about it."""
        within = {b.name: known(b.extent) for b in (*self.total.over, self.row)}
        before: dict[str, Affine] = {}
        if lines is not None:
            within[lines.index.name], before[lines.index.name] = lines.size, lines.start
        if self.beside is not None:
            blocks, pieces = self.beside.blocks, self.beside.pieces
            within[self.beside.group.name] = pieces
            before[self.beside.group.name] = Affine(0, ((blocks.name, pieces),))
        first, moves, low, size = Affine(form.constant), Affine(0), 0, 1
        for v, c in form.terms:
            name, factor = str(v), known(c)
            here = Affine(0, ((name, factor),))
            if name not in within:
                first = first + here
                continue
            start = before.get(name, Affine(0)).scaled(factor)
            first, moves = first + start, moves + here - start
            reach = factor * (within[name] - 1)
            low, size = low + min(reach, 0), size + abs(reach)
        first, moves = first + Affine(low), moves - Affine(low)
        least, most = self._range(first, lines)
        named = not is_plain(extent) or any(not is_plain(self.bounds[str(v)].extent) for v, _ in form.terms)  # type: ignore[arg-type]
        if named and moves.terms:
            return None
        return _Axis(first, moves, size, not named and least < 0, not named and most + size > int(str(extent)))

    def _range(self, first: Affine, lines: Lines | None) -> tuple[int, int]:
        """The least and the greatest first place of all blocks."""
        blocks = [*([lines.block] if lines else []), *([self.beside.blocks] if self.beside else [])]
        bounds = {**self.bounds, **{b.name: b for b in blocks}}
        ends = [known(c) * (known(bounds[str(v)].extent) - 1) for v, c in first.terms]
        at = known(first.constant)
        return at + sum(min(n, 0) for n in ends), at + sum(max(n, 0) for n in ends)

    def _made(self, lines: Lines | None, axes: list[_Axis]) -> Near:
        name = self._fresh(f"{self.read.tensor}_near")
        tensor = Tensor(name, tuple(a.size for a in axes), self.read.dtype, Role.COMPUTED, span=self.read.span)
        program = self.program.replace(tensors=(*self.program.tensors, tensor))
        copy = Read(name, tuple(expression(a.moves) for a in axes), None, self.read.dtype, self.read.span)
        body = rewrite(self.e.body, lambda n: copy if n == self.choice else n)
        room = Room(name, prod(a.size for a in axes))
        return Near(replace(self.e, body=body), program, lines, (room, self._loops(name, axes)))

    def _fresh(self, stem: str) -> str:
        taken = {t.name for t in self.program.tensors}
        while stem in taken:
            stem += "'"
        return stem

    def _loops(self, name: str, axes: list[_Axis]) -> Node:
        """The loops that copy, in vectors along the last axis where it is a whole number of them."""
        places = [Index(f"u{k}") if a.size > 1 else integer(0) for k, a in enumerate(axes)]
        there = [
            self.build.apply(ops.ADD, expression(a.first), p) if a.size > 1 else expression(a.first)
            for a, p in zip(axes, places, strict=True)
        ]
        value: Expr = Read(self.read.tensor, tuple(there), None, self.read.dtype, self.read.span)
        for a, place, extent in reversed(list(zip(axes, there, self.extents, strict=True))):
            value = self._inside(a, place, integer(extent), value)
        node: Node = Store(name, tuple(places), value)
        *others, last = [(k, a.size) for k, a in enumerate(axes) if a.size > 1]
        lanes = next((n for n in (self.lanes >> k for k in range(5)) if n and last[1] % n == 0), 1)
        if lanes > 1 and last[0] == len(axes) - 1:
            node = Lanes(f"u{last[0]}", integer(0), integer(last[1]), lanes, lanes, (node,))
        else:
            node = For(f"u{last[0]}", integer(0), integer(last[1]), (node,))
        for k, size in reversed(others):
            node = For(f"u{k}", integer(0), integer(size), (node,))
        return node

    def _inside(self, a: _Axis, place: Expr, extent: Expr, value: Expr) -> Expr:
        if a.high:
            value = Select(self.build.apply(ops.LT, place, extent), value, self.choice.other, value.dtype)
        if a.low:
            value = Select(self.build.apply(ops.GE, place, integer(0)), value, self.choice.other, value.dtype)
        return value
