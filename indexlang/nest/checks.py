"""Kernels that look for a subscript outside its axis, where that could not be proved: data-dependent ones, mostly."""

from collections.abc import Iterator, Mapping, Sequence

from indexlang.ir import ops
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.build import Builder, integer
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Apply, Bound, Expr, Index, Read, Reduce, Select, children, free_indices, reads
from indexlang.ir.layout import layout
from indexlang.ir.size import Extent
from indexlang.nest.body import Body
from indexlang.nest.nodes import Check, Nest


class Checks:
    """Run-time checks of the equations of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.build = Builder(program.float_type)

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
        used = free_indices(s).union(*(free_indices(g) for g in guards))
        indices = tuple(Bound(name, n) for name, n in box.items() if name in used)
        guard: Expr | None = None
        for g in guards:
            guard = g if guard is None else self.build.apply(ops.AND, guard, g)
        made = Body(self.program)
        done: dict[Expr, Expr] = {}
        known = {b.name for b in indices}
        before = list(made.hoisted(s, known, done))
        if guard is not None:
            before += made.hoisted(guard, known, done)
        position: Expr = integer(0)
        for b in indices:
            position = self.build.apply(ops.ADD, self.build.apply(ops.MUL, position, integer(b.extent)), Index(b.name))
        check = Check(made.filled(guard, done) if guard is not None else None, made.filled(s, done), extent, position)
        parts = [s, *guards]
        names = tuple(dict.fromkeys(r.tensor for part in parts for r in reads(part)))
        strides = {n: layout(self.program, n).strides for n in names}
        dtypes = {n: self.program.tensor(n).dtype for n in names}
        return Nest(f"check {e.target}", indices, (*before, check), names, "", strides, dtypes, 8, schedule="check")
