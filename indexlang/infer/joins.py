"""`A ; B`: each part is an equation that writes its own slice of one tensor. And the reverse, a vector split in two."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd, prod
from typing import cast

from indexlang.infer.declarations import names_in
from indexlang.infer.equations import Hint, Made, Stated, elaborate_equation
from indexlang.infer.scope import World
from indexlang.infer.vectors import IndexForm, is_extent, is_slice
from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType, joined
from indexlang.ir.equation import Role, Tensor
from indexlang.ir.size import Extent, at_least, same
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, program_error


def joined_tensor(
    form: IndexForm, world: World, stated: Stated | None, warn: Callable[[Made], None]
) -> tuple[Tensor, list[Made]]:
    """The tensor that parts make up, and their equations.

    Raises E0402 where parts differ in another axis, E0415 where the sum differs from what is stated, E0420 where an
    extent follows from no part.
    """
    assert form.joined is not None
    axis = form.joined.axis
    hints, alone = _agreed(form, world)
    made: list[Made] = []
    offset: Extent = 0
    for part in form.parts:
        known = alone.get(id(part))
        if known is None or stated is not None:
            moved = _behind(part, form, offset)
            made.append(elaborate_equation(moved, world, _but(stated, axis), hints))
        else:
            made.append(_shifted(known, form, offset, world))
        warn(made[-1])
        letter = form.joined.letter
        offset = offset + next(b.extent for b in made[-1].equation.indices if b.name == letter)
    offset = _checked_sum(form, world, stated, offset, axis)
    first = made[0]
    extents = tuple(offset if n == axis else known for n, known in enumerate(first.extents))
    if None in extents:
        raise program_error("E0420", form.parts[0].left_span, tensor=form.parts[0].name)
    dtype = stated.dtype if stated and stated.dtype else _dtype([m.equation.body.dtype for m in made])
    axes = tuple(form.joined.letter if n == axis else x for n, x in enumerate(first.axes))
    name, span = form.parts[0].name, form.parts[0].left_span
    return Tensor(name, tuple(x for x in extents if x is not None), dtype, Role.COMPUTED, axes, span=span), made


def _agreed(form: IndexForm, world: World) -> tuple[dict[str, Hint], dict[int, Made]]:
    """The ranges of the left side's indices that parts find by themselves; all parts must agree on them.

    And the parts, by their ids, that need not be made again: nothing was learnt that could change them.
    """
    found: dict[str, Hint] = {}
    alone: dict[int, Made] = {}
    learnt = len(world.solutions.values)
    troubles: list[ProgramError] = []
    assert form.joined is not None
    for part in form.parts:
        try:
            made = elaborate_equation(part, world, None)
        except ProgramError as error:
            troubles.append(error)
            continue
        alone[id(part)] = made
        for b in made.equation.indices:
            if b.name == form.joined.letter:
                continue
            hint = Hint(b.extent, f"`{b.name}` takes {b.extent} values in this part", part.body.span)
            known = found.setdefault(b.name, hint)
            if same(known.extent, b.extent) is False:
                raise program_error(
                    "E0402",
                    part.body.span,
                    index=b.name,
                    first=known.extent,
                    second=b.extent,
                    advice="joined vectors agree in all other axes",
                    because=[(known.text, known.span), (hint.text, hint.span)],
                )
            world.solutions.unify(known.extent, b.extent, hint.text, hint.span)
    if len(troubles) == len(form.parts):
        raise troubles[0]
    return found, alone if len(world.solutions.values) == learnt else {}


def _behind(part: ast.Equation, form: IndexForm, offset: Extent) -> ast.Equation:
    """The equation for the slice that begins at `offset`."""
    assert form.joined is not None
    if isinstance(offset, int) and offset == 0:
        return part
    letter = ast.Name(form.joined.letter, form.joined.span)
    moved = ast.Binary("+", ast.Number(offset, form.joined.span), letter, form.joined.span)  # type: ignore[arg-type]
    left = part.subscripts or ()
    at = form.joined.axis
    return replace(part, subscripts=(*left[:at], moved, *left[at + 1 :]))


def _shifted(made: Made, form: IndexForm, offset: Extent, world: World) -> Made:
    """A part at its own beginning, moved to the slice that begins at `offset`."""
    assert form.joined is not None
    left, at = made.equation.left, form.joined.axis
    moved = world.build.apply(ops.ADD, integer(offset), left[at], span=form.joined.span)
    return replace(made, equation=replace(made.equation, left=(*left[:at], moved, *left[at + 1 :])))


def _but(stated: Stated | None, axis: int) -> Stated | None:
    """What is stated of the other axes."""
    if stated is None:
        return None
    return replace(stated, extents=tuple(None if n == axis else x for n, x in enumerate(stated.extents)))


def _checked_sum(form: IndexForm, world: World, stated: Stated | None, total: Extent, axis: int) -> Extent:
    wanted = stated.extents[axis] if stated is not None and axis < len(stated.extents) else None
    if wanted is None or stated is None:
        return total
    if same(wanted, total) is False:
        raise program_error(
            "E0415",
            form.parts[0].left_span,
            axis=axis,
            tensor=form.parts[0].name,
            stated=wanted,
            found=total,
            because=[("stated here", stated.span)],
        )
    why = f"the parts of `{form.parts[0].name}` have {wanted} elements together"
    world.solutions.unify(total, wanted, why, stated.span)
    return total


def _dtype(found: list[DType]) -> DType:
    return joined(*found) if all(d is not DType.BOOL for d in found) else found[0]


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a split: its equation, the axis that is split, and what is written there."""

    equation: ast.Equation
    axis: int
    written: ast.Expr


