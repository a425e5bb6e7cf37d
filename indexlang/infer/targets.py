"""What equations tell of the tensors that they define and read: extents, element type, fan-in."""

from math import prod
from typing import cast

from indexlang.infer.equations import Made, Stated
from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Role, Tensor
from indexlang.ir.expr import Expr, Reduce, children, free_indices, reads
from indexlang.ir.size import Extent, same
from indexlang.text.diagnostics import program_error
from indexlang.text.source import Span


def target_tensor(name: str, made: list[Made], stated: Stated | None, span: Span) -> Tensor:
    """The tensor that one or several (`+=`) equations define. Raises E0420, E0402."""
    first = made[0]
    extents: list[Extent] = []
    for axis in range(len(first.extents)):
        known = [m.extents[axis] for m in made if len(m.extents) == len(first.extents) and m.extents[axis] is not None]
        if not known:
            raise program_error("E0420", span, tensor=name)
        agreed = known[0]
        assert agreed is not None
        for other in known[1:]:
            assert other is not None
            if same(agreed, other) is False:
                raise program_error(
                    "E0402",
                    span,
                    index=f"axis {axis} of {name}",
                    first=agreed,
                    second=other,
                    advice="make the terms agree",
                )
        extents.append(agreed)
    dtypes = [m.equation.body.dtype for m in made]
    widest = max(dtypes, key=(DType.BOOL, DType.U8, DType.I32, DType.INT, DType.F32, DType.F64).index)
    dtype = stated.dtype if stated and stated.dtype else widest
    return Tensor(name, tuple(extents), dtype, Role.COMPUTED, first.axes, span=span)


def fan_ins(equations: list[Equation]) -> dict[str, Extent]:
    """For each tensor that stands under a sum: how many products are summed for one output where it is first used
    (the N of Xavier's slide)."""
    found: dict[str, Extent] = {}
    for e in equations:
        _find_fan_ins(e.body, found)
    return found


def _find_fan_ins(e: Expr, found: dict[str, Extent]) -> None:
    if not isinstance(e, Reduce) or e.fold is not ops.SUM:
        for c in children(e):
            _find_fan_ins(c, found)
        return
    for read in reads(e.body):
        if read.tensor not in found:
            used = {i for s in read.subscripts for i in free_indices(s)}
            found[read.tensor] = prod((b.extent for b in e.over if b.name in used), start=cast(Extent, 1))
