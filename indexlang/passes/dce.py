"""Drop what no wanted tensor depends on.

before   A[i] = 2*X[i];  C[i] = 3*X[i];  output C
after    C[i] = 3*X[i];  output C
"""

from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import reads


def drop_dead(program: Program, wanted: tuple[str, ...]) -> Program:
    """The program that computes `wanted` and nothing else. Inputs and parameters are kept."""
    alive = set(wanted)
    kept: list[Equation] = []
    for e in reversed(program.equations):
        if e.target in alive:
            kept.append(e)
            alive.update(r.tensor for part in (*e.left, e.body) for r in reads(part))
    tensors = tuple(t for t in program.tensors if t.role is not Role.COMPUTED or t.name in alive)
    return program.replace(tensors=tensors, equations=tuple(reversed(kept)), outputs=wanted)
