"""`+=` whose left side names every element at most once: no two points meet, so it is as good as `=`.

before   T[i:4] += X[i];  T[i:4] += sum[k] exp(A[i,k])
after    T[i:4] = X[i];  T_term[i:4] = sum[k] exp(A[i,k]);  T[i:4] += T_term[i]

The first equation of a tensor gives its elements where it covers them. A reduction becomes a term of its own, with a
schedule of its own, whatever the left side; a contraction stays if its tiles can add to what is there.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Index, Read, Reduce, walk
from indexlang.ir.lefts import is_one_to_one
from indexlang.passes.contraction import contraction


def store_first_terms(program: Program) -> Program:
    """The program with as few one-to-one `+=` as there can be."""
    tensors = list(program.tensors)
    names = {t.name for t in tensors}
    started: set[str] = set()
    out: list[Equation] = []
    for e in program.equations:
        if e.accumulates and e.target not in started and is_one_to_one(e) and _covers(e, program):
            e = replace(e, accumulates=False)
        started.add(e.target)
        out.extend(_apart(e, program, tensors, names))
    return program.replace(tensors=tuple(tensors), equations=tuple(out))


def _covers(e: Equation, program: Program) -> bool:
    elements = prod(int(str(n)) for n in program.tensor(e.target).extents)
    return elements == prod(int(str(b.extent)) for b in e.indices)


def _apart(e: Equation, program: Program, tensors: list[Tensor], names: set[str]) -> Iterator[Equation]:
    """The equation after that of its term, if it needs one."""
    reduces = any(isinstance(n, Reduce) for n in walk(e.body))
    if not (e.accumulates and reduces) or contraction(e, program) is not None:
        yield e
        return
    name, n = f"{e.target}_term", 1
    while name in names:
        n += 1
        name = f"{e.target}_term{n}"
    names.add(name)
    tensors.append(Tensor(name, tuple(b.extent for b in e.indices), e.body.dtype, Role.COMPUTED, span=e.span))
    left = tuple(Index(b.name) for b in e.indices)
    before, after = (None, None) if e.checks is None else (e.checks, ())
    yield Equation(name, e.indices, left, False, e.body, e.span, checks=before)
    yield replace(e, body=Read(name, left, None, e.body.dtype, e.span), checks=after)
