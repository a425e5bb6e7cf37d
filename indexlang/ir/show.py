"""IR → text. What is printed is valid .idx and parses back to the same program."""

from fractions import Fraction

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.equation import Equation, Program, Role, Start, Tensor
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, Rule, Select, free_indices, walk
from indexlang.ir.size import Extent, Size

# How tightly each form binds; a part that binds less tightly than its place asks gets brackets.
_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _FOLD, _PRODUCT, _MINUS, _POWER, _ATOM = range(11)
_LEVEL = {
    ops.ADD: _SUM, ops.SUB: _SUM, ops.MUL: _PRODUCT, ops.DIV: _PRODUCT, ops.FLOORDIV: _PRODUCT, ops.MOD: _PRODUCT,
    ops.POW: _POWER, ops.AND: _AND, ops.OR: _OR, ops.LT: _COMPARE, ops.LE: _COMPARE, ops.GT: _COMPARE,
    ops.GE: _COMPARE, ops.EQ: _COMPARE, ops.NE: _COMPARE,
}  # fmt: skip
_TIGHT = {ops.MUL, ops.DIV, ops.FLOORDIV, ops.MOD, ops.POW}


def show_program(program: Program) -> str:
    """The whole program: declarations, equations, outputs."""
    lines = [show_tensor(t) for t in program.tensors if t.role not in (Role.COMPUTED, Role.SEED)]
    stated = {e.target for e in program.equations if not _follows(program.tensor(e.target), e)}
    lines += [show_tensor(t) for t in program.tensors if t.name in stated]
    lines += [line for e in program.equations for line in (*_quantifier(e), show_equation(e))]
    lines += [
        f"{kept}{_whole(program, kept)} <- {following}{_whole(program, kept)}" for kept, following in program.updates
    ]
    lines.append("output " + ", ".join(program.outputs))
    return "\n".join(lines) + "\n"


def _follows(t: Tensor, e: Equation) -> bool:
    """Whether an equation by itself says what its tensor is; else a `tensor` statement does."""
    is_rounded = isinstance(e.body, Apply) and e.body.op is ops.TO_INT  # to an int because a statement asks for it
    is_number = not e.left and not any(isinstance(n, Read | Reduce) for n in walk(e.body))  # it would be a constant
    is_same = t.dtype is e.body.dtype and not (is_rounded or is_number)
    return e.is_plain and not e.accumulates and not e.part and is_same


def _whole(program: Program, name: str) -> str:
    letters = [f"i{n}" for n in range(len(program.tensor(name).extents))]
    return f"[{','.join(letters)}]" if letters else ""


def show_tensor(t: Tensor) -> str:
    """A declaration."""
    word = "tensor" if t.role is Role.COMPUTED else t.role.value
    letters = t.axes if t.axes and t.role is not Role.COMPUTED else ("",) * len(t.extents)
    shown = (f"{x}:{e}" if x else str(e) for x, e in zip(letters, t.extents, strict=True))
    axes = f"[{', '.join(shown)}]" if t.extents else ""
    start = f" {show_start(t.start)}" if t.start else ""
    default = f' from "{t.default}"' if t.default else ""
    return f"{word} {t.name}{axes} : {t.dtype}{start}{default}"


def show_start(start: Start) -> str:
    """How a parameter or state begins, as a declaration writes it: `~ xavier`, `= 0.0`."""
    if start.rule == "constant":
        return f"= {start.numbers[0]!r}"
    return f"~ {start.rule}" + (f"({', '.join(map(repr, start.numbers))})" if start.numbers else "")


def show_equation(e: Equation) -> str:
    """`L1[b:1,x:55,y:55,j:96] = …`; the ranges of all indices are written out."""
    ranges = {b.name: b for b in e.indices}
    sign = "+=" if e.accumulates else "="
    left = [_left(s, ranges) for s in e.left]
    used = {i for s in e.left for i in free_indices(s)}
    lost = tuple(b for b in ranges.values() if b.name not in used)
    if lost and e.left:
        _write_lost(left, e, lost)
    axes = f"[{','.join(left)}]" if left else ""
    return f"{e.target}{axes} {sign} {show(e.body)}"


def _quantifier(e: Equation) -> tuple[str, ...]:
    """`for x:14, dx:3` before `Y[2*x+dx] += …`: the ranges that the left side has no place for."""
    ranges = {b.name: b for b in e.indices}
    for s in e.left:
        _left(s, ranges)
    used = {i for s in e.left for i in free_indices(s)}
    waiting = [_bound(b) for b in ranges.values() if b.name in used]
    return (f"for {', '.join(waiting)}",) if waiting else ()


