"""Every access is proved inside its axis, or refused with index values that leave it, or left to a run-time check."""

from collections.abc import Iterator, Mapping
from itertools import product

from indexlang.infer.ranges import Ranges, with_extents
from indexlang.infer.scope import Use
from indexlang.ir.affine import affine
from indexlang.ir.bounds import Facts, evaluate, interval, is_empty, stays_inside, uses_data
from indexlang.ir.expr import Expr, free_indices
from indexlang.ir.size import Extent, substitute
from indexlang.text.diagnostics import Diagnostic, diagnostic
from indexlang.text.names import plural

_POINTS = 20_000


def check_uses(ranges: Ranges) -> list[Diagnostic]:
    """The mistakes among the accesses of an equation whose ranges are solved; at most one an access."""
    found: dict[object, Diagnostic] = {}
    for use in ranges.scope.uses:
        trouble = _check(use, ranges)
        if trouble is not None:
            found.setdefault((use.access.start, use.writes), trouble)
    return list(found.values())


def _check(use: Use, ranges: Ranges) -> Diagnostic | None:
    values = ranges.values
    extent = substitute(use.extent, values)
    subscript = with_extents(use.subscript, values)
    box = {v.name: values[v.symbol] for v in use.bound_here}
    if is_empty(box):
        return None
    if use.bordered:
        if use.needs_elements and extent == 0:
            return diagnostic(
                "E0416", use.span, rule=use.needs_elements, least=1, axis=use.axis, tensor=use.tensor, extent=0
            )
        return None
    conditions = [(with_extents(c, values), holds) for c, holds in use.conditions]
    facts = Facts()
    for condition, holds in conditions:
        facts = facts.with_condition(condition) if holds else facts.with_negation(condition)
    if stays_inside(subscript, extent, box, facts) is not False:
        return None
    if uses_data(subscript):
        spread = interval(subscript, box)
        if spread is None or not _surely_outside(spread, extent):
            return None  # checked when it runs
    witness = _witness(subscript, extent, box, conditions)
    if witness is None:
        return None  # no point found: checked when it runs
    return _told(use, subscript, extent, box, witness, ranges)


def _surely_outside(spread: tuple[Extent, Extent], extent: Extent) -> bool:
    low, high = spread
    return isinstance(low, int) and isinstance(high, int) and isinstance(extent, int) and (high < 0 or low >= extent)


def _witness(
    e: Expr, extent: Extent, box: Mapping[str, Extent], conditions: list[tuple[Expr, bool]]
) -> tuple[dict[str, int], int] | None:
    """Index values at which `e` is outside, all conditions that can be decided holding; the first one found."""
    if not isinstance(extent, int):
        return None
    involved = free_indices(e)
    for c, _ in conditions:
        involved |= free_indices(c)
    for point in _points({v: n for v, n in box.items() if v in involved}):
        value = evaluate(e, point)
        if value is None or 0 <= value < extent:
            continue
        if all(evaluate(c, point) in (holds, None) for c, holds in conditions):
            return point, int(value)
    return None


def _points(box: Mapping[str, Extent]) -> Iterator[dict[str, int]]:
    """All points of a small box; of a large one its corners and their neighbours."""
    counts = {v: n for v, n in box.items() if isinstance(n, int)}
    if len(counts) < len(box):
        return
    total = 1
    for n in counts.values():
        total *= n
    if total <= _POINTS:
        choices = [range(n) for n in counts.values()]
    else:
        choices = [sorted({0, 1, n // 2, n - 2, n - 1} & set(range(n))) for n in counts.values()]
    for values in product(*choices):
        yield dict(zip(counts, values, strict=True))


def _told(
    use: Use, e: Expr, extent: Extent, box: Mapping[str, Extent], witness: tuple[dict[str, int], int], ranges: Ranges
) -> Diagnostic:
    point, value = witness
    used = free_indices(e)
    letters = {v.name: v.letter for v in use.bound_here}
    shown = ", ".join(f"{letters[v]}={at}" for v, at in point.items() if v in used)
    where = f"{shown} gives {value}" if shown else f"it is {value}"
    text = f"{where}, but it has {plural(int(str(extent)), 'element')}"
    fit = _largest_fit(e, extent, box, ranges)
    stated = any(ranges.reasons[f"?{v}"].rule in ("written", "left", "constant") for v in used)
    if fit is not None and ranges.reasons[f"?{fit[0]}"].rule == "bare" and not use.writes and not stated:
        reason = ranges.reasons[f"?{fit[0]}"]
        return diagnostic(
            "E0404", use.span, index=letters[fit[0]], declared=box[fit[0]], allowed=fit[1], tensor=use.tensor,
            because=[(reason.text, reason.span), f"`{use.span.text}` leaves axis {use.axis} of `{use.tensor}`: {text}"],
        )  # fmt: skip
    notes = [
        (ranges.reasons[f"?{v}"].text, ranges.reasons[f"?{v}"].span) for v in sorted(used) if f"?{v}" in ranges.reasons
    ]
    advice = _advice(use, value, fit, letters)
    code = "E0413" if use.writes else "E0412"
    return diagnostic(
        code,
        use.span,
        subscript=use.span.text,
        axis=use.axis,
        tensor=use.tensor,
        witness=text,
        advice=advice,
        because=notes,
    )


def _advice(use: Use, value: int, fit: tuple[str, int] | None, letters: Mapping[str, str]) -> str:
    if use.writes:
        return f"state at least {value + 1} elements, or write a smaller range" if value >= 0 else "add an offset"
    border = f"or say what lies outside: `{use.access.text[:-1]} else 0]`"
    if fit is None:
        return f"change the subscript, {border}"
    return f"the largest range that fits is `{letters[fit[0]]}:{fit[1]}`, {border}"


def _largest_fit(e: Expr, extent: Extent, box: Mapping[str, Extent], ranges: Ranges) -> tuple[str, int] | None:
    """The index, and its largest extent, for which `e` would stay inside; the last one that can be shortened."""
    form = affine(e)
    if form is None or not form.is_plain:
        return None
    best: tuple[str, int] | None = None
    for name, step in form.terms:
        assert isinstance(name, str)
        if not isinstance(step, int) or not isinstance(extent, int):
            return None
        for run in range(_to_int(box[name]) - 1, 0, -1) if _to_int(box[name]) <= 4096 else ():
            if stays_inside(e, extent, {**box, name: run}, Facts()):
                rank = _ease(ranges.reasons[f"?{name}"].rule)
                if best is None or rank > _ease(ranges.reasons[f"?{best[0]}"].rule):
                    best = (name, run)
                break
    return best


def _ease(rule: str) -> int:
    """How likely it is that this range is the one to change: a written one first."""
    return {"written": 3, "left": 2, "constant": 2, "bare": 1}.get(rule, 0)


def _to_int(extent: Extent) -> int:
    return extent if isinstance(extent, int) else 0
