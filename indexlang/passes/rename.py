"""Other names for some tensors of a program.

before   dW'[i] = 2*W[i];  G[i] = dW'[i]        dW' is to be dW
after    dW[i] = 2*W[i];  G[i] = dW[i]
"""

from collections.abc import Mapping
from dataclasses import replace

from indexlang.ir.equation import Program
from indexlang.ir.expr import Expr, Read, rewrite


def renamed(program: Program, names: Mapping[str, str]) -> Program:
    """The program with each name of `names` in place of its key. A tensor that has the new name already stays as it is."""
    names = {a: b for a, b in names.items() if a != b}
    if not names:
        return program

    def put(e: Expr) -> Expr:
        return replace(e, tensor=names[e.tensor]) if isinstance(e, Read) and e.tensor in names else e

    equations = tuple(
        replace(
            e,
            target=names.get(e.target, e.target),
            left=tuple(rewrite(s, put) for s in e.left),
            body=rewrite(e.body, put),
        )
        for e in program.equations
    )
    tensors = {t.name: t for t in program.tensors if t.name not in names}
    for a, b in names.items():
        tensors.setdefault(b, replace(program.tensor(a), name=b))
    outputs = tuple(names.get(n, n) for n in program.outputs)
    return program.replace(tensors=tuple(tensors.values()), equations=equations, outputs=outputs)