def split_equations(s: ast.Equation, world: World) -> list[Split]:
    """`P[b,J1] ; Q[b,J2] = L[b,J1+J2]` as one equation for each part.

    Each reads from where the one before it ends, so all extents but the last must have values; the last one reads
    all that is left. Raises E0108 for a part that is no tensor, E0421 where it is not said which axis is split.
    """
    assert s.split is not None
    out: list[Split] = []
    before: list[ast.Expr] = []
    for part in s.split.parts:
        if not isinstance(part, ast.Access | ast.Name):
            raise program_error("E0108", part.span, what="this", sign=s.sign)
        axis = _split_axis(part, world)
        body = _split_body(s.body, part, axis, world)
        if axis is None or body is None:
            raise program_error(
                "E0421",
                s.span,
                message="a split needs the axis to split in capitals on both sides",
                advice="write `P[b,J1] ; Q[b,J2] = L[b,J1+J2]`",
            )
        assert isinstance(part, ast.Access)
        own = part.subscripts[axis]
        assert not isinstance(own, ast.Ranged | ast.Group | ast.Pack)
        is_last = part is s.split.parts[-1]
        if not is_last and not _has_value(own, world):
            raise program_error(
                "E0421",
                own.span,
                message=f"where `{part.name}` ends is not known",
                advice=f"give `{own.span.text}` a value, as in `{own.span.text} = 16`",
            )
        out.append(Split(_read_from(s, part, own, body, before, not is_last), axis, own))
        before.append(own)
    return out


def _has_value(e: ast.Expr, world: World) -> bool:
    known = world.constants.keys() | world.extents | world.values.keys()
    return all(n in known for n, _ in names_in(e))


def _split_axis(part: ast.Expr, world: World) -> int | None:
    """The last axis of a part that is written as an extent."""
    if not isinstance(part, ast.Access):
        return None
    return max((n for n, x in enumerate(part.subscripts) if is_extent(x, world)), default=None)


