"""The equations of the tensors that `d(loss)/d(W)` stands for, each behind what it reads.

before   Y[b,j] = sum[i] X[b,i]*W[i,j];  loss = sum Y[b,j]^2;  W.next[i,j] = W[i,j] - 0.1*dW[i,j]
after    …  loss = sum Y[b,j]^2;  dY[b,j] = 2*Y[b,j];  dW[i,j] = sum[b] dY[b,j]*X[b,i];  W.next[i,j] = …

Derivatives of one scalar share a pass back. Those of a tensor's elements (a Jacobian) are that pass for each element:
the adjoint of the tensor gets axes in front, along which it is 1 for one element and 0 for all others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from indexlang.infer.derivatives import Record
from indexlang.infer.mapping import Alias, Leading, Transplant, is_random
from indexlang.ir import ops
from indexlang.ir.build import Builder
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Const, Expr, Index, Read, reads
from indexlang.passes.grad import adjoints, fresh, pullback
from indexlang.passes.rename import renamed
from indexlang.text.diagnostics import Diagnostic, diagnostic


def with_adjoints(program: Program, records: Sequence[Record]) -> tuple[Program, list[Diagnostic]]:
    """The program with the equations of all recorded derivatives, and a warning for each that is zero.

    Raises ProgramError where there is no derivative.
    """
    found: list[Diagnostic] = []
    targets = [e.target for e in program.equations]
    waiting = list(records)
    while waiting:
        group = _next(program, waiting)
        waiting = [r for r in waiting if r not in group]
        program, zero = _resolved(program, group)
        found += [diagnostic("W0501", r.span, of=r.of, name=r.wrt) for r in group if r.wrt in zero]
    return (_only(program, targets) if records else program), found


def _only(program: Program, targets: Sequence[str]) -> Program:
    """The program without what only led to derivatives of derivatives."""
    equations = tuple(_in_order(program.equations, targets))
    used = {e.target for e in equations}
    tensors = tuple(t for t in program.tensors if t.role is not Role.COMPUTED or t.name in used)
    return program.replace(tensors=tensors, equations=equations)


def _next(program: Program, waiting: list[Record]) -> list[Record]:
    """The derivatives of the first tensor that itself needs none of those that wait."""
    names = {r.name for r in waiting}
    for r in waiting:
        needed = {r.of} | {x.tensor for e in _needed(program, r.of) for x in _reads(e)}
        if not names & needed:
            return [other for other in waiting if other.of == r.of]
    raise AssertionError(f"derivatives that need each other: {waiting}")


def _needed(program: Program, name: str) -> tuple[Equation, ...]:
    """The equations that a tensor depends on, its own among them."""
    alive = {name}
    out: list[Equation] = []
    for e in reversed(program.equations):
        if e.target in alive:
            out.append(e)
            alive.update(r.tensor for r in _reads(e))
    return tuple(reversed(out))


def _resolved(program: Program, group: list[Record]) -> tuple[Program, tuple[str, ...]]:
    of = group[0].of
    there = program.replace(equations=_needed(program, of), updates=())
    wrt = tuple(dict.fromkeys(r.wrt for r in group))
    if program.tensor(of).extents:
        made, names, zero = _jacobian(there, of, wrt, group[0])
    else:
        back = adjoints(there, of, wrt, group[0].span)
        made, names, zero = back.program, back.names, back.zero
    first: dict[str, str] = {}  # a derivative may be recorded twice
    for r in group:
        first.setdefault(r.wrt, r.name)
    placed = _merged(program, renamed(made, {names[w]: name for w, name in first.items()}), first.values())
    return renamed(placed, {r.name: first[r.wrt] for r in group}), zero


def _jacobian(
    there: Program, of: str, wrt: tuple[str, ...], record: Record
) -> tuple[Program, Mapping[str, str], tuple[str, ...]]:
    """The derivatives of every element of `of`, as tensors with the axes of `of` in front."""
    back = pullback(there, (of,), wrt, record.span)
    tensor, seed = there.tensor(of), back.seeds[of]
    build = Builder(there.float_type)
    rank = len(tensor.extents)
    letters = [x or f"n{k}" for k, x in enumerate(tensor.axes or ("",) * rank)]
    leading = tuple(Leading(x, n, record.span) for x, n in zip(letters, tensor.extents, strict=True))
    plan = Transplant({seed: Alias(seed, rank)}, {}, leading, build)
    known = set(there.equations)
    mapped = [e for e in back.program.equations if e not in known and not is_random(e.body)]
    moved = dict(zip(mapped, plan.equations(mapped), strict=True))
    zeros = {back.names[n]: _zeros(there, tensor, n, back.names[n]) for n in back.zero}
    equations = [moved.get(e, e) for e in back.program.equations if e.target not in zeros]
    units = _units(replace(tensor, name=seed), leading, build)
    own = Tensor(seed, (*tensor.extents, *tensor.extents), tensor.dtype, Role.COMPUTED, span=record.span)
    tensors = [own if t.name == seed else plan.tensor(t) for t in back.program.tensors]
    program = back.program.replace(tensors=tuple(tensors), equations=(units, *equations, *zeros.values()))
    return program, back.names, back.zero


def _units(seed: Tensor, leading: Sequence[Leading], build: Builder) -> Equation:
    """`dY[i,j,i',j'] = 1 if i == i' and j == j' else 0`."""
    taken: set[str] = set()
    one = [Bound(fresh(axis.letter, taken), axis.extent) for axis in leading]
    other = [Bound(fresh(axis.letter, taken), axis.extent) for axis in leading]
    body: Expr = Const(1.0, seed.dtype)
    for a, b in zip(one, other, strict=True):
        same = build.apply(ops.EQ, Index(a.name), Index(b.name))
        body = build.select(same, body, Const(0.0, seed.dtype))
    indices = (*one, *other)
    return Equation(seed.name, indices, tuple(Index(b.name) for b in indices), False, body)


def _zeros(program: Program, of: Tensor, wrt: str, name: str) -> Equation:
    extents = (*of.extents, *program.tensor(wrt).extents)
    indices = tuple(Bound(f"i{k}", n) for k, n in enumerate(extents))
    return Equation(name, indices, tuple(Index(b.name) for b in indices), False, Const(0.0, of.dtype))


# -- putting it together


def _merged(program: Program, made: Program, wanted: Iterable[str]) -> Program:
    """The program with the equations of `made` in place of its own, and those that are new where they are first read."""
    theirs = {e.target for e in made.equations}
    mine = [e for e in program.equations if e.target not in theirs]
    equations = _in_order((*mine, *made.equations), [*(e.target for e in program.equations), *wanted])
    used = {e.target for e in equations}
    new = [t for t in made.tensors if t.name not in program.by_name and t.name in used]
    return program.replace(tensors=(*program.tensors, *new), equations=tuple(equations))


def _in_order(equations: Iterable[Equation], order: Sequence[str]) -> list[Equation]:
    """Those that the targets given need, in that order as far as each stands behind what it reads."""
    of: dict[str, list[Equation]] = {}
    for e in equations:
        of.setdefault(e.target, []).append(e)
    out: list[Equation] = []
    done: set[str] = set()
    for root in order:
        stack = [(root, False)]
        while stack:
            name, ready = stack.pop()
            if name in done or name not in of:
                continue
            if ready:
                done.add(name)
                out += of[name]
                continue
            stack.append((name, True))
            before = dict.fromkeys(r.tensor for e in of[name] for r in _reads(e))
            stack += [(n, False) for n in reversed(before) if n not in done and n != name]
    return out


def _reads(e: Equation) -> Iterable[Read]:
    return (r for part in (*e.left, e.body) for r in reads(part))


__all__ = ["with_adjoints"]
