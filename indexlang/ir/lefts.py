"""Left sides: which elements two points of an equation may have in common."""

from collections.abc import Mapping

from indexlang.ir.affine import Affine, Variable, affine
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Bound
from indexlang.ir.size import Extent


def is_one_to_one(e: Equation) -> bool:
    """Whether no two points of an equation, of known extents, write the same element. False: not proved.

    An axis tells all of its indices when each step is larger than all smaller ones reach; what an axis has told is
    known on the others: `T[2*x+dx, x]` for dx:4 is one-to-one.
    """
    forms = [affine(s) for s in e.left]
    if any(f is None or not f.is_plain or not f.is_concrete for f in forms):
        return False
    extents = {b.name: b.extent for b in e.indices}
    open_: set[Variable] = {n for n, extent in extents.items() if extent not in (0, 1)}
    axes = [f for f in forms if f is not None]
    while told := next((t for f in axes if (t := _told(f, open_, extents))), None):
        open_ -= told
    return not open_ or 0 in extents.values()


def _told(form: Affine, wanted: set[Variable], extents: Mapping[str, Extent]) -> set[Variable]:
    """The wanted indices of a subscript if its value tells all of them, given the others."""
    steps = sorted((abs(c), v) for v, c in form.terms if v in wanted and isinstance(c, int) and isinstance(v, str))
    reach = 0
    for c, v in steps:
        n = extents[v]
        if c <= reach or not isinstance(n, int):
            return set()
        reach += c * (n - 1)
    return {v for _, v in steps}


def separate_indices(e: Equation) -> tuple[Bound, ...]:
    """The left indices of which two values never meet at an element: each is alone on an axis."""
    alone: set[Variable] = set()
    for s in e.left:
        form = affine(s)
        if form is not None and form.is_concrete and len(form.terms) == 1:
            alone.add(form.terms[0][0])
    return tuple(b for b in e.indices if b.name in alone)