def _write_lost(left: list[str], e: Equation, lost: tuple[Bound, ...]) -> None:
    """Indices that no position depends on: those before an empty one in a group, `(i:2,j:0)`, or `0*i:2` on `+=`."""
    empty = {b.name for b in e.indices if b.extent == 0}
    axis = next((n for n, s in enumerate(e.left) if free_indices(s) & empty), None)
    if axis is not None:
        left[axis] = f"({','.join(map(_bound, lost))},{left[axis].strip('()')})"
        return
    free = (n for n, s in enumerate(e.left) if not free_indices(s))
    for b, n in zip(lost, free, strict=False):
        left[n] = f"{left[n]}+0*{_bound(b)}"


def _left(s: Expr, ranges: dict[str, Bound]) -> str:
    """A subscript of a left side; `ranges` holds those that are still to be written, at the first use of their index."""
    form = affine(s)
    names = [str(v) for v, _ in form.terms] if form is not None and form.is_plain else sorted(free_indices(s))
    waiting = [n for n in names if n in ranges]
    bounds = [ranges[n] for n in waiting]
    if len(waiting) == len(names) > 1 and form is not None and form.constant == 0 and _is_row_major(form, bounds):
        return f"({','.join(_bound(ranges.pop(n)) for n in names)})"
    if len(names) == len(waiting) == 1 and (form is not None or isinstance(s, Read)):
        return f"{_close(s)}:{ranges.pop(names[0]).extent}"
    return _close(s)


def _is_row_major(form: Affine, bounds: list[Bound]) -> bool:
    """Whether a position is that of a group: the step of each index is the product of the extents after it."""
    step: Extent = 1
    for b in reversed(bounds):
        if form.coefficient(b.name) != step:
            return False
        step = step * b.extent
    return True


def _bound(b: Bound) -> str:
    return f"{b.name}:{b.extent}"


def show(e: Expr) -> str:
    """The text of an expression."""
    return _show(e, _CHOICE)


def _close(e: Expr) -> str:
    """The text of a subscript: sums without spaces."""
    return show(e).replace(" + ", "+").replace(" - ", "-")


def _show(e: Expr, place: int) -> str:
    text, level = _text(e)
    return f"({text})" if level < place else text


def _text(e: Expr) -> tuple[str, int]:
    match e:
        case Const(value=value):
            return _constant(value)
        case Index(name=name):
            return name, _ATOM
        case Read():
            return _access(e), _ATOM
        case Select(cond=cond, then=then, other=other):
            return f"{_show(then, _OR)} if {_show(cond, _OR)} else {_show(other, _CHOICE)}", _CHOICE
        case Reduce(fold=fold, over=over, body=body):
            return f"{fold.name}[{','.join(_bound(b) for b in over)}]({show(body)})", _FOLD
        case Apply(op=op, args=(a, b)) if op in _LEVEL:
            level = _LEVEL[op]
            sign = op.infix if op in _TIGHT else f" {op.infix} "
            left = _show(a, level + 1 if level in (_COMPARE, _POWER) else level)
            return f"{left}{sign}{_show(b, _PRODUCT + 1 if level == _POWER else level + 1)}", level
        case Apply(op=ops.NEG, args=(a,)):
            return f"-{_show(a, _MINUS)}", _MINUS
        case Apply(op=ops.NOT, args=(a,)):
            return f"not {_show(a, _NOT)}", _NOT
        case Apply(op=ops.TO_INT, args=(a,)):
            return _text(a)
        case Apply(op=ops.UNIFORM, args=(_, stream, position)):
            return f"draw({show(stream)}, {show(position)})", _ATOM
        case Apply(op=op, args=args):
            return f"{op.name}({', '.join(show(a) for a in args)})", _ATOM


def _constant(value: object) -> tuple[str, int]:
    match value:
        case bool():
            return ("1 == 1" if value else "1 == 0"), _COMPARE
        case Fraction():
            return f"{value.numerator}/{value.denominator}", _PRODUCT if value >= 0 else _MINUS
        case Size():
            text = str(value)
            return text, _ATOM if text.isidentifier() else _SUM
        case float() if value != value:
            return "(inf - inf)", _ATOM
        case int() | float():
            return str(value), _ATOM if value >= 0 else _MINUS
        case _:
            return str(value), _SUM


def _access(e: Read) -> str:
    if not e.subscripts:
        return e.tensor
    inner = ",".join(_close(s) for s in e.subscripts)
    if e.border is None:
        return f"{e.tensor}[{inner}]"
    rule = show(e.border.value) if e.border.rule is Rule.VALUE and e.border.value else e.border.rule.value
    return f"{e.tensor}[{inner} else {rule}]"
