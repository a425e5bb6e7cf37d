"""Neighbouring indices that all accesses step through as through one become one, so that inner loops are long.

before   Y[b:8,y:56,j:3] = 2*X[b,y,j]
after    Y[0,0,byj:1344] = 2*X[0,0,byj]       as addresses go: the last subscript runs on beyond its axis
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, free_indices, reads, rewrite, with_children
from indexlang.ir.size import Named
from indexlang.nest.steps import known, steps


def collapsed(e: Equation, program: Program) -> Equation:
    """The equation with as few indices as its addresses allow, left ones and those of reductions. For lowering only."""
    body = _reductions(e.body, {b.name for b in e.indices} | _names(e.body), program)
    return _left(replace(e, body=body), program, lambda p, q: True)


def collapsed_rows(e: Equation, program: Program) -> Equation:
    """The equation with fewer left indices; the last one, and those of named extents, stay as they are."""
    own = e.indices[-1:]
    return _left(e, program, lambda p, q: q not in own and not _is_named(p, q))


def _is_named(*bounds: Bound) -> bool:
    return any(isinstance(b.extent, Named) for b in bounds)


def _left(e: Equation, program: Program, may: Callable[[Bound, Bound], bool]) -> Equation:
    parts = (Read(e.target, e.left, None, program.tensor(e.target).dtype), e.body)
    neighbours = zip(e.indices, e.indices[1:], strict=False)
    pair = next((pq for pq in neighbours if may(*pq) and _as_one(*pq, parts, program)), None)
    if pair is None:
        return e
    one, merge = _merged(*pair, {b.name for b in e.indices} | _names(e.body))
    left = tuple(rewrite(s, merge) for s in e.left)
    indices = tuple(one if b is pair[1] else b for b in e.indices if b is not pair[0])
    return _left(replace(e, indices=indices, left=left, body=rewrite(e.body, merge)), program, may)


def _reductions(e: Expr, taken: set[str], program: Program) -> Expr:
    e = with_children(e, tuple(_reductions(c, taken, program) for c in children(e)))
    if not isinstance(e, Reduce) or e.fold in (ops.ARGMAX, ops.ARGMIN):
        return e
    pairs = [(p, q) for p in e.over for q in e.over if p is not q]
    pair = next((pq for pq in pairs if _as_one(*pq, (e.body,), program)), None)
    if pair is None:
        return e
    one, merge = _merged(*pair, taken)
    over = tuple(one if b is pair[1] else b for b in e.over if b is not pair[0])
    return _reductions(replace(e, over=over, body=rewrite(e.body, merge)), taken, program)


def _merged(p: Bound, q: Bound, taken: set[str]) -> "tuple[Bound, _Merge]":
    name = p.name + q.name
    while name in taken:
        name += "'"
    taken.add(name)
    one = Bound(name, p.extent * q.extent, p.span)
    return one, _Merge({p.name: integer(0), q.name: Index(one.name)})


class _Merge:
    """A rewriting rule: some indices replaced."""

    def __init__(self, places: Mapping[str, Expr]) -> None:
        self.places = places

    def __call__(self, n: Expr) -> Expr:
        return self.places.get(n.name, n) if isinstance(n, Index) else n


def _as_one(p: Bound, q: Bound, parts: tuple[Expr, ...], program: Program) -> bool:
    """Whether one step of `p` is as far as the whole range of `q` in every access, and both are used in nothing else."""
    if any(_outside(part) & {p.name, q.name} for part in parts):
        return False
    for r in (r for part in parts for r in reads(part)):
        found = steps(r, program)
        if found is None:
            if {p.name, q.name} & {n for s in r.subscripts for n in free_indices(s)}:
                return False
        elif found.get(p.name, 0) != found.get(q.name, 0) * known(q.extent):
            return False
    return True


def _outside(e: Expr) -> set[str]:
    """The indices used as numbers, outside subscripts."""
    match e:
        case Index(name=name):
            return {name}
        case Read():
            return set()
        case _:
            return {n for c in children(e) for n in _outside(c)}


def _names(e: Expr) -> set[str]:
    own = {b.name for b in e.over} if isinstance(e, Reduce) else {e.name} if isinstance(e, Index) else set[str]()
    return own.union(*(_names(c) for c in children(e)))
