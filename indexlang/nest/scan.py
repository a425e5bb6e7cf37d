"""The schedule `scan`: every value of a running sum from the one before, in linear time.

Y[n,i:N] = sum[j:N] (A[n,j] if j <= i else 0)

    for q in blocks:
        part = 0
        for i in block q:  part = part + A[n,i];  Y[n,i] = before + part
        before = before + part

Blocks of blocks where there are many, so that the rounding error grows as that of pairwise summation does. All runs in
an order that the equation alone decides; the threads share the other left indices.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Const, Expr, Index, Reduce, Select, with_indices
from indexlang.ir.size import Extent, Named
from indexlang.nest.body import Body, operations
from indexlang.nest.nodes import Add, For, Let, Nest, Node, Store, local
from indexlang.nest.steps import known
from indexlang.passes.scans import COMBINED, Scan, scans

_BLOCK = 32  # terms of a block, and blocks of a larger one: enough for several blocks to be summed at the same time
_NAMED_LEVELS = 3  # of blocks, where the extent may be any


def scanned(e: Equation, body: Body) -> Nest | None:
    """The nest of an equation with scans; None without any."""
    found = scans(e)
    return _Scanning(e, found, body).nest() if found else None


class _Scanning:
    def __init__(self, e: Equation, found: tuple[Scan, ...], body: Body) -> None:
        self.e, self.found, self.make = e, found, body
        self.index = found[0].index
        self.outer = tuple(b for b in e.indices if b is not self.index)
        self.names = {b.name for b in self.outer}
        self.place = self.index.name if not found[0].backwards else f"{self.index.name}_back"
        while self.place in self.names:
            self.place += "'"
        self.done: dict[Expr, Expr] = {}

    def nest(self) -> Nest:
        hoisted = self.make.hoisted(self.e.body, self.names, self.done)
        before = tuple(node for k, s in enumerate(self.found) for node in self._before(k, s))
        nodes = self._blocks(self.index.extent, self.place, range(len(self.found)), self._element)
        nest = self.make.nest(self.e, self.e, self.outer, (*hoisted, *before, *nodes), "scan")
        return _with_work(nest, self._work())

    def _before(self, k: int, s: Scan) -> tuple[Node, ...]:
        """What lies before the first value's own term."""
        clear = Let(_part(k, "all"), s.total.dtype, _identity(s.total))
        if s.offset <= 0 and not isinstance(s.offset, Named):
            return (clear,)
        count = _smaller(_larger(s.offset, 0), s.over.extent)
        at = f"{s.over.name}_before"

        return (clear, *self._blocks(count, at, (k,), lambda level: self._add(k, s, Index(at), level, self.done)))

    def _blocks(
        self, extent: Extent, name: str, which: Sequence[int], element: Callable[[str], tuple[Node, ...]]
    ) -> tuple[Node, ...]:
        """Loops over blocks of blocks of `extent` values of the index `name`; `element` is what is done at each."""
        levels = _levels(extent)
        return self._level(extent, name, levels, None, which, element, "all")

    def _level(
        self,
        extent: Extent,
        name: str,
        level: int,
        above: Expr | None,
        which: Sequence[int],
        element: Callable[[str], tuple[Node, ...]],
        carry: str,
    ) -> tuple[Node, ...]:
        """One level's loop; `carry` is the number of the level whose parts its own are added to."""
        apply = self.make.build.apply
        here = name if level == 0 else f"{name}_{level}"
        blocks = -(-int(known(extent)) // _BLOCK**level)
        count = Named(blocks) if isinstance(extent, Named) else blocks
        if above is None:
            start, stop = integer(0), integer(count)
        else:
            start = apply(ops.MUL, above, integer(_BLOCK))
            stop = apply(ops.MIN, apply(ops.ADD, start, integer(_BLOCK)), integer(count))
        if level == 0:
            return (For(here, start, stop, element(carry)),)
        own = str(level)
        nodes: list[Node] = []
        for k in which:
            total = self.found[k].total
            nodes.append(Let(_part(k, own), total.dtype, _identity(total)))
            if carry != "all" and name == self.place:
                nodes.append(Let(_sum(k, own), total.dtype, self._so_far(k, carry)))
        nodes += self._level(extent, name, level - 1, Index(here), which, element, own)
        for k in which:
            total = self.found[k].total
            nodes.append(Add(_part(k, carry), total.dtype, total.fold, local(_part(k, own), total.dtype)))
        return (For(here, start, stop, tuple(nodes)),)

    def _so_far(self, k: int, level: str) -> Expr:
        """All before the current block of a level, and what that block has so far."""
        total = self.found[k].total
        part = local(_part(k, level), total.dtype)
        if level == "all":
            return part
        before = local(_part(k, "all") if self._is_outermost(level) else _sum(k, level), total.dtype)
        return self.make.build.apply(COMBINED[total.fold], before, part)

    def _is_outermost(self, level: str) -> bool:
        return level == str(_levels(self.index.extent))

    def _element(self, level: str) -> tuple[Node, ...]:
        """One more term for each scan, and the element of the target."""
        done = dict(self.done)
        nodes: list[Node] = []
        at = self._at(self.index.extent, Index(self.place))
        for k, s in enumerate(self.found):
            place = self.make.build.apply(ops.ADD, Index(self.place), integer(s.offset))
            nodes += self._add(k, s, place, level, self.done)
            moved = _moved(s.total, self.index.name, at)
            done[moved] = self._so_far(k, level)
        body = _moved(self.e.body, self.index.name, at)
        left = tuple(_moved(x, self.index.name, at) for x in self.e.left)
        nodes += self.make.hoisted(body, self.names | {self.place}, done)
        value = self.make.filled(body, done, self.names)
        return (*nodes, Store(self.e.target, left, value))

    def _add(self, k: int, s: Scan, place: Expr, level: str, done: dict[Expr, Expr]) -> tuple[Node, ...]:
        """Fold the term at a place, counted from where the scan begins, into a part; nothing where there is none."""
        term = _moved(s.term, s.over.name, self._at(s.over.extent, place))
        known_now = dict(done)
        names = self.names | {self.place, f"{s.over.name}_before"}
        before = self.make.hoisted(term, names, known_now)
        term = self.make.filled(term, known_now)
        apply = self.make.build.apply
        if place != Index(f"{s.over.name}_before"):
            named = any(isinstance(n, Named) for n in (s.offset, s.over.extent, self.index.extent))
            if named or s.offset < 0:
                term = Select(apply(ops.GE, place, integer(0)), term, _identity(s.total), s.total.dtype)
            if named or known(self.index.extent) + s.offset > known(s.over.extent):
                inside = apply(ops.LT, place, integer(s.over.extent))
                term = Select(inside, term, _identity(s.total), s.total.dtype)
        return (*before, Add(_part(k, level), s.total.dtype, s.total.fold, term))

    def _at(self, extent: Extent, place: Expr) -> Expr:
        """The value of an index that is so many steps from where the scan begins."""
        if not self.found[0].backwards:
            return place
        return self.make.build.apply(ops.SUB, integer(extent - 1), place)

    def _work(self) -> int:
        own: dict[Expr, Expr] = {s.total: _identity(s.total) for s in self.found}
        body = self.make.filled(self.e.body, own)
        rest = Equation(self.e.target, self.e.indices, self.e.left, False, body, self.e.span)
        one = operations(rest, self.outer)
        terms = sum(_term_work(s, self.e, self.outer) for s in self.found)
        return one + terms


def _term_work(s: Scan, e: Equation, outer: tuple[Bound, ...]) -> int:
    n = (s.over, *outer)
    return operations(Equation(e.target, n, (), False, s.term, e.span), outer)


def _with_work(nest: Nest, work: int) -> Nest:
    return replace(nest, work=work)


def _moved(e: Expr, name: str, place: Expr) -> Expr:
    return with_indices(e, {name: place})


def _identity(n: Reduce) -> Const:
    return Const(ops.identity(n.fold, n.dtype.is_float), n.dtype)


def _part(k: int, level: str) -> str:
    return f"part{k + 1}_{level}"


def _sum(k: int, level: str) -> str:
    return f"before{k + 1}_{level}"


def _levels(extent: Extent) -> int:
    """Of blocks above single values."""
    if isinstance(extent, Named):
        return _NAMED_LEVELS
    levels = 1
    while known(extent) > _BLOCK ** (levels + 1):
        levels += 1
    return levels


def _smaller(a: int, b: Extent) -> int:
    value = min(int(a), known(b) + 0)
    return Named(value) if isinstance(a, Named) or isinstance(b, Named) else int(value)


def _larger(a: int, b: int) -> int:
    return Named(max(int(a), b)) if isinstance(a, Named) else max(a, b)
