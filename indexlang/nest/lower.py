"""Equation → loop nests: the general schedules. Contractions have a file of their own (`moves/contract.py`).

inner   loops over the left indices; each sum is a scalar, computed at the outermost level where its indices are known
rows    a reduction whose reads are contiguous along the last left index folds into a whole row of the target
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.build import Builder, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import (
    Apply,
    Bound,
    Const,
    Expr,
    Index,
    Read,
    Reduce,
    Select,
    children,
    free_indices,
    reads,
    walk,
    with_children,
)
from indexlang.ir.layout import layout
from indexlang.ir.show import show_equation
from indexlang.ir.size import Extent
from indexlang.nest.nodes import Add, Check, For, Let, Nest, Node, Store, Track, local

ROW_BLOCK = 512


class Lowering:
    """Lowers equations of one program (borders lowered, extents known)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.build = Builder(program.float_type)
        self.locals = 0

    def nests(self, e: Equation) -> Iterator[Nest]:
        """The kernels of an equation, in order; checks of data-dependent subscripts are made by `checks`."""
        if e.accumulates:
            yield self._scatter(e)
        else:
            yield self._rows(e) or self._inner(e)

    # -- schedules

    def _inner(self, e: Equation) -> Nest:
        """Every left index a loop; the last one inside the kernel, the others flattened and shared by the threads."""
        self.locals = 0
        indices = e.indices
        outer, last = (indices[:-1], indices[-1:]) if len(indices) > 1 else (indices, ())
        done: dict[Expr, Expr] = {}
        known = {b.name for b in outer}
        before = self._hoisted(e.body, known, done)
        if last:
            inside = self._hoisted(e.body, known | {last[0].name}, done)
            store = Store(e.target, e.left, self._filled(e.body, done))
            body: tuple[Node, ...] = (*before, For(last[0].name, integer(0), integer(last[0].extent), (*inside, store)))
        else:
            body = (*before, Store(e.target, e.left, self._filled(e.body, done)))
        return self._nest(e, outer, body, "inner")

    def _rows(self, e: Equation) -> Nest | None:
        """Fold whole rows of the target, where that makes the innermost loop contiguous; None where it does not."""
        if e.starts is None or not e.indices:
            return None
        self.locals = 0
        row = e.indices[-1]
        own = [n for n in _outermost(e.body) if row.name in free_indices(n)]
        target = self.program.tensor(e.target)
        if len(own) != 1 or own[0].dtype is not target.dtype or own[0].fold.name.startswith("arg"):
            return None
        total = own[0]
        if any(isinstance(n, Reduce) for n in walk(total.body)) or not self._prefers_rows(total, row):
            return None
        outer = e.indices[:-1]
        done: dict[Expr, Expr] = {}
        before = self._hoisted(e.body, {b.name for b in outer}, done)
        here = Read(e.target, e.left, None, target.dtype)
        done[total] = here
        identity = Const(ops.identity(total.fold, total.dtype.is_float), total.dtype)
        block = Bound(
            f"{row.name}_block",
            -(-_int(row.extent) // ROW_BLOCK)
            if type(row.extent) is int
            else (row.extent + (ROW_BLOCK - 1)) // ROW_BLOCK,
        )
        start = self.build.apply(ops.MUL, integer(ROW_BLOCK), Index(block.name))
        stop = self.build.apply(ops.MIN, self.build.apply(ops.ADD, start, integer(ROW_BLOCK)), integer(row.extent))
        body: tuple[Node, ...] = (Store(e.target, e.left, total.body, total.fold),)
        inner: tuple[Node, ...] = (For(row.name, start, stop, body),)
        for b in reversed(total.over):
            inner = (For(b.name, integer(0), integer(b.extent), inner),)
        first = For(row.name, start, stop, (Store(e.target, e.left, identity),))
        rest = self._filled(e.body, done)
        last: tuple[Node, ...] = () if rest == here else (For(row.name, start, stop, (Store(e.target, e.left, rest),)),)
        return self._nest(e, (*outer, block), (*before, first, *inner, *last), "rows")

    def _prefers_rows(self, total: Reduce, row: Bound) -> bool:
        """Whether the reads are closer together along the row than along the last summed index."""
        along_row = sum(self._step_cost(r, row.name) for r in reads(total.body))
        along_sum = min(sum(self._step_cost(r, b.name) for r in reads(total.body)) for b in total.over)
        return along_row <= along_sum and along_row < 8

    def _step_cost(self, r: Read, name: str) -> int:
        """0: the read does not move; 1: contiguous; 8: anything else."""
        if name not in {i for s in r.subscripts for i in free_indices(s)}:
            return 0
        *others, last = r.subscripts
        if any(name in free_indices(s) for s in others):
            return 8
        form = affine(last)
        return 1 if form is not None and form.is_plain and form.coefficient(name) == 1 else 8

    def _scatter(self, e: Equation) -> Nest:
        """Add to elements in order, on one thread: any two iterations may meet."""
        self.locals = 0
        done: dict[Expr, Expr] = {}
        before = self._hoisted(e.body, {b.name for b in e.indices}, done)
        store = Store(e.target, e.left, self._filled(e.body, done), ops.SUM)
        return replace(self._nest(e, e.indices, (*before, store), "serial"), serial=True)

    def zero(self, e: Equation) -> Nest:
        """The kernel that clears a target which its equations do not cover element by element."""
        target = self.program.tensor(e.target)
        indices = tuple(Bound(f"u{k}", n) for k, n in enumerate(target.extents))
        value = Const(False if target.dtype is DType.BOOL else 0, target.dtype)
        left = tuple(Index(b.name) for b in indices)
        return self._inner(Equation(e.target, indices, left, False, value, e.span))

    # -- parts

    def _hoisted(self, body: Expr, known: set[str], done: dict[Expr, Expr]) -> tuple[Node, ...]:
        """Statements for the reductions of `body` whose indices are all known now; `done` maps each to its scalar."""
        out: list[Node] = []
        for n in _outermost(body):
            if n not in done and free_indices(n) <= known:
                out.extend(self._reduction(n, known, done))
        return tuple(out)

    def _reduction(self, n: Reduce, known: set[str], done: dict[Expr, Expr]) -> Iterator[Node]:
        over = self._loop_order(n)
        inside = {b.name for b in over}
        early: dict[Expr, Expr] = dict(done)
        yield from self._hoisted(n.body, known, early)
        late = dict(early)
        within = self._hoisted(n.body, known | inside, late)
        term = self._filled(n.body, late)
        self.locals += 1
        name = f"t{self.locals}"
        if n.fold in (ops.ARGMAX, ops.ARGMIN):
            yield from self._tracking(n, name, within, term)
        else:
            yield Let(name, n.dtype, Const(ops.identity(n.fold, n.dtype.is_float), n.dtype))
            yield _loops(over, (*within, Add(name, n.dtype, n.fold, term)))
        done[n] = local(name, n.dtype)

    def _tracking(self, n: Reduce, name: str, within: tuple[Node, ...], term: Expr) -> Iterator[Node]:
        start = Const(
            ops.identity(ops.LARGEST if n.fold is ops.ARGMAX else ops.SMALLEST, n.body.dtype.is_float), n.body.dtype
        )
        yield Let(f"{name}_best", n.body.dtype, start)
        yield Let(name, DType.INT, integer(0))
        track = Track(f"{name}_best", name, n.fold, n.over[0].name, term)
        yield _loops(n.over, (*within, track))

    def _loop_order(self, n: Reduce) -> tuple[Bound, ...]:
        """The summed indices with the most contiguous one innermost; the others keep their order."""
        if len(n.over) < 2 or n.fold.name.startswith("arg"):
            return n.over
        costs = {b.name: sum(self._step_cost(r, b.name) for r in reads(n.body)) for b in n.over}
        best = min(reversed(n.over), key=lambda b: costs[b.name])
        return (*(b for b in n.over if b is not best), best)

    def _filled(self, body: Expr, done: Mapping[Expr, Expr]) -> Expr:
        """`body` with the reductions that are done replaced by their scalars."""
        found = done.get(body)
        if found is not None:
            return found
        return with_children(body, tuple(self._filled(c, done) for c in children(body)))

    def _nest(self, e: Equation, iterations: tuple[Bound, ...], body: tuple[Node, ...], schedule: str) -> Nest:
        names = tuple(dict.fromkeys(r.tensor for part in (*e.left, e.body) for r in reads(part)))
        tensors = (*names, e.target)
        strides = {n: layout(self.program, n).strides for n in tensors}
        dtypes = {n: self.program.tensor(n).dtype for n in tensors}
        return Nest(
            show_equation(e),
            iterations,
            body,
            names,
            e.target,
            strides,
            dtypes,
            _work(e, iterations),
            schedule=schedule,
        )

    # -- run-time checks

    def checks(self, e: Equation) -> "Iterator[tuple[Nest, Read | None, int]]":
        """A kernel for each subscript that is not proved: (kernel, access or None for the left side, axis)."""
        box = {b.name: b.extent for b in e.indices}
        target = self.program.tensor(e.target)
        for axis, s in enumerate(e.left):
            if not stays_inside(s, target.extents[axis], box, Facts()):
                yield self._check(e, s, target.extents[axis], box, ()), None, axis
        for part in (*e.left, e.body):
            yield from self._checks_of(e, part, box, Facts(), ())

    def _checks_of(
        self, e: Equation, n: Expr, box: Mapping[str, Extent], facts: Facts, guards: tuple[Expr, ...]
    ) -> "Iterator[tuple[Nest, Read | None, int]]":
        match n:
            case Reduce(over=over, body=body):
                yield from self._checks_of(e, body, {**box, **{b.name: b.extent for b in over}}, facts, guards)
            case Select(cond=cond, then=then, other=other):
                yield from self._checks_of(e, cond, box, facts, guards)
                yield from self._checks_of(e, then, box, facts.with_condition(cond), (*guards, cond))
                yield from self._checks_of(
                    e, other, box, facts.with_negation(cond), (*guards, self.build.apply(ops.NOT, cond))
                )
            case Apply(op=ops.AND, args=(a, b)):
                yield from self._checks_of(e, a, box, facts, guards)
                yield from self._checks_of(e, b, box, facts.with_condition(a), (*guards, a))
            case Apply(op=ops.OR, args=(a, b)):
                yield from self._checks_of(e, a, box, facts, guards)
                yield from self._checks_of(e, b, box, facts.with_negation(a), (*guards, self.build.apply(ops.NOT, a)))
            case Read():
                extents = self.program.tensor(n.tensor).extents
                for axis, s in enumerate(n.subscripts):
                    yield from self._checks_of(e, s, box, facts, guards)
                    if not stays_inside(s, extents[axis], box, facts):
                        yield self._check(e, s, extents[axis], box, guards), n, axis
            case _:
                for c in children(n):
                    yield from self._checks_of(e, c, box, facts, guards)

    def _check(self, e: Equation, s: Expr, extent: Extent, box: Mapping[str, Extent], guards: Sequence[Expr]) -> Nest:
        """The kernel that looks for the first point, in order, at which `s` is outside."""
        self.locals = 0
        used = free_indices(s).union(*(free_indices(g) for g in guards))
        indices = tuple(Bound(name, n) for name, n in box.items() if name in used)
        guard: Expr | None = None
        for g in guards:
            guard = g if guard is None else self.build.apply(ops.AND, guard, g)
        done: dict[Expr, Expr] = {}
        known = {b.name for b in indices}
        before = list(self._hoisted(s, known, done))
        if guard is not None:
            before += self._hoisted(guard, known, done)
        position: Expr = integer(0)
        for b in indices:
            position = self.build.apply(ops.ADD, self.build.apply(ops.MUL, position, integer(b.extent)), Index(b.name))
        check = Check(self._filled(guard, done) if guard is not None else None, self._filled(s, done), extent, position)
        parts = [s, *guards]
        names = tuple(dict.fromkeys(r.tensor for part in parts for r in reads(part)))
        strides = {n: layout(self.program, n).strides for n in names}
        dtypes = {n: self.program.tensor(n).dtype for n in names}
        return Nest(f"check {e.target}", indices, (*before, check), names, "", strides, dtypes, 8, schedule="check")


def _loops(over: Sequence[Bound], body: tuple[Node, ...]) -> For:
    inner = body
    for b in reversed(over):
        inner = (For(b.name, integer(0), integer(b.extent), inner),)
    found = inner[0]
    assert isinstance(found, For)
    return found


def _outermost(e: Expr) -> Iterator[Reduce]:
    """The reductions of an expression that stand in no other."""
    if isinstance(e, Reduce):
        yield e
    else:
        for c in children(e):
            yield from _outermost(c)


def _work(e: Equation, iterations: Sequence[Bound]) -> int:
    """Elementary operations an iteration: all index values, times the nodes of the body."""
    total = sum(1 for _ in walk(e.body)) + 1
    for n in walk(e.body):
        if isinstance(n, Reduce):
            for b in n.over:
                total = min(total * max(_int(b.extent), 1), 2**60)
    flattened = {b.name for b in iterations}
    for b in e.indices:
        if b.name not in flattened:
            total = min(total * max(_int(b.extent), 1), 2**60)
    return total


def _int(extent: Extent) -> int:
    assert isinstance(extent, int)
    return extent
