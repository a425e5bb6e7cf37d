"""`+=` to computed places, where the places can be solved for: each element is summed from what comes to it.

before   T[b:4,2*x:8+dx:3] += P[b,x]*W[dx]
after    T[b:4,u:17] += sum[e:2] P[b,u//2-e else 0]*W[2*e+u%2 else 0]

Elements are independent of each other then, so all of them are computed in parallel. What data decide, or would take
many more sums than there are terms, stays.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir import ops
from indexlang.ir.bounds import Facts, stays_inside, uses_data
from indexlang.ir.build import Builder
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, walk
from indexlang.ir.lefts import is_one_to_one
from indexlang.passes.gather import Adds, Gather, gathered
from indexlang.passes.products import Product, summed

_MOST = 4  # how many times the terms that were added may be looked for


def turn_scatters(program: Program) -> Program:
    """The program with as few many-to-one `+=` as there can be. Its extents are known."""
    turning = _Turning(program)
    for e in program.equations:
        turning.equations.extend(turning.turned(e))
    return program.replace(tensors=tuple(turning.tensors.values()), equations=tuple(turning.equations))


class _Turning:
    def __init__(self, program: Program) -> None:
        self.tensors = dict(program.by_name)
        self.build = Builder(program.float_type)
        self.equations: list[Equation] = []

    def turned(self, e: Equation) -> Iterator[Equation]:
        """The equation, or what takes its place."""
        if not e.accumulates or is_one_to_one(e) or not self._is_safe(e):
            yield e
            return
        over, body, before = self._term(e)
        extents = self.tensors[e.target].extents
        shapes = {t.name: t.extents for t in self.tensors.values()}
        letters = tuple(f"u{k}" for k in range(len(extents)))
        adds = Adds(e.left, Product().times(body), (*over, *e.indices))
        found = gathered(adds, extents, letters, shapes, self.build)
        if found is None or _steps(found) > _MOST * prod(int(str(b.extent)) for b in adds.indices):
            yield e
            return
        yield from before
        value = summed(found.product, found.over, self.build)
        yield replace(e, indices=found.indices, left=found.left, body=value)

    def _is_safe(self, e: Equation) -> bool:
        """Whether the places are inside their axes and known without data."""
        box = {b.name: b.extent for b in e.indices}
        extents = self.tensors[e.target].extents
        inside = (stays_inside(s, n, box, Facts()) for s, n in zip(e.left, extents, strict=True))
        return e.body.dtype.is_float and not any(uses_data(s) for s in e.left) and all(a is True for a in inside)

    def _term(self, e: Equation) -> tuple[tuple[Bound, ...], Expr, list[Equation]]:
        """What is added, as a sum over more indices; a reduction of another kind becomes a tensor first."""
        match e.body:
            case Reduce(fold=ops.SUM, over=over, body=body) if not _reduces(body):
                return over, body, []
            case body if not _reduces(body):
                return (), body, []
            case body:
                name = f"{e.target}_term"
                while name in self.tensors:
                    name += "'"
                extents = tuple(b.extent for b in e.indices)
                self.tensors[name] = Tensor(name, extents, body.dtype, Role.COMPUTED, span=e.span)
                left = tuple(Index(b.name) for b in e.indices)
                made = Equation(name, e.indices, left, False, body, e.span)
                return (), Read(name, left, None, body.dtype), [made]


def _reduces(e: Expr) -> bool:
    return any(isinstance(n, Reduce) for n in walk(e))


def _steps(g: Gather) -> int:
    """How many terms a gather goes through."""
    return prod(int(str(b.extent)) for b in (*g.indices, *g.over))
