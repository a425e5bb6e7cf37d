"""The schedule `rows`: a reduction folds into a whole row of the target, where that makes the innermost loop contiguous.

Several terms are folded at a time, so that the row is read and written less often.
"""

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound, Const, Expr, Index, Reduce, free_indices, reads, rewrite, walk
from indexlang.ir.size import Extent, Named
from indexlang.nest.body import Body, here, is_short, outermost
from indexlang.nest.collapse import collapsed
from indexlang.nest.nodes import For, Nest, Node, Store
from indexlang.nest.steps import FAR, known, step_cost, steps

_ROW = 512  # elements of a row that stay in the nearest cache while all terms are folded in
_AT_ONCE = 8  # terms
_MOST_NODES = 300  # of that many terms
_COMBINED = {ops.SUM: ops.ADD, ops.PROD: ops.MUL, ops.LARGEST: ops.MAX, ops.SMALLEST: ops.MIN}


def rows(original: Equation, body: Body) -> Nest | None:
    """The nest of an equation without `+=`; None where another schedule fits better."""
    e = collapsed(original, body.program)
    if not e.indices:
        return None
    row = e.indices[-1]
    own = [n for n in outermost(e.body) if row.name in free_indices(n)]
    if len(own) != 1 or not _fits(own[0], row, e, body):
        return None
    return _Rows(e, own[0], row, body).nest(original)


def _fits(total: Reduce, row: Bound, e: Equation, body: Body) -> bool:
    target = body.program.tensor(e.target)
    along = steps(here(e, target.dtype), body.program) or {}
    if total.dtype is not target.dtype or total.fold.name.startswith("arg") or along.get(row.name) != 1:
        return False
    if is_short(total) or any(isinstance(n, Reduce) for n in walk(total.body)):
        return False
    found = list(reads(total.body))
    along_row = sum(step_cost(r, row.name, body.program) for r in found)
    along_sum = min(sum(step_cost(r, b.name, body.program) for r in found) for b in total.over)
    return along_row <= along_sum and along_row < FAR


class _Rows:
    def __init__(self, e: Equation, total: Reduce, row: Bound, body: Body) -> None:
        self.e, self.total, self.row, self.make = e, total, row, body
        self.block = Bound(f"{row.name}_block", _blocks(row.extent))
        build = body.build
        self.start = build.apply(ops.MUL, integer(_ROW), Index(self.block.name))
        self.stop = build.apply(ops.MIN, build.apply(ops.ADD, self.start, integer(_ROW)), integer(row.extent))

    def nest(self, original: Equation) -> Nest:
        e, total = self.e, self.total
        outer = e.indices[:-1]
        done: dict[Expr, Expr] = {}
        before = self.make.hoisted(e.body, {b.name for b in outer}, done)
        element = here(e, self.make.program.tensor(e.target).dtype)
        done[total] = element
        identity = Const(ops.identity(total.fold, total.dtype.is_float), total.dtype)
        first = self._along(Store(e.target, e.left, identity))
        rest = self.make.filled(e.body, done)
        last = () if rest == element else (self._along(Store(e.target, e.left, rest)),)
        return self.make.nest(original, e, (*outer, self.block), (*before, first, *self._folds(), *last), "rows")

    def _along(self, store: Store) -> For:
        return For(self.row.name, self.start, self.stop, (store,))

    def _folds(self) -> tuple[Node, ...]:
        """The loops over the summed indices around those along the row."""
        total = self.total
        *around, last = total.over
        single = self._along(Store(self.e.target, self.e.left, total.body, total.fold))
        many = self._at_once(last)
        whole = last.extent // _AT_ONCE  # pyright: ignore[reportOperatorIssue]
        nodes: tuple[Node, ...]
        if many is None or whole == 0:
            nodes = (For(last.name, integer(0), integer(last.extent), (single,)),)
        else:
            at = integer(whole * _AT_ONCE)
            nodes = (
                For(f"{last.name}_group", integer(0), integer(whole), (many,)),
                For(last.name, at, integer(last.extent), (single,)),
            )
        for b in reversed(around):
            nodes = (For(b.name, integer(0), integer(b.extent), nodes),)
        return nodes

    def _at_once(self, last: Bound) -> For | None:
        """Eight terms in one pass over the row; None where they cannot be combined, or are large."""
        total, build = self.total, self.make.build
        op = _COMBINED.get(total.fold)
        if op is None or _AT_ONCE * sum(1 for _ in walk(total.body)) > _MOST_NODES:
            return None
        terms: list[Expr] = []
        for k in range(_AT_ONCE):
            first = build.apply(ops.MUL, integer(_AT_ONCE), Index(f"{last.name}_group"))
            place = build.apply(ops.ADD, first, integer(k))
            terms.append(_at(total.body, last.name, place))
        while len(terms) > 1:
            terms = [build.apply(op, a, b) for a, b in zip(terms[::2], terms[1::2], strict=True)]
        return self._along(Store(self.e.target, self.e.left, terms[0], total.fold))


def _at(term: Expr, name: str, place: Expr) -> Expr:
    return rewrite(term, lambda n: place if isinstance(n, Index) and n.name == name else n)


def _blocks(extent: Extent) -> Extent:
    return (extent + (_ROW - 1)) // _ROW if isinstance(extent, Named) else -(-known(extent) // _ROW)
