"""Memory for time: what the way back needs of the way there is computed again where that is cheap, not kept until then.

before   Y[i] = relu(Z[i]);  …;  dV[j] = sum[i] dQ[i,j]*Y[i]
after    Y[i] = relu(Z[i]);  …;  Y_again[i] = relu(Z[i]);  dV[j] = sum[i] dQ[i,j]*Y_again[i]

Between its last use on the way there and the first on the way back the memory of `Y` is free. Only what is made of
tensors that are there anyway is computed again, and nothing that takes long sums.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from indexlang.ir import ops
from indexlang.ir.bounds import gathers
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Apply, Expr, Read, Reduce, children, reads, rewrite

MOST = 40  # elementary operations an element: more than a pooling window, far less than a convolution
_SMALL = 4096  # elements
_FUNCTION = 8  # what a function like exp counts as


def recomputed(program: Program, forward: Collection[str]) -> Program:
    """The program with copies, where they save memory, of the `forward` tensors that its other equations read."""
    back = [e for e in program.equations if e.target not in forward]
    again = _chosen(program, forward, {n for e in back for n in _read(e)})
    if not again:
        return program
    made: dict[str, Tensor] = {}
    names = set(program.by_name)
    for name in again:
        fresh = f"{name}_again"
        while fresh in names:
            fresh += "'"
        names.add(fresh)
        made[name] = replace(program.tensor(name), name=fresh)
    definitions = {e.target: e for e in program.equations if e.target in again}
    equations: list[Equation] = []
    done: set[str] = set()
    for e in program.equations:
        if e.target in forward:
            equations.append(e)
            continue
        equations += _before(e, definitions, made, done)
        equations.append(_renamed(e, made))
    return program.replace(tensors=(*program.tensors, *made.values()), equations=tuple(equations))


def _chosen(program: Program, forward: Collection[str], needed: set[str]) -> tuple[str, ...]:
    """The tensors to compute again, in order: those needed that are cheap, and what they are made of on the way.

    What they are made of in the end is there on the way back anyway: given, or needed itself.
    """
    count = Counter(e.target for e in program.equations)
    there = {t.name for t in program.tensors if t.role is not Role.COMPUTED} | needed
    costs: dict[str, int] = {}
    sources: dict[str, set[str]] = {}
    chosen: set[str] = set()
    for e in program.equations:
        single = count[e.target] == 1 and e.is_plain and not e.accumulates and not gathers(e.body)
        read = _read(e)
        if e.target not in forward or not single or not all(n in there or n in costs for n in read):
            continue
        cost = _cost(e.body) + sum(costs[n] for n in read - there)
        if cost > MOST:
            continue
        costs[e.target], sources[e.target] = cost, read - there
        if e.target in needed and e.target not in program.outputs and _is_large(program.tensor(e.target)):
            chosen |= {e.target, *_behind(e.target, sources)}
    return tuple(e.target for e in program.equations if e.target in chosen)


def _behind(name: str, sources: Mapping[str, set[str]]) -> Iterator[str]:
    for n in sources[name]:
        yield n
        yield from _behind(n, sources)


def _is_large(t: Tensor) -> bool:
    """Whether the memory of a tensor is worth an equation: not where it is known to be small."""
    return not isinstance(t.elements, int) or t.elements > _SMALL


def _read(e: Equation) -> set[str]:
    return {r.tensor for part in (*e.left, e.body) for r in reads(part)}


def _cost(e: Expr) -> int:
    """Elementary operations for one element; a named extent counts as long."""
    inner = sum(_cost(c) for c in children(e))
    if not isinstance(e, Reduce):
        return inner + _own_cost(e)
    times = 1
    for b in e.over:
        times *= b.extent if isinstance(b.extent, int) else MOST
    return times * inner


def _own_cost(e: Expr) -> int:
    match e:
        case Read():
            return 1
        case Apply(op=op):
            return _FUNCTION if op.kind is ops.Kind.FLOAT and op is not ops.DIV else 1
        case _:
            return 0


def _before(
    e: Equation, definitions: dict[str, Equation], made: dict[str, Tensor], done: set[str]
) -> Iterator[Equation]:
    """The copies that an equation is the first to need, each after those that it needs itself."""
    for name in sorted(_read(e) & made.keys() - done):
        done.add(name)
        definition = definitions[name]
        yield from _before(definition, definitions, made, done)
        yield _renamed(replace(definition, target=made[name].name), made)


def _renamed(e: Equation, made: dict[str, Tensor]) -> Equation:
    def read(n: Expr) -> Expr:
        return replace(n, tensor=made[n.tensor].name) if isinstance(n, Read) and n.tensor in made else n

    return replace(e, left=tuple(rewrite(s, read) for s in e.left), body=rewrite(e.body, read))
