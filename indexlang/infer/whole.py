"""Whole numbers stay within 64 bits: what proofs say of them is true of the machine too, where arithmetic wraps around.

Only what indices and constants decide can be known here; what is computed from data wraps, as the interpreter does.
"""

from collections.abc import Iterator, Mapping

from indexlang.ir import ops
from indexlang.ir.bounds import interval, is_empty
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Apply, Const, Expr, Index, Reduce, Select, children
from indexlang.ir.size import Extent
from indexlang.text.diagnostics import Diagnostic, diagnostic

_END = 2**63


def too_large(program: Program) -> Iterator[Diagnostic]:
    """E0315 for each int expression over indices that leaves 64 bits. Linear in the program."""
    for e in program.equations:
        box = {b.name: b.extent for b in e.indices}
        if not is_empty(box):
            for part in (*e.left, e.body):
                yield from _in(part, box, e)


def _in(e: Expr, box: Mapping[str, Extent], equation: Equation) -> Iterator[Diagnostic]:
    """The largest expressions first; what is inside of a wrong one is not looked at."""
    inner = {**box, **{b.name: b.extent for b in e.over}} if isinstance(e, Reduce) else box
    if is_empty(inner):
        return
    size = _magnitude(e, box) if isinstance(e, Apply) and e.dtype is DType.INT else 0
    if size is not None and 0 < size < _END:
        return  # no part of it is larger
    if size:
        worst = max((v for v in interval(e, box) or () if isinstance(v, int)), key=abs, default=0)
        if not -_END <= worst < _END:
            span = e.span if e.span.text else equation.span
            yield diagnostic("E0315", span, value=f"`{span.text}` = {_shown(worst)}")
            return
    for c in children(e):
        yield from _in(c, inner, equation)


def _magnitude(e: Expr, box: Mapping[str, Extent]) -> int | None:
    """A number that no part of an int expression exceeds; None where data or named extents decide."""
    match e:
        case Const(value=int() as value):
            return abs(int(value))
        case Index(name=name):
            extent = box.get(name)
            return extent if isinstance(extent, int) else None
        case Apply(op=op, args=args):
            parts = [_magnitude(a, box) for a in args]
        case Select(then=a, other=b):
            op, parts = ops.MAX, [_magnitude(a, box), _magnitude(b, box)]
        case _:
            return None
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return None
    if op in (ops.ADD, ops.SUB):
        return sum(known)
    if op is ops.MUL:
        return max(known[0] * known[1], *known)
    return max(known)


def _shown(value: int) -> str:
    return str(value) if abs(value) < 10**40 else "a number of more than 40 digits"
