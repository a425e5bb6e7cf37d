"""Every reduction in an equation of its own: what differentiating works on.

before   L1[b,j] = relu(sum[i:9] W[i,j]*L0[b,i] - B[j])
after    L1_sum[b,j] = sum[i:9] W[i,j]*L0[b,i];  L1[b,j] = relu(L1_sum[b,j] - B[j])

`joined_again` is the way back, for those that nothing else came to read.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from indexlang.ir import ops
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import (
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
    rewrite,
    walk,
    with_children,
)
from indexlang.ir.size import Extent
from indexlang.passes.growing import Growing, without
from indexlang.passes.products import both

_LIKE = {ops.ARGMAX: ops.LARGEST, ops.ARGMIN: ops.SMALLEST}  # whose identity is never chosen


@dataclass(frozen=True, slots=True)
class Split:
    """A program whose equations reduce at most once, outermost; `made` names the tensors of the reductions."""

    program: Program
    made: frozenset[str]


def split_reductions(program: Program, chosen: Iterable[str]) -> Split:
    """The program with the equations of the chosen tensors split."""
    splitting = _Splitting(program)
    wanted = set(chosen)
    for e in program.equations:
        splitting.equations += splitting.equation(e) if e.target in wanted else [e]
    done = program.replace(tensors=tuple(splitting.tensors), equations=tuple(splitting.equations))
    return Split(done, frozenset(splitting.names - program.by_name.keys()))


class _Splitting(Growing):
    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.extents = {t.name: t.extents for t in program.tensors}
        self.equations: list[Equation] = []

    def equation(self, e: Equation) -> list[Equation]:
        """The reductions inside an equation, then the equation."""
        self.before: list[Equation] = []
        self.made: dict[Expr, Read] = {}  # reductions of this equation by their form
        self.e = e
        left = tuple(self._part(s, e.indices, ()) for s in e.left)
        is_whole = isinstance(e.body, Reduce) and e.is_plain and not e.accumulates
        body = self._inside(e.body, e.indices) if is_whole else self._part(e.body, e.indices, ())
        return [*self.before, replace(e, left=left, body=body)]

    def _inside(self, total: Expr, around: tuple[Bound, ...]) -> Expr:
        assert isinstance(total, Reduce)
        return with_children(total, (self._part(total.body, (*around, *total.over), ()),))

    def _part(self, n: Expr, around: tuple[Bound, ...], conditions: tuple[Expr, ...]) -> Expr:
        """An expression with reads in place of its reductions."""
        match n:
            case Reduce():
                return self._own(self._guarded(n, around, conditions), around)
            case Select(cond=cond, then=then, other=other):
                c = self._part(cond, around, conditions)
                a = self._part(then, around, (*conditions, c))
                b = self._part(other, around, (*conditions, self.build.apply(ops.NOT, c)))
                return with_children(n, (c, a, b))
            case _:
                return with_children(n, tuple(self._part(c, around, conditions) for c in children(n)))

    def _guarded(self, n: Reduce, around: tuple[Bound, ...], conditions: tuple[Expr, ...]) -> Reduce:
        """A reduction that may stand alone: where its reads are proved by the conditions around, those go inside."""
        box = {b.name: b.extent for b in (*around, *n.over)}
        if not conditions or all(self._is_safe(r, box) for r in reads(n.body)):
            return n
        fold = _LIKE.get(n.fold, n.fold)
        fill = Const(ops.identity(fold, n.body.dtype.is_float), n.body.dtype)
        return with_body(n, self.build.select(both(self.build, conditions), n.body, fill))

    def _is_safe(self, r: Read, box: dict[str, Extent]) -> bool:
        extents = self.extents[r.tensor]
        inside = (stays_inside(s, n, box, Facts()) for s, n in zip(r.subscripts, extents, strict=True))
        return r.border is not None or all(answer is True for answer in inside)

    def _own(self, n: Reduce, around: tuple[Bound, ...]) -> Read:
        form = _canonical(n)
        if form in self.made:
            return self.made[form]
        used = free_indices(n)
        kept = tuple(b for b in around if b.name in used)
        body = self._inside(n, around)
        name = self.fresh(f"{self.e.target}_{n.fold.name}")
        extents = tuple(b.extent for b in kept)
        self.tensors.append(Tensor(name, extents, n.dtype, Role.COMPUTED, span=self.e.span))
        self.extents[name] = extents
        left = tuple(Index(b.name) for b in kept)
        self.before.append(Equation(name, kept, left, False, body, self.e.span))
        self.made[form] = read = Read(name, left, None, n.dtype, n.span)
        return read


def with_body(n: Reduce, body: Expr) -> Reduce:
    """The same reduction of another body; a float result takes its type."""
    return replace(n, body=body, dtype=n.dtype if n.dtype in (DType.INT, DType.BOOL) else body.dtype)


def _canonical(n: Reduce) -> Expr:
    """The same reduction for all names of its indices."""
    count = iter(range(1_000_000))

    def named(e: Expr, names: dict[str, str]) -> Expr:
        match e:
            case Index(name=name):
                return Index(names.get(name, name))
            case Reduce(over=over):
                inner = {**names, **{b.name: f"#{next(count)}" for b in over}}
                renamed = tuple(Bound(inner[b.name], b.extent) for b in over)
                return replace(e, over=renamed, body=named(e.body, inner))
            case _:
                return with_children(e, tuple(named(c, names) for c in children(e)))

    return named(n, {})


def joined_again(program: Program, made: frozenset[str]) -> Program:
    """Reductions that only the equation reads from which they were split, and only once, go back into it."""
    count = Counter(r.tensor for e in program.equations for part in (*e.left, e.body) for r in reads(part))
    alone = {n for n in made if count[n] == 1 and n not in program.outputs}
    bodies: dict[str, Equation] = {}
    out: list[Equation] = []
    for e in program.equations:
        back = [r for r in reads(e.body) if r.tensor in bodies and _fits(bodies[r.tensor], r, e)]
        for r in back:
            moved = bodies.pop(r.tensor)
            e = replace(e, body=rewrite(e.body, lambda n, r=r, m=moved: m.body if n == r else n))
        out.append(e)
        if e.target in alone and isinstance(e.body, Reduce):
            bodies[e.target] = e
    still = {e.target for e in out if e.target in bodies}
    gone = alone - still
    return without(program, tuple(e for e in out if e.target not in gone), gone)


def _fits(moved: Equation, r: Read, e: Equation) -> bool:
    """Whether the read is at the moved equation's own indices, and its summed ones are free names there."""
    taken = {b.name for b in e.indices} | {b.name for n in walk(e.body) if isinstance(n, Reduce) for b in n.over}
    bound = {b.name for n in walk(moved.body) if isinstance(n, Reduce) for b in n.over}
    return r.subscripts == moved.left and r.border is None and not (bound - {""}) & taken


__all__ = ["Split", "joined_again", "split_reductions"]
