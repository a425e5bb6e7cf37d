"""The left side of an equation with `=`: every element at most once, and how far an axis reaches."""

from collections.abc import Mapping

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.bounds import is_empty, span_of
from indexlang.ir.equation import Equation
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, reads
from indexlang.ir.size import Extent, Size, at_least
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error


def check_one_to_one(e: Equation, written: ast.Equation) -> None:
    """Raises E0303 if an element may get two values, E0413 if one lies before the first."""
    box = {b.name: b.extent for b in e.indices}
    forms = [affine(s) for s in e.left]
    for form, subscript, s in zip(forms, e.left, written.subscripts or (), strict=True):
        if form is None or not form.is_plain:
            why = "is data" if any(True for _ in reads(subscript)) else "is no sum of indices"
            raise program_error(
                "E0303",
                s.span,
                message=f"`{s.span.text}` {why}, so an element may be given twice",
                advice="use `+=`, which adds up what falls on one element",
            )
    plain = [form for form in forms if form is not None]
    used = [v for form in plain for v in form.indices]
    twice = next((v for v in used if used.count(v) > 1), None)
    if twice is not None:
        raise program_error(
            "E0303", written.left_span, message=f"`{twice}` stands twice on the left side, so only some elements would be defined",
            advice="use two indices and a condition, or `+=`",
        )  # fmt: skip
    for form, s in zip(plain, written.subscripts or (), strict=True):
        if not _is_injective(form, box) and not is_empty(box):
            raise program_error(
                "E0303",
                s.span,
                message=f"`{s.span.text}` gives some elements more than one value",
                advice="use `+=`, which adds up what falls on one element",
            )
        low = span_of(form, box)
        if low is not None and at_least(low[0], 0) is False and not is_empty(box):
            raise program_error(
                "E0413",
                s.span,
                subscript=s.span.text,
                axis=plain.index(form),
                tensor=e.target,
                witness=f"it reaches {low[0]}",
                advice="add an offset",
            )


def covered(s: Expr, indices: tuple[Bound, ...]) -> Extent | None:
    """The extent of an axis from its subscript: one more than the largest position."""
    box = {b.name: b.extent for b in indices}
    form = affine(s)
    if form is None:
        return None
    if is_empty({v: box[v] for v in form.indices}):
        return 0
    if isinstance(s, Index):
        return box[s.name]
    spread = span_of(form, box)
    if spread is None:
        return None
    match s:
        case Apply(op=ops.MOD, args=(_, Const(value=int() as d))) if d > 0:
            reaches = at_least(spread[1], d - 1)
            return None if reaches is None else d if reaches else spread[1] + 1
        case _:
            return spread[1] + 1


def _is_injective(form: Affine, box: Mapping[str, Extent]) -> bool:
    """Whether different index values give different positions: each step is larger than all smaller ones reach."""
    steps: list[tuple[int, int]] = []
    for v, c in form.terms:
        n = box[v] if isinstance(v, str) else 0
        if isinstance(n, Size) or isinstance(c, Size):
            return True  # decided when the names have values
        if n > 1:
            steps.append((abs(c), n))
    reach = 0
    for c, n in sorted(steps):
        if c <= reach:
            return False
        reach += c * (n - 1)
    return {v for v in form.indices if box[v] != 1} == {v for v, _ in form.terms if box[v] != 1 and isinstance(v, str)}  # type: ignore[index]
