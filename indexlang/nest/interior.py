"""Where no test of an equation can fail: the box of indices in which it needs none.

before   Y[x:X] = sum[dx:3] (A[x+dx-1] if 0 <= x+dx-1 and x+dx-1 < X else 0)
inside   1 <= x < X-1, with the body   sum[dx:3] A[x+dx-1]
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from indexlang.ir import ops
from indexlang.ir.affine import Affine, conjuncts, not_negative
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Apply, Bound, Expr, Reduce, Select, children, with_children
from indexlang.ir.size import Extent, Named
from indexlang.nest.steps import known

Range = tuple[int, int]  # half-open; either end may be Named

_LEAST_SHARE = 0.25  # of all points must lie inside, or the second body is not worth its code


@dataclass(frozen=True, slots=True)
class Interior:
    """`body` holds where each index is in its range; other indices are free."""

    body: Expr
    ranges: dict[str, Range]

    def range(self, b: Bound) -> Range:
        """The values of an index: narrower where there were tests, else all."""
        return self.ranges.get(b.name, (0, known(b.extent)))


def interior(e: Equation) -> Interior | None:
    """The interior along all left indices, in numbers alone; None where there are no tests or little lies inside."""
    search = _Search(tuple(b for b in e.indices if is_plain(b.extent)), is_plain)
    body = search.body(e.body, {})
    return Interior(body, search.ranges) if search.ranges and search.share() >= _LEAST_SHARE else None


def inside(e: Equation, along: tuple[Bound, ...]) -> Interior:
    """The body without the tests that bound indices of `along`, and the bounds; the whole where little would be inside.

    Ends may be those of named extents, which kernels are given. The tests of `e` are single ones, as `apart` makes them.
    """
    search = _Search(along, lambda extent: True)
    body = search.body(e.body, {})
    return Interior(body, search.ranges) if search.share() >= _LEAST_SHARE else Interior(e.body, {})


def apart(e: Expr) -> Expr:
    """`v if p and q else w` as `(v if q else w) if p else w`: one test each, so that each can go where it belongs."""
    e = with_children(e, tuple(apart(c) for c in children(e)))
    match e:
        case Select(cond=Apply(op=ops.AND, args=(p, q)), then=then, other=other):
            return apart(replace(e, cond=p, then=apart(replace(e, cond=q, then=then, other=other))))
        case _:
            return e


class _Search:
    """Collects ranges while it takes tests out of a body; tests with numbers that `takes` refuses stay."""

    def __init__(self, indices: tuple[Bound, ...], takes: Callable[[Extent], bool]) -> None:
        self.extents = {b.name: known(b.extent) for b in indices}
        self.takes = takes
        self.ranges: dict[str, Range] = {}

    def share(self) -> float:
        """How much of the whole lies inside."""
        share = 1.0
        for name, (low, high) in self.ranges.items():
            share *= (high - low) / max(self.extents[name], 1)
        return share

    def body(self, e: Expr, over: dict[str, int]) -> Expr:
        match e:
            case Reduce(over=own):
                mine = {b.name: known(b.extent) for b in own if self.takes(b.extent)}
                return with_children(e, (self.body(e.body, {**over, **mine}),))
            case Select(cond=cond, then=then) if (found := self._ranges(cond, over)) is not None:
                self.ranges = found
                return self.body(then, over)
            case _:
                return with_children(e, tuple(self.body(c, over) for c in children(e)))

    def _ranges(self, cond: Expr, over: dict[str, int]) -> dict[str, Range] | None:
        """The ranges so far, narrowed so that `cond` holds; None where that takes more than ranges."""
        ranges = dict(self.ranges)
        for test in conjuncts(cond):
            bound = self._bound(not_negative(test), over)
            if bound is None:
                return None
            name, low, high = bound
            before = ranges.get(name, (0, self.extents[name]))
            low = _least(_greatest(low, before[0]), self.extents[name])
            ranges[name] = (low, _greatest(_least(high, before[1]), low))
        return ranges

    def _bound(self, test: Affine | None, over: dict[str, int]) -> tuple[str, int, int] | None:
        """The index of which `test >= 0` is a bound, whatever the summed indices are, and its range."""
        if test is None or not test.is_plain or not test.is_concrete or not self.takes(test.constant):
            return None
        mine = [(v, known(c)) for v, c in test.terms if v in self.extents]
        rest = [(v, known(c)) for v, c in test.terms if v not in self.extents]
        if len(mine) != 1 or any(v not in over for v, _ in rest):
            return None
        (name, factor), below = mine[0], known(test.constant)
        for v, c in rest:
            below = below + (c * (over[str(v)] - 1) if c < 0 else 0)
        if factor > 0:
            return str(name), -(below // factor), self.extents[str(name)]
        return str(name), 0, below // -factor + 1


def _least(a: int, b: int) -> int:
    """The smaller; Named if either is, so that nothing but its value depends on named extents."""
    return _like(min(int(a), int(b)), a, b)


def _greatest(a: int, b: int) -> int:
    """The larger; Named if either is."""
    return _like(max(int(a), int(b)), a, b)


def _like(value: int, *others: int) -> int:
    return Named(value) if any(isinstance(n, Named) for n in others) else value


def is_plain(extent: Extent) -> bool:
    """Whether an extent has no name."""
    return isinstance(extent, int) and not isinstance(extent, Named)
