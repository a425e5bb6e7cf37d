"""What equations tell of the tensors that they define and read: extents, element type, fan-in."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import cast

from indexlang.infer.equations import Made, Stated
from indexlang.ir import ops
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Role, Tensor
from indexlang.ir.expr import Expr, Index, Read, Reduce, children, free_indices, reads
from indexlang.ir.size import Extent, Size, same
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


def fan_ins(equations: list[Equation], extents: Mapping[str, Sequence[Extent]]) -> dict[str, Extent]:
    """For each tensor that stands under a sum: how many products are summed for one output where it is first used
    (the N of Xavier's slide). `extents` are those of the tensors that are asked for."""
    found: dict[str, Extent] = {}
    for e in equations:
        _find_fan_ins(e.body, extents, found)
    return found


def _find_fan_ins(e: Expr, extents: Mapping[str, Sequence[Extent]], found: dict[str, Extent]) -> None:
    if not isinstance(e, Reduce) or e.fold is not ops.SUM:
        for c in children(e):
            _find_fan_ins(c, extents, found)
        return
    for read in reads(e.body):
        if read.tensor in extents and read.tensor not in found:
            along = _indices(read, extents[read.tensor])
            counts = (_known(b.extent, along[b.name]) for b in e.over if b.name in along)
            found[read.tensor] = prod(counts, start=cast(Extent, 1))


def _indices(read: Read, extents: Sequence[Extent]) -> dict[str, Extent | None]:
    """The indices that a tensor is read by, each with the axis that it goes along, if it is one."""
    found: dict[str, Extent | None] = {}
    for subscript, extent in zip(read.subscripts, extents, strict=True):
        for name in free_indices(subscript):
            found[name] = extent if isinstance(subscript, Index) else found.get(name)
    return found


def _known(count: Extent, axis: Extent | None) -> Extent:
    """How far an index goes. An extent with a name may be known by the parameter's own axis: it must fit in there."""
    return axis if isinstance(count, Size) and isinstance(axis, int) else count
