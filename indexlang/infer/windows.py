"""Windows that fit nowhere: an index whose range comes to nothing although no axis that it runs over is empty.

An empty axis of an input makes empty tensors, and sums of nothing are 0: a batch of none goes through. But a 3×3 window over
one element would leave a maximum of nothing, or a mean that is no number, far behind the place that is to blame.
"""

from indexlang.infer.ranges import Ranges, with_extents
from indexlang.infer.scope import Use, Var
from indexlang.ir.affine import Affine, affine
from indexlang.ir.size import Extent, Named, substitute
from indexlang.text.diagnostics import program_error
from indexlang.text.names import plural
from indexlang.text.source import Span


def check_windows(ranges: Ranges) -> None:
    """Look at the indices that take no value. Raises E0423 where a window is larger than what it slides over.

    A range that the text gives as 0, or that follows from an axis of no elements, is meant.
    """
    if 0 not in ranges.values.values():
        return
    for use in ranges.scope.uses:
        form = _form(use, ranges)
        var = None if form is None else _unplaced(use, form, ranges)
        if form is not None and var is not None:
            count = _counted(substitute(use.extent, ranges.values), "element")
            raise program_error("E0423", use.span, subscript=use.span.text, axis=use.axis, tensor=use.tensor, count=count,
                                index=var.letter, because=_widths(form, var, ranges))  # fmt: skip


def _unplaced(use: Use, form: Affine, ranges: Ranges) -> Var | None:
    """The index of a subscript that takes no value because its window fits nowhere."""
    empty = [v for v in form.indices if ranges.values.get(f"?{v}") == 0]
    if len(empty) != 1 or not _has_elements(use, ranges):
        return None
    var = ranges.scope.vars.get(empty[0])
    if var is None or not _follows(var, form, ranges):
        return None
    others = (u for u in ranges.scope.uses if not _has_elements(u, ranges))
    is_meant = any((f := _form(u, ranges)) is not None and var.name in f.indices for u in others)
    return None if is_meant else var


def _follows(var: Var, form: Affine, ranges: Ranges) -> bool:
    """Whether an empty range was found, or comes of other extents; a number that the text has is meant.

    `A[2*i+1]` is no window: of one element there are no odd ones.
    """
    if len(form.indices) == 1:
        return False
    match ranges.reasons[var.symbol].rule:
        case "affine":
            return True
        case "written":
            is_computed = isinstance(var.written, Named) or bool(ranges.world.values)
            return is_computed and not var.is_number
        case _:
            return False


def _form(use: Use, ranges: Ranges) -> Affine | None:
    form = affine(with_extents(use.subscript, ranges.values))
    return form if form is not None and form.is_plain else None


def _has_elements(use: Use, ranges: Ranges) -> bool:
    extent = substitute(use.extent, ranges.values)
    return isinstance(extent, int) and extent > 0


def _widths(form: Affine, var: Var, ranges: Ranges) -> list[tuple[str, Span]]:
    """How far the other indices of the subscript run."""
    others = [ranges.scope.vars[v] for v in sorted(form.indices - {var.name}) if v in ranges.scope.vars]
    known = [(v, ranges.values[v.symbol], ranges.reasons[v.symbol]) for v in others if v.symbol in ranges.reasons]
    return [(f"`{v.letter}` takes {_counted(n, 'value')}", reason.span) for v, n, reason in known]


def _counted(n: Extent, what: str) -> str:
    return plural(n, what) if isinstance(n, int) else f"{n} {what}s"
