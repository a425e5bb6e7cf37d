"""Which named extents are sizes of batches: kernels serve all their values, and are made for the values of the others."""

from indexlang.ir import size
from indexlang.ir.equation import Program, Role


def batch_names(program: Program) -> frozenset[str]:
    """The names of a symbolic program that only ever stand at first axes, of some input and of some tensor computed.

    In `C[i,k] = sum[j] A[i,j]*B[j,k]` that is the extent of i. Another batch then compiles nothing, and what is inside
    a picture, a matrix, or a layer gets tiles that fit.
    """
    given, made = (_first(program, role) for role in (Role.INPUT, Role.COMPUTED))
    return frozenset((given & made).difference(*(size.names(e) for t in program.tensors for e in t.extents[1:])))


def _first(program: Program, role: Role) -> set[str]:
    return {n for t in program.with_role(role) for e in t.extents[:1] for n in size.names(e)}
