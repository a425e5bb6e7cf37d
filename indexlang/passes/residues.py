"""Left indices that a reduction reads through quotients: an equation for each residue, in which they are affine.

before   T[x:7] = sum[e:2] Z[(x+1)//2-e else 0]*W[2*e+(x+1)%2 else 0]          (W of 3)
after    T[2*q:4] = sum[e:1] Z[q-e else 0]*W[2*e+1];  T[2*q+1:3] = sum[e:2] Z[q-e+1 else 0]*W[2*e]

Each class sums over those values of an index only for which a factor with border 0 is inside its tensor: so the gradient
of a convolution with a stride takes no term that does not exist, as if those of the others were never there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import lcm, prod

from indexlang.ir import ops
from indexlang.ir.affine import Affine, Floor, affine, expression
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.build import Builder, integer, is_const, zero_of
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import (
    Apply,
    Bound,
    Expr,
    Index,
    Read,
    Reduce,
    Rule,
    children,
    rewrite,
    walk,
    with_children,
)
from indexlang.ir.size import Extent

_MOST_CLASSES = 64


def split_residues(program: Program) -> Program:
    """The program with such equations split."""
    equations = tuple(part for e in program.equations for part in _split(e, program))
    return program.replace(equations=equations)


def _split(e: Equation, program: Program) -> Iterator[Equation]:
    periods = _periods(e)
    classes = prod(periods.values())
    if not periods or classes > _MOST_CLASSES or not (e.part or e.accumulates or _covers(e, program)):
        yield e
        return
    made = [_class(e, periods, at, program) for at in product(*(range(s) for s in periods.values()))]
    kept = [c for c in made if all(type(b.extent) is not int or b.extent > 0 for b in c.indices)]
    yield from kept or [e]


def _periods(e: Equation) -> dict[str, int]:
    """For each left index that is to be split: the least common multiple of what divides it inside reductions.

    An index of so few values that each would have an equation and a kernel of its own (bins of a pool) stays whole.
    """
    floors = [f for n in walk(e.body) if isinstance(n, Reduce) for f in _floors(n.body)]
    mixed = {v for f in floors if len(f.above.indices) > 1 or not f.above.is_plain for v in f.above.indices}
    out: dict[str, int] = {}
    for b in e.indices:
        below = [f.below for f in floors if f.above.indices == {b.name}]
        if below and b.name not in mixed and all(isinstance(d, int) for d in below):
            period = lcm(*(d for d in below if isinstance(d, int)))
            if type(b.extent) is not int or b.extent > period:
                out[b.name] = period
    return out


def _floors(e: Expr) -> Iterator[Floor]:
    form = affine(e) if e.dtype is DType.INT else None
    if form is not None:
        yield from (v for v, _ in form.terms if isinstance(v, Floor))
    else:
        for c in children(e):
            yield from _floors(c)


def _covers(e: Equation, program: Program) -> bool:
    elements = prod(int(str(n)) for n in program.tensor(e.target).extents)
    return elements == prod(int(str(b.extent)) for b in e.indices)


def _class(e: Equation, periods: Mapping[str, int], at: tuple[int, ...], program: Program) -> Equation:
    """The points at which each split index is `s*q + r`; q keeps the index's name."""
    build = Builder(program.float_type)
    places: dict[str, Expr] = {}
    extents: dict[str, Extent] = {}
    for (name, s), r in zip(periods.items(), at, strict=True):
        places[name] = build.apply(ops.ADD, build.apply(ops.MUL, integer(s), Index(name)), integer(r))
        extents[name] = next((b.extent - r + (s - 1)) // s for b in e.indices if b.name == name)

    def placed(n: Expr) -> Expr:
        return _affine_again(rewrite(n, lambda x: places.get(x.name, x) if isinstance(x, Index) else x))

    indices = tuple(Bound(b.name, extents.get(b.name, b.extent), b.span) for b in e.indices)
    box = {b.name: b.extent for b in indices}
    body = _narrowed(placed(e.body), box, program)
    return replace(e, indices=indices, left=tuple(map(placed, e.left)), body=body, part=not e.accumulates)


def _affine_again(e: Expr) -> Expr:
    """Int expressions written as short as their affine form is."""
    form = affine(e) if e.dtype is DType.INT and isinstance(e, Apply) else None
    if form is not None:
        return expression(form)
    return with_children(e, tuple(_affine_again(c) for c in children(e)))


def _narrowed(e: Expr, box: Mapping[str, Extent], program: Program) -> Expr:
    """Sums over those values only for which their factors are inside; borders that are never met disappear."""
    if isinstance(e, Reduce):
        if e.fold is ops.SUM:
            e = _in_range(e, program)
            if any(b.extent == 0 for b in e.over) or any(_is_outside(r, program) for r in _factors(e.body)):
                return zero_of(e.dtype)
        return with_children(e, (_narrowed(e.body, {**box, **{b.name: b.extent for b in e.over}}, program),))
    e = with_children(e, tuple(_narrowed(c, box, program) for c in children(e)))
    if isinstance(e, Read) and e.border is not None:
        pairs = zip(e.subscripts, program.tensor(e.tensor).extents, strict=True)
        if all(stays_inside(s, n, box, Facts()) for s, n in pairs):
            return replace(e, border=None)
    return e


def _is_outside(r: Read, program: Program) -> bool:
    """Whether a factor with border 0 is read at a place outside its tensor, whatever the indices are."""
    if not _is_0_outside(r):
        return False
    places = zip(map(affine, r.subscripts), program.tensor(r.tensor).extents, strict=True)
    known = ((s.constant, n) for s, n in places if s is not None and not s.terms)
    return any(isinstance(at, int) and isinstance(n, int) and not 0 <= at < n for at, n in known)


def _in_range(total: Reduce, program: Program) -> Reduce:
    bounds = {b.name: (0, b.extent) for b in total.over if type(b.extent) is int}
    for r in _factors(total.body):
        if not _is_0_outside(r):
            continue
        for s, n in zip(r.subscripts, program.tensor(r.tensor).extents, strict=True):
            form = affine(s)
            if form is not None and len(form.terms) == 1 and form.terms[0][0] in bounds and type(n) is int:
                name = str(form.terms[0][0])
                bounds[name] = _meeting(bounds[name], _inside(form, n))
    shifts = {name: integer(low) for name, (low, _) in bounds.items() if low}
    over = tuple(
        Bound(b.name, bounds[b.name][1] - bounds[b.name][0], b.span) if b.name in bounds else b for b in total.over
    )
    moved = {name: Apply(ops.ADD, (Index(name), low), DType.INT) for name, low in shifts.items()}
    body = rewrite(total.body, lambda x: moved.get(x.name, x) if isinstance(x, Index) else x)
    return replace(total, over=over, body=_affine_again(body) if moved else body)


def _is_0_outside(r: Read) -> bool:
    return r.border is not None and r.border.rule is Rule.VALUE and is_const(r.border.value or r, 0)


def _factors(e: Expr) -> Iterator[Read]:
    match e:
        case Apply(op=ops.MUL, args=args):
            for a in args:
                yield from _factors(a)
        case Apply(op=ops.NEG, args=(a,)):
            yield from _factors(a)
        case Read():
            yield e
        case _:
            pass


def _inside(form: Affine, n: int) -> tuple[int, int]:
    """The values of the one index for which `0 <= form < n`."""
    (_, k), c = form.terms[0], form.constant
    assert isinstance(k, int)
    assert isinstance(c, int)
    if k > 0:
        return -(c // k), (n - 1 - c) // k + 1
    return -((n - 1 - c) // -k), c // -k + 1


def _meeting(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
    low = max(p[0], q[0])
    return low, max(min(p[1], q[1]), low)
