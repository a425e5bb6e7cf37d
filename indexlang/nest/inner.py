"""The schedule `inner`: loops over the left indices; each sum is a scalar, computed as far out as its indices are known.

The outer indices are flattened and shared by the threads, the others are loops of a kernel. Where tests at a border
fail, the interior gets loops without them. A transposition goes through square blocks
(`transposed.py`).
"""

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Expr, Index, Select, free_indices
from indexlang.ir.size import Extent, Named
from indexlang.nest.body import Body, is_short, operations, outermost
from indexlang.nest.collapse import collapsed
from indexlang.nest.interior import Interior, interior
from indexlang.nest.kept import invariants, kept
from indexlang.nest.nodes import For, Nest, Node, Store
from indexlang.nest.steps import points
from indexlang.nest.together import is_map
from indexlang.nest.transposed import transposed
from indexlang.passes.fuse_rows import is_row

_GRAIN = 4096  # operations an iteration should have, so that finding its indices costs nothing …
_SHARED = 64  # … as long as there are so many iterations for the threads


def inner(e: Equation, body: Body) -> Nest:
    """The nest of an equation without `+=`."""
    short = collapsed(e, body.program)
    if _has_other_loops(e, short, body.program):
        return _Inner(e, body).nest(e)
    return transposed(e, short, body) or _Inner(short, body).nest(e)


def _has_other_loops(e: Equation, short: Equation, program: Program) -> bool:
    """Whether a part of a tensor has fewer indices than another part: with all of them, one kernel writes both."""
    if not e.part or not is_map(e) or short.indices == e.indices:
        return False
    others = (o for o in program.equations if o.target == e.target and o.part and is_map(o))
    return any(collapsed(o, program).indices[:-1] != short.indices[:-1] for o in others)


class _Inner:
    def __init__(self, e: Equation, body: Body) -> None:
        self.e, self.make = e, body
        outer = min(_shared(e), _of_rows(e))
        self.outer, self.rest = e.indices[:outer], e.indices[outer:]
        if len(self.rest) == 1:
            body.kept = kept(e, self.rest[0], {b.name for b in self.outer})

    def nest(self, original: Equation) -> Nest:
        found = interior(self.e)
        names = {b.name for b in self.outer}
        done: dict[Expr, Expr] = {}
        if found is None or self.make.hoisted(self.e.body, names, done):
            body = self._loops(self.e.body, self.rest, names, {})
        else:
            body = self._split(found, names)
        return self.make.nest(original, self.e, self.outer, body, "inner")

    def _loops(self, body: Expr, rest: tuple[Bound, ...], names: set[str], done: dict[Expr, Expr]) -> tuple[Node, ...]:
        """Loops over `rest`, and before each what is known by then."""
        before = self.make.hoisted(body, names, done)
        if not rest:
            return (
                *before,
                Store(
                    self.e.target,
                    self.e.left,
                    self.make.filled(body, done, names - {b.name for b in self.e.indices[-1:]}),
                ),
            )
        first = rest[0]
        before += tuple(self.make.known(invariants(body, names, done), done))
        within = self._loops(body, rest[1:], names | {first.name}, dict(done))
        return (*before, For(first.name, integer(0), integer(first.extent), within))

    def _split(self, found: Interior, names: set[str]) -> tuple[Node, ...]:
        """The first loop in three: before, inside and behind the interior; where an outer index is outside, all is before."""
        rest = self.rest or (Bound("once", 1),)
        inside = self._inside(found)
        return self._three(found, rest, names, inside)

    def _inside(self, found: Interior) -> Expr | None:
        """Whether the outer indices are in the interior; None where they always are."""
        out: Expr | None = None
        apply = self.make.build.apply
        for b in self.outer:
            low, high = found.ranges.get(b.name, (0, b.extent))
            for test in (
                *([apply(ops.GE, Index(b.name), integer(low))] if low != 0 else []),
                *([apply(ops.LT, Index(b.name), integer(high))] if high != b.extent else []),
            ):
                out = test if out is None else apply(ops.AND, out, test)
        return out

    def _three(
        self, found: Interior, rest: tuple[Bound, ...], names: set[str], inside: Expr | None
    ) -> tuple[Node, ...]:
        if not rest:
            return self._loops(found.body, (), names, {})
        first, others = rest[0], rest[1:]
        low, high = found.ranges.get(first.name, (0, first.extent))
        if inside is None and (low, high) == (0, first.extent):
            within = self._three(found, others, names | {first.name}, None)
            return (For(first.name, integer(0), integer(first.extent), within),)
        own = tuple(b for b in others if b in self.e.indices)
        slow = self._loops(self.e.body, own, names | {first.name}, {})
        fast = self._three(found, others, names | {first.name}, None)
        begin, end = _either(inside, low, first.extent), _either(inside, high, first.extent)
        parts = ((integer(0), begin, slow), (begin, end, fast), (end, integer(first.extent), slow))
        return tuple(For(first.name, a, b, n) for a, b, n in parts if a != b)


def _either(inside: Expr | None, there: Extent, otherwise: Extent) -> Expr:
    if inside is None or there == otherwise:
        return integer(there)
    return Select(inside, integer(there), integer(otherwise), integer(0).dtype)


def _shared(e: Equation) -> int:
    """How many of the left indices are flattened and shared by the threads."""
    if len(e.indices) < 2:
        return len(e.indices)
    count = len(e.indices) - 1
    while count > 1:
        moved = e.indices[count - 1]
        iterations = points(e.indices[: count - 1])
        if isinstance(moved.extent, Named) or iterations < _SHARED:
            break
        if operations(e, e.indices[:count]) >= _GRAIN:
            break
        count -= 1
    return count


def _of_rows(e: Equation) -> int:
    """How many left indices the sums of rows need: those of more would be done again for each of their values."""
    count = len(e.indices)
    for n in outermost(e.body):
        own = free_indices(n)
        needed = max((k + 1 for k, b in enumerate(e.indices) if b.name in own), default=count)
        if not is_short(n) and is_row(e.indices[needed:]):
            count = min(count, needed)
    return count
