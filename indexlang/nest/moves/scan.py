"""Running sums and maxima in one walk along their index.

before   S[n,i] = f(sum[j] (A[n,j] if j <= i+c else 0))
after    for n, some rows at a time:  total = sum of the first c terms
             for i in blocks:  part = 0
                 for i in the block:  part += A[n,i+c];  S[n,i] = f(total + part)
                 total += part

Blocks keep rounding near that of blocked sums. What runs from an index on goes the other way. Where the index is not the
last one of the result, the columns beside it are vectors. Else a vector along the index is summed by itself, and only the
last of it carried on; or several rows go together, so that additions need not wait.
"""

from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Const, Expr, Index, Select, free_indices, reads, rewrite, walk, with_indices
from indexlang.nest.body import Body, here
from indexlang.nest.interior import is_plain
from indexlang.nest.moves.block_shape import is_vectorial
from indexlang.nest.moves.target import Target
from indexlang.nest.nodes import Add, For, Lanes, Let, Nest, Node, Running, Store, local
from indexlang.nest.steps import known, steps
from indexlang.passes.scans import Scan, scan

_BLOCK = 64
_ROWS = 4  # that go together: an addition takes about so many cycles until it can be added to


def scanned(e: Equation, program: Program, target: Target) -> Nest | None:
    """The nest of an equation with a running reduction; None where it has none."""
    found = scan(e)
    return None if found is None else _Walk(e, found, program, target).nest()


