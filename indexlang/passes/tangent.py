"""Forward mode: a program with the equations of a directional derivative behind it.

before   Y[i] = tanh(X[i])
after    Y[i] = tanh(X[i]);  Y_dot[i] = (1 - Y[i]*Y[i])*X_dot[i]

It is reverse mode, reversed: what arrives at X is linear in what is given at Y, `dX = J'·dY`. The derivative of the number
`dX·X_dot` with respect to dY is therefore `J·X_dot`, and reads no dY any more (Christianson 1992). So every rule of
`grad.py` holds here, and none has to be written twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexlang.ir import ops
from indexlang.ir.build import Builder
from indexlang.ir.equation import Equation, Program, Role, Tensor
from indexlang.ir.expr import Bound, Expr, Index, Read, Reduce, reads
from indexlang.passes.dce import drop_dead
from indexlang.passes.grad import adjoints, fresh, pullback
from indexlang.passes.rename import renamed
from indexlang.text.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Tangent:
    """A program with tangent equations. Its outputs are what was differentiated, then the tangents.

    inputs  tensor → the input that gives its direction, `X` → `X_dot`      outputs  result → its tangent, `Y` → `Y_dot`
    zero    results on which the directions have no influence: their tangents are 0
    """

    program: Program
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    zero: tuple[str, ...]


def tangent(program: Program, of: Sequence[str], wrt: Sequence[str], span: Span = NOWHERE) -> Tangent:
    """The program that takes one more input for each tensor of `wrt`, and computes how those of `of` change along them.

    Raises ProgramError E0503 (a name is unknown), E0501 (a tensor is not of floats).
    Cost: a small multiple of what the program computes, for any number of results.
    """
    back = pullback(program, of, wrt, span)
    names = set(back.program.by_name)
    inputs = {n: fresh(f"{n}_dot", names) for n in dict.fromkeys(wrt)}
    outputs = {n: fresh(f"{n}_dot", names) for n in dict.fromkeys(of)}
    given = [_like(program.tensor(n), dot) for n, dot in inputs.items()]
    total = fresh("along", names)
    product = _product(program, total, [(back.names[n], t) for n, t in zip(inputs, given, strict=True)])
    scalar = Tensor(total, (), product.body.dtype, Role.COMPUTED, span=span)
    whole = back.program.replace(
        tensors=(*back.program.tensors, *given, scalar), equations=(*back.program.equations, product)
    )
    forth = adjoints(whole, total, tuple(back.seeds.values()), span)
    results = {forth.names[seed]: outputs[n] for n, seed in back.seeds.items()}
    inner = [n for n in forth.program.by_name if n not in whole.by_name and n not in results and n.startswith("dd")]
    made = renamed(forth.program, {**{n: fresh(f"{n[2:]}_dot", names) for n in inner}, **results})
    kept = (*outputs, *outputs.values())
    live = drop_dead(made, tuple(dict.fromkeys((*kept, *(n for _, n in made.updates)))))
    zero = tuple(n for n, seed in back.seeds.items() if seed in forth.zero)
    return Tangent(_without(live, set(back.seeds.values())).replace(outputs=kept), inputs, outputs, zero)


def _like(t: Tensor, name: str) -> Tensor:
    return Tensor(name, t.extents, t.dtype, Role.INPUT, t.axes)


def _product(program: Program, target: str, pairs: Sequence[tuple[str, Tensor]]) -> Equation:
    """`along = sum[i](dX[i]*X_dot[i]) + …`"""
    build = Builder(program.float_type)
    body: Expr | None = None
    for adjoint, t in pairs:
        over = tuple(Bound(f"i{k}", n) for k, n in enumerate(t.extents))
        at = tuple(Index(b.name) for b in over)
        term = build.apply(ops.MUL, Read(adjoint, at, None, t.dtype), Read(t.name, at, None, t.dtype))
        term = Reduce(ops.SUM, over, term, term.dtype) if over else term
        body = term if body is None else build.apply(ops.ADD, body, term)
    assert body is not None
    return Equation(target, (), (), False, body)


def _without(program: Program, inputs: set[str]) -> Program:
    """The program without inputs that nothing reads."""
    read = {r.tensor for e in program.equations for part in (*e.left, e.body) for r in reads(part)}
    assert not read & inputs, f"a tangent reads {sorted(read & inputs)}"
    return program.replace(tensors=tuple(t for t in program.tensors if t.name not in inputs))


__all__ = ["Tangent", "tangent"]
