"""Where no condition can fail: the box of left indices in which an equation needs no tests.

before   Y[x:5] = sum[dx:3] (X[x+dx-1] if 0 <= x+dx-1 and x+dx-1 < 5 else 0)
inside   1 <= x < 4, with the body   sum[dx:3] X[x+dx-1]
"""

from dataclasses import dataclass

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Apply, Bound, Expr, Reduce, Select, children, with_children
from indexlang.ir.size import Named

_LEAST_SHARE = 0.25  # of all points must lie inside, or the second body is not worth its code


@dataclass(frozen=True, slots=True)
class Interior:
    """`body` holds where each index of `ranges` is in its half-open range; other indices are free."""

    body: Expr
    ranges: dict[str, tuple[int, int]]


def interior(e: Equation) -> Interior | None:
    """The interior of an equation, or None where there are no such conditions or little lies inside."""
    search = _Search(e.indices)
    body = search.body(e.body, {})
    share = 1.0
    for name, (low, high) in search.ranges.items():
        share *= (high - low) / max(search.extents[name], 1)
    return Interior(body, search.ranges) if search.ranges and share >= _LEAST_SHARE else None


class _Search:
    """Collects ranges while it takes the tests out of a body."""

    def __init__(self, indices: tuple[Bound, ...]) -> None:
        self.extents = {
            b.name: b.extent for b in indices if isinstance(b.extent, int) and not isinstance(b.extent, Named)
        }
        self.ranges: dict[str, tuple[int, int]] = {}

    def body(self, e: Expr, over: dict[str, int]) -> Expr:
        match e:
            case Reduce(over=own):
                known = {b.name: b.extent for b in own if isinstance(b.extent, int) and not isinstance(b.extent, Named)}
                return with_children(e, (self.body(e.body, {**over, **known}),))
            case Select(cond=cond, then=then) if (found := self._ranges(cond, over)) is not None:
                self.ranges = found
                return self.body(then, over)
            case _:
                return with_children(e, tuple(self.body(c, over) for c in children(e)))

    def _ranges(self, cond: Expr, over: dict[str, int]) -> dict[str, tuple[int, int]] | None:
        """The ranges so far, narrowed so that `cond` holds; None where that takes more than ranges."""
        ranges = dict(self.ranges)
        for test in _tests(cond):
            bound = self._bound(test, over)
            if bound is None:
                return None
            name, low, high = bound
            before = ranges.get(name, (0, self.extents[name]))
            low = min(max(low, before[0]), self.extents[name])
            ranges[name] = (low, max(min(high, before[1]), low))
        return ranges

    def _bound(self, test: Affine | None, over: dict[str, int]) -> tuple[str, int, int] | None:
        """The index of which `test >= 0` is a bound, whatever the summed indices are, and its range."""
        if test is None or not test.is_plain or not test.is_concrete or isinstance(test.constant, Named):
            return None
        mine = [(v, c) for v, c in test.terms if v in self.extents]
        rest = [(v, c) for v, c in test.terms if v not in self.extents]
        if len(mine) != 1 or any(v not in over for v, _ in rest):
            return None
        (name, factor), least = mine[0], test.constant
        for v, c in rest:
            least = least + min(c * (over[v] - 1), 0) if isinstance(v, str) else least  # type: ignore[operator]
        assert isinstance(name, str)
        assert isinstance(factor, int)
        assert isinstance(least, int)
        if factor > 0:
            return name, -(least // factor), self.extents[name]
        return name, 0, least // -factor + 1


def _tests(cond: Expr) -> list[Affine | None]:
    """The affine forms that must not be negative; a None for anything else."""
    match cond:
        case Apply(op=ops.AND, args=(a, b)):
            return _tests(a) + _tests(b)
        case Apply(op=ops.LT | ops.LE | ops.GT | ops.GE as op, args=(a, b)):
            left, right = affine(a), affine(b)
            if left is None or right is None:
                return [None]
            above, below = (right, left) if op in (ops.LT, ops.LE) else (left, right)
            return [above - below - Affine(1 if op in (ops.LT, ops.GT) else 0)]
        case _:
            return [None]
