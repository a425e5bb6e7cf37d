"""Sums with the small matrices of short windows: their numbers are written out, and what lies between two of them is local.

before   T[u,v,x,y,i] = sum[q:6] of_input(v,q)*(sum[p:6] of_input(u,p)*X[4*x+p,4*y+q,i])
after    for x: for y:  for i by 16, vectors of 16:
             for q:  row[q] = X[4*x,4*y+q,i] - 97/36*X[4*x+2,4*y+q,i] + X[4*x+4,4*y+q,i];  row[6+q] = …
             for u:  T[u,0,x,y,i] = row[6*u] - 97/36*row[6*u+2] + row[6*u+4];  T[u,1,x,y,i] = …

Where results are sums for `x%4`, tiles of `x` are an index, and the last one may be cut.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from indexlang.ir import ops
from indexlang.ir.affine import Affine, expression, index
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, rewrite, walk, with_indices
from indexlang.ir.transforms import Matrix, matrix
from indexlang.nest.body import Body
from indexlang.nest.moves.target import Target
from indexlang.nest.nodes import Choice, For, Lanes, Nest, Node, Row, Store, local
from indexlang.nest.steps import known


def transformed(e: Equation, program: Program, target: Target) -> Nest | None:
    """The nest of an equation with such a sum, or None."""
    found = next((n for n in walk(e.body) if isinstance(n, Reduce) and _matrix(n) is not None), None)
    return None if found is None else _Transform(e, found, program, target).nest()


_ROW = "between"  # the name of the local row


@dataclass(frozen=True, slots=True)
class _Window:
    """One of the sums, the innermost first.

    own    the left index that chooses a row: itself, or by its place in a tile of as many as there are rows
    extent of that index
    """

    rows: Matrix
    over: str
    own: Bound
    tiled: bool

    @property
    def columns(self) -> int:
        """How many values are summed."""
        return len(self.rows[0])

    @property
    def tile(self) -> Bound:
        """The index of tiles."""
        return replace(self.own, extent=-(-known(self.own.extent) // len(self.rows)))

    def place(self, row: Affine) -> Expr:
        """What the index is in a row of the tile."""
        return expression(index(self.own.name).scaled(len(self.rows)) + row if self.tiled else row)


class _Transform:
    def __init__(self, e: Equation, total: Reduce, program: Program, target: Target) -> None:
        self.e, self.total = e, total
        self.make = Body(program)
        bounds = {b.name: b for b in e.indices}
        self.windows, self.read = _taken_apart(total, bounds)
        self.whole = local("total", total.dtype)  # stands for the sum in the body
        self.body = rewrite(e.body, lambda n: self.whole if n == total else n)
        self.column, self.dtype = e.indices[-1], total.dtype
        self.lanes = target.lanes_within(known(self.column.extent), self.dtype)

    def nest(self) -> Nest:
        tiles = {w.own.name: w.tile for w in self.windows if w.tiled}
        alone = {w.own.name for w in self.windows if not w.tiled}
        outer = tuple(tiles.get(b.name, b) for b in self.e.indices[:-1] if b.name not in alone)
        stop, body = integer(self.column.extent), self._vector()
        loop = (
            Lanes(self.column.name, integer(0), stop, self.lanes, self.lanes, body)
            if self.lanes > 1
            else For(self.column.name, integer(0), stop, body)
        )
        return self.make.nest(self.e, self.e, outer, (loop,), f"windows, vectors of {self.lanes}")

    def _vector(self) -> tuple[Node, ...]:
        """What is done for one vector of the column."""
        first, *others = self.windows
        if not others:
            return self._stores(first, {}, self._over(first))
        (last,) = others

        def at(row: Affine, column: Affine) -> tuple[Expr]:
            """The place of an element in the local row."""
            return (expression(row.scaled(last.columns) + column),)

        between = tuple(
            Store(f"%{_ROW}", at(Affine(row), index(last.over)), self._combined(factors, self._over(first)))
            for row, factors in enumerate(first.rows)
        )
        row = f"{first.own.name}_row" if first.tiled else first.own.name
        places = {first.own.name: first.place(index(row))}

        def kept(k: int) -> Expr:
            return Read(f"%{_ROW}", at(index(row), Affine(k)), None, self.dtype)

        return (
            Row(_ROW, self.dtype, len(first.rows) * last.columns),
            For(last.over, integer(0), integer(last.columns), between),
            For(row, integer(0), self._rows(first), self._stores(last, places, kept)),
        )

    def _rows(self, w: _Window) -> Expr:
        """How many rows a tile has."""
        size, extent = len(w.rows), known(w.own.extent)
        if not w.tiled or extent % size == 0:
            return integer(size)
        left = expression(Affine(extent) - index(w.own.name).scaled(size))
        return self.make.build.apply(ops.MIN, integer(size), left)

    def _stores(self, w: _Window, places: Mapping[str, Expr], read: Callable[[int], Expr]) -> tuple[Node, ...]:
        """One result for each row of the last window, in its tile where that may be cut."""
        out: list[Node] = []
        for row, factors in enumerate(w.rows):
            at = {**places, w.own.name: w.place(Affine(row))}
            value = self._combined(factors, read)
            body = rewrite(with_indices(self.body, at), lambda n, value=value: value if n == self.whole else n)
            store = Store(self.e.target, tuple(with_indices(s, at) for s in self.e.left), body)
            if w.tiled and known(w.own.extent) % len(w.rows):
                inside = self.make.build.apply(ops.LT, at[w.own.name], integer(w.own.extent))
                out.append(Choice(inside, (store,), ()))
            else:
                out.append(store)
        return tuple(out)

    def _over(self, w: _Window) -> Callable[[int], Expr]:
        """What a window sums, by its place."""
        return lambda k: with_indices(self.read, {w.over: integer(k)})

    def _combined(self, factors: Sequence[Fraction], read: Callable[[int], Expr]) -> Expr:
        """The sum of what is read, times a number each."""
        apply = self.make.build.apply
        out: Expr | None = None
        for k, factor in enumerate(factors):
            if factor == 0:
                continue
            size = Const(float(abs(factor)), self.dtype)
            term = read(k) if size.value == 1 else apply(ops.MUL, size, read(k))
            if out is None:
                out = term if factor > 0 else apply(ops.NEG, term)
            else:
                out = apply(ops.ADD if factor > 0 else ops.SUB, out, term)
        assert out is not None
        return out


def _taken_apart(total: Reduce, bounds: Mapping[str, Bound]) -> tuple[tuple[_Window, ...], Read]:
    """The windows of a sum, and what is read in the innermost one: by tiles, where they have such."""
    windows: list[_Window] = []
    quotients: dict[Expr, Expr] = {}
    inner: Expr = total
    while isinstance(inner, Reduce):
        (over,) = inner.over
        assert isinstance(inner.body, Apply)
        factor, inner = inner.body.args
        assert isinstance(factor, Apply)
        rows = matrix(factor.op)
        assert rows is not None
        match factor.args[0]:
            case Index(name=name):
                windows.append(_Window(rows, over.name, bounds[name], False))
            case Apply(op=ops.MOD, args=(Index(name=name), size)):
                windows.append(_Window(rows, over.name, bounds[name], True))
                quotients[Apply(ops.FLOORDIV, (Index(name), size), DType.INT)] = Index(name)
            case other:
                raise AssertionError(other)
    assert isinstance(inner, Read)
    read = rewrite(inner, lambda n: quotients.get(n, n))
    assert isinstance(read, Read)
    return tuple(reversed(windows)), read


def _matrix(n: Reduce) -> Matrix | None:
    match n.body:
        case Apply(op=ops.MUL, args=(Apply(op=op), _)):
            return matrix(op)
        case _:
            return None
