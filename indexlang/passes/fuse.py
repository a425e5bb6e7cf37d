"""An equation moves into the only one that reads it, where that costs no element twice.

before   R[b,j] = sum[i] W[i,j]*X[b,i] - B[j];  Y[b,j] = relu(R[b,j])
after    Y[b,j] = relu(sum[i] W[i,j]*X[b,i] - B[j])

A reduction moves only to a reader with the same indices in the same order, that reduces nothing itself: so it keeps
its schedule, and what was around it becomes the last step of it. An equation without a reduction may be read with its
indices in any order, and inside a reduction that is no contraction. A copy that moves no element may be read in any way
(`reshaped.py`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from indexlang.ir.bounds import gathers
from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, children, reads, rewrite, walk
from indexlang.passes.contraction import contraction
from indexlang.passes.growing import other_name, without
from indexlang.passes.reshaped import seen_through

_MOST_NODES = 150  # of a body: larger ones take long to compile, and registers do not hold them


def fuse_readers(program: Program) -> Program:
    """The program with every equation that has one reader, and fits there, inside it."""
    alone = _read_once(program)
    waiting: dict[str, Equation] = {}
    gone: set[str] = set()
    out: list[Equation] = []
    for e in program.equations:
        for r in dict.fromkeys(reads(e.body)):
            moved = waiting.get(r.tensor)
            if moved is None:
                continue
            fused = replace(e, body=_with(moved, r, e)) if _fits(moved, r, e, program) else None
            fused = fused or seen_through(moved, r, e, program)
            if fused is not None:
                e = fused
                del waiting[r.tensor]
                gone.add(r.tensor)
        out.append(e)
        if e.target in alone and is_free_to_move(e, program):
            waiting[e.target] = e
    return without(program, tuple(e for e in out if e.target not in gone), gone)


def _read_once(program: Program) -> set[str]:
    """The computed tensors with one equation that one access reads, and that nobody else wants."""
    read = Counter(r.tensor for e in program.equations for part in (*e.left, e.body) for r in reads(part))
    made = Counter(e.target for e in program.equations)
    computed = {t.name for t in program.with_role(Role.COMPUTED)} - set(program.outputs)
    return {n for n in computed if read[n] == 1 and made[n] == 1}


def is_free_to_move(e: Equation, program: Program) -> bool:
    """Data-dependent subscripts stay: their run-time checks speak of the equation's own indices."""
    return e.is_plain and not e.accumulates and not gathers(e.body) and e.body.dtype is program.tensor(e.target).dtype


def _fits(moved: Equation, r: Read, e: Equation, program: Program) -> bool:
    """Whether `e` reads every element that `moved` makes exactly once, through `r`, and keeps a schedule as good."""
    around = _scope(e.body, r, e.indices)
    names = [s.name if isinstance(s, Index) else "" for s in r.subscripts]
    if around is None or r.border is not None or sorted(names) != sorted(b.name for b in around):
        return False
    extents = {b.name: b.extent for b in around}
    if any(extents[n] != b.extent for n, b in zip(names, moved.indices, strict=True)):
        return False
    if sum(1 for body in (moved.body, e.body) for _ in walk(body)) > _MOST_NODES:
        return False
    if not _reduces(moved):
        return len(around) == len(e.indices) or contraction(e, program) is None
    in_order = names == [b.name for b in e.indices] and e.starts is not None and not e.accumulates
    return in_order and not _reduces(e) and program.tensor(e.target).dtype is moved.body.dtype


def _reduces(e: Equation) -> bool:
    return any(isinstance(n, Reduce) for n in walk(e.body))


def _scope(n: Expr, r: Read, bound: tuple[Bound, ...]) -> tuple[Bound, ...] | None:
    """The indices bound where `r` stands; None where it is not found, or is part of a subscript."""
    if n == r:
        return bound
    if isinstance(n, Read):
        return None
    inner = (*bound, *n.over) if isinstance(n, Reduce) else bound
    return next((found for c in children(n) if (found := _scope(c, r, inner)) is not None), None)


def _with(moved: Equation, r: Read, e: Equation) -> Expr:
    """The body of `e` with that of `moved` in the place of `r`."""
    subscripts = {b.name: s.name for b, s in zip(moved.indices, r.subscripts, strict=True) if isinstance(s, Index)}
    taken = {b.name for b in e.indices} | {b.name for n in walk(e.body) if isinstance(n, Reduce) for b in n.over}
    names = dict(subscripts)
    for b in (b for n in walk(moved.body) if isinstance(n, Reduce) for b in n.over):
        if b.name not in names:
            names[b.name] = other_name(b.name, taken)
            taken.add(names[b.name])
    body = renamed(moved.body, names)
    return rewrite(e.body, lambda n: body if n == r else n)


def renamed(e: Expr, names: Mapping[str, str]) -> Expr:
    """`e` with other names for its indices, those it binds included."""

    def rename(n: Expr) -> Expr:
        match n:
            case Index(name=name):
                return Index(names.get(name, name), n.span)
            case Reduce(over=over):
                return replace(n, over=tuple(replace(b, name=names[b.name]) for b in over))
            case _:
                return n

    return rewrite(e, rename)
