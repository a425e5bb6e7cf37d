"""A failed run-time check as a message: tensor, position, value."""

from math import prod

from indexlang.ir import interp
from indexlang.ir.expr import Expr
from indexlang.run.execute import CheckFailed
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.source import Span


def subscript_error(failed: CheckFailed) -> DataError:
    """E0607 for the first point, in row-major order, at which a subscript was outside its axis."""
    check = failed.check
    point: dict[str, int] = {}
    rest = failed.position
    indices = check.nest.iterations
    for k, b in enumerate(indices):
        below = prod(int(i.extent) for i in indices[k + 1 :])  # type: ignore[arg-type]
        point[b.name], rest = divmod(rest, below)
    subscript, tensor, span = _about(failed)
    value = int(interp.evaluate(subscript, point, failed.tensors))
    extent = int(failed.program.tensor(tensor).extents[check.axis])  # type: ignore[arg-type]
    where = ", ".join(f"{name}={at}" for name, at in point.items())
    text = subscript.span.text or span.text
    return data_error(
        "E0607",
        span,
        subscript=text,
        value=value,
        position=where or "the only point",
        axis=check.axis,
        tensor=tensor,
        extent=f"{extent} elements" if extent != 1 else "1 element",
        advice=f"give values from 0 to {extent - 1}, or say what lies outside with `else`",
    )


def _about(failed: CheckFailed) -> tuple[Expr, str, Span]:
    check = failed.check
    if check.access is None:
        return check.equation.left[check.axis], check.equation.target, check.equation.span
    return check.access.subscripts[check.axis], check.access.tensor, check.access.span


def outside(problem: interp.OutOfRange) -> DataError:
    """The same of the interpreter, which does not keep the place."""
    return data_error(
        "E0607",
        subscript="a subscript",
        value=problem.value,
        position="some point",
        axis=problem.axis,
        tensor=problem.tensor,
        extent=f"{problem.extent} elements",
        advice="see the compiled program's message for the place",
    )