def _split_body(
    body: ast.Expr, part: ast.Access | ast.Name, axis: int | None, world: World
) -> tuple[ast.Access, int] | None:
    """What is split, and along which of its axes: a whole tensor has those of the part."""
    match body, part:
        case ast.Name(name=name, span=span), ast.Access(subscripts=subscripts) if axis is not None:
            return ast.Access(name, subscripts, None, span, span), axis
        case ast.Access(subscripts=subscripts), _:
            sliced = [n for n, x in enumerate(subscripts) if is_slice(x)]
            closed = [n for n, x in enumerate(subscripts) if is_extent(x, world)]
            return (body, (sliced or closed)[-1]) if sliced or closed else None
        case _:
            return None


def _read_from(
    s: ast.Equation,
    part: ast.Access,
    own: ast.Expr,
    read: tuple[ast.Access, int],
    before: list[ast.Expr],
    has_end: bool,
) -> ast.Equation:
    letter = ast.Name("k'", own.span)
    position: ast.Expr = letter
    for extent in before:
        position = ast.Binary("+", position, extent, own.span)
    index = ast.Ranged(letter, own, own.span) if has_end else letter
    left = tuple(index if x is own else _lower(x) for x in part.subscripts)
    body, axis = read
    subscripts = tuple(position if n == axis else _lower(x) for n, x in enumerate(body.subscripts))
    return ast.Equation(part.name, left, "=", replace(body, subscripts=subscripts), s.span, part.span)


def _lower(x: ast.Subscript) -> ast.Subscript:
    """Other slices of a split: an index each, by the same letter on both sides."""
    if isinstance(x, ast.Name) and x.name[:1].isupper():
        return ast.Name(x.name[0].lower() + x.name[1:] + "'", x.span)
    return x


def as_parts(made: list[Made], stated: Stated) -> list[Made]:
    """Several `=` equations of a tensor whose extents are stated: boxes of it, none twice, none left out.

    Raises E0202 where two give one element, E0422 where elements are left out or a part is no box.
    """
    boxes = [_box(m) for m in made]
    for n, (m, box) in enumerate(zip(made, boxes, strict=True)):
        for other, first in zip(boxes[:n], made, strict=False):
            if _apart(box, other) is False:
                where = [(f"`{m.equation.target}` is given here too", first.equation.span)]
                raise program_error("E0202", m.equation.span, name=m.equation.target, because=where)
    given: Extent = 0
    for box in boxes:
        given = given + prod((n for _, n, _ in box), start=cast(Extent, 1))
    wanted = prod((x for x in stated.extents if x is not None), start=cast(Extent, 1))
    if same(given, wanted) is False:
        name = made[0].equation.target
        message = f"the equations of `{name}` give {given} elements of {wanted}"
        raise program_error("E0422", made[-1].equation.span, message=message, because=[("stated here", stated.span)])
    return [replace(m, equation=replace(m.equation, part=True)) for m in made]


def _box(m: Made) -> list[tuple[Extent, Extent, int]]:
    """Where an equation's box begins on each axis, how many elements it has there, and how far apart they are."""
    e = m.equation
    forms = [affine(x) for x in e.left]
    extents = {b.name: b.extent for b in e.indices}
    out: list[tuple[Extent, Extent, int]] = []
    for form in forms:
        match form:
            case Affine(constant=start, terms=((str() as name, int() as step),)) if step > 0 and name in extents:
                out.append((start, extents.pop(name), step))
            case _:
                out = []
                break
    if len(out) != len(forms) or extents:
        raise program_error("E0422", e.span, message="one of several equations of a tensor gives a box of it")
    return out


def _apart(a: list[tuple[Extent, Extent, int]], b: list[tuple[Extent, Extent, int]]) -> bool | None:
    """Whether two boxes have no element in common; None where that depends on names."""
    found: list[bool | None] = []
    for (low, n, step), (other, m, wide) in zip(a, b, strict=True):
        found += [at_least(other, low + (n - 1) * step + 1), at_least(low, other + (m - 1) * wide + 1)]
        found += [same(n, 0), same(m, 0)]
        between = other - low
        found.append(isinstance(between, int) and between % gcd(step, wide) != 0)
    return True if True in found else None if None in found else False