class _Walk:
    def __init__(self, e: Equation, found: Scan, program: Program, target: Target) -> None:
        self.e, self.found, self.program = e, found, program
        self.build = Builder(program.float_type)
        self.extent, self.terms = known(found.at.extent), known(found.over.extent)
        self.dtype = found.total.dtype
        self.lanes = target.lanes(self.dtype.size)

    def nest(self) -> Nest:
        outer = tuple(b for b in self.e.indices if b is not self.found.at)
        column = self._column(outer)
        if column is not None:
            iterations, body = self._beside(outer, column)
        elif self._goes_along():
            iterations, body = outer, self._walk(({},), in_vectors=True)
        else:
            iterations, body = self._together(outer)
        found = Body(self.program).nest(self.e, self.e, iterations, body, "scan")
        return replace(found, work=self._work(iterations))

    def _work(self, iterations: tuple[Bound, ...]) -> int:
        """Operations an iteration: each term and each result once."""
        elements = prod(known(b.extent) for b in self.e.indices if b is not self.found.at) * (self.extent + self.terms)
        nodes = sum(1 for _ in walk(self.e.body))
        return nodes * elements // max(prod(known(b.extent) for b in iterations), 1)

    def _column(self, outer: tuple[Bound, ...]) -> Bound | None:
        """The index along which vectors go: the last of the result, if that is not the running one."""
        moves = steps(here(self.e, self.dtype), self.program) or {}
        column = next((b for b in outer if moves.get(b.name) == 1 and is_plain(b.extent)), None)
        fits = column is not None and known(column.extent) >= self.lanes and self.dtype.is_float
        return column if fits and is_vectorial(self.e.body, self.program) and not self._chooses() else None

    def _goes_along(self) -> bool:
        """Whether vectors go along the running index: whole ones, forwards, of terms that lie side by side."""
        at, over = self.found.at.name, self.found.over.name
        moves = [steps(here(self.e, self.dtype), self.program) or {}]
        own = [*(r for r in reads(self.e.body) if over not in free_indices(r)), *reads(self.found.term)]
        moves += [steps(r, self.program) or {} for r in own]
        near = moves[0].get(at) == 1 and all(m.get(n, 0) in (0, 1) for m in moves for n in (at, over))
        one_type = all(n.dtype is self.dtype for n in walk(self.e.body) if n.dtype.is_float)
        fits = near and one_type and self.dtype.is_float and self.lanes > 1 and self.extent >= 2 * self.lanes
        return fits and not self.found.backwards and is_vectorial(self.e.body, self.program) and not self._chooses()

    def _chooses(self) -> bool:
        """Whether something but the running test is chosen: that is not for vectors."""
        return any(isinstance(n, Select) and n is not self.found.total.body for n in walk(self.e.body))

    def _beside(self, outer: tuple[Bound, ...], column: Bound) -> tuple[tuple[Bound, ...], tuple[Node, ...]]:
        """A vector of columns at a time; the last one may overlap the one before."""
        block = Bound(f"{column.name}_block", -(-known(column.extent) // self.lanes))
        last = integer(known(column.extent) - self.lanes)
        first = self._apply(ops.MIN, self._apply(ops.MUL, integer(self.lanes), Index(block.name)), last)
        stop = self._apply(ops.ADD, first, integer(self.lanes))
        iterations = (*(b for b in outer if b is not column), block)
        return iterations, (Lanes(column.name, first, stop, self.lanes, self.lanes, self._walk(({},))),)

    def _together(self, outer: tuple[Bound, ...]) -> tuple[tuple[Bound, ...], tuple[Node, ...]]:
        """Some values of the last index around at a time; the last ones may overlap those before."""
        rows = outer[-1] if outer and is_plain(outer[-1].extent) and known(outer[-1].extent) >= _ROWS else None
        if rows is None or prod(known(b.extent) for b in outer) < 4 * _ROWS:
            return outer, self._walk(({},))
        block = Bound(f"{rows.name}_block", -(-known(rows.extent) // _ROWS))
        last = integer(known(rows.extent) - _ROWS)
        first = self._apply(ops.MIN, self._apply(ops.MUL, integer(_ROWS), Index(block.name)), last)
        start = local("first", DType.INT)
        places = tuple({rows.name: self._apply(ops.ADD, start, integer(r))} for r in range(_ROWS))
        return (*outer[:-1], block), (Let("first", DType.INT, first), *self._walk(places))

    def _walk(self, copies: tuple[dict[str, Expr], ...], *, in_vectors: bool = False) -> tuple[Node, ...]:
        """The loops; for each of `copies`, which say where other indices are, there is a sum of its own."""
        found, n, j = self.found, self.extent, self.terms
        neutral = Const(ops.identity(found.total.fold, self.dtype.is_float), self.dtype)
        numbered = tuple(enumerate(copies))
        lets = tuple(Let(f"total{k}", self.dtype, neutral) for k, _ in numbered)
        if found.backwards:  # t = n-1-i; the term of t is n-1-t+shift
            low, high = _clamped(n + found.shift - j, 0, n), n + found.shift
            before = (_clamped(n + found.shift, 0, j), j)
        else:
            low, high = _clamped(-found.shift, 0, n), j - found.shift
            before = (0, _clamped(found.shift, 0, j))
        high = _clamped(high, low, n)
        start = For(
            found.over.name,
            integer(before[0]),
            integer(before[1]),
            tuple(self._add(f"total{k}", c, Index(found.over.name)) for k, c in numbered),
        )
        parts: list[Node] = [*lets]
        parts += [start] if before[0] < before[1] else []
        parts += [self._steady(numbered, 0, low)] if low else []
        whole = low + (high - low) // self.lanes * self.lanes if in_vectors else low
        parts += [self._vectors(neutral, low, whole)] if low < whole else []
        parts += [self._blocks(numbered, neutral, whole, high)] if whole < high else []
        parts += [self._steady(numbered, high, n)] if high < n else []
        return tuple(parts)

    def _steady(self, copies: tuple[tuple[int, dict[str, Expr]], ...], start: int, stop: int) -> Node:
        """Where no term is added."""
        stores = tuple(self._store(f"total{k}", c) for k, c in copies)
        return For(self._step, integer(start), integer(stop), stores)

    def _blocks(self, copies: tuple[tuple[int, dict[str, Expr]], ...], neutral: Const, low: int, high: int) -> Node:
        name = f"{self._step}_block"
        start = self._apply(ops.ADD, self._apply(ops.MUL, integer(_BLOCK), Index(name)), integer(low))
        stop = self._apply(ops.MIN, self._apply(ops.ADD, start, integer(_BLOCK)), integer(high))
        fold, inner = self.found.total.fold, list[Node]()
        for k, c in copies:
            inner.append(self._add(f"part{k}", c, self._apply(ops.ADD, self._at, integer(self.found.shift))))
            inner += [Let(f"sum{k}", self.dtype, local(f"total{k}", self.dtype))]
            inner += [Add(f"sum{k}", self.dtype, fold, local(f"part{k}", self.dtype)), self._store(f"sum{k}", c)]
        lets = tuple(Let(f"part{k}", self.dtype, neutral) for k, _ in copies)
        adds = tuple(Add(f"total{k}", self.dtype, fold, local(f"part{k}", self.dtype)) for k, _ in copies)
        block = (*lets, For(self._step, start, stop, tuple(inner)), *adds)
        return For(name, integer(0), integer(-(-(high - low) // _BLOCK)), block)

    def _vectors(self, neutral: Const, low: int, high: int) -> Node:
        """Whole vectors along the running index, in blocks as well."""
        name, fold, dtype = f"{self._step}_vectors", self.found.total.fold, self.dtype
        start = self._apply(ops.ADD, self._apply(ops.MUL, integer(_BLOCK), Index(name)), integer(low))
        stop = self._apply(ops.MIN, self._apply(ops.ADD, start, integer(_BLOCK)), integer(high))
        term = self._add("run", {}, self._apply(ops.ADD, self._at, integer(self.found.shift))).term
        inner = (
            Running("run", "carry", dtype, fold, term),
            Let("whole", dtype, local("total0", dtype)),
            Add("whole", dtype, fold, local("run", dtype)),
            self._store("whole", {}),
        )
        lanes = Lanes(self._step, start, stop, self.lanes, self.lanes, inner)
        block = (Let("carry", dtype, neutral), lanes, Add("total0", dtype, fold, local("carry", dtype)))
        return For(name, integer(0), integer(-(-(high - low) // _BLOCK)), block)

    @property
    def _step(self) -> str:
        """The index of the loop."""
        return f"{self.found.at.name}_back" if self.found.backwards else self.found.at.name

    @property
    def _at(self) -> Expr:
        """The running index inside the loop."""
        if not self.found.backwards:
            return Index(self.found.at.name)
        return self._apply(ops.SUB, integer(self.extent - 1), Index(self._step))

    def _add(self, name: str, copy: dict[str, Expr], at: Expr) -> Add:
        term = with_indices(self.found.term, {**copy, self.found.over.name: at})
        return Add(name, self.dtype, self.found.total.fold, term)

    def _store(self, name: str, copy: dict[str, Expr]) -> Store:
        places = {**copy, self.found.at.name: self._at}
        value = rewrite(self.e.body, lambda n: local(name, self.dtype) if n == self.found.total else n)
        return Store(self.e.target, tuple(with_indices(s, places) for s in self.e.left), with_indices(value, places))

    def _apply(self, op: ops.Op, a: Expr, b: Expr) -> Expr:
        return self.build.apply(op, a, b)


def _clamped(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))
