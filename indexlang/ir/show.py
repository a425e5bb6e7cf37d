"""IR → text. What is printed is valid .idx and parses back to the same program."""

from fractions import Fraction

from indexlang.ir import ops
from indexlang.ir.affine import Affine, affine
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Equation, Program, Role, Start, Tensor
from indexlang.ir.expr import Apply, Bound, Const, Expr, Index, Read, Reduce, Rule, Select
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
    stated = {e.target for e in program.equations if not e.is_plain}
    lines += [show_tensor(t) for t in program.tensors if t.name in stated and t.role is Role.COMPUTED]
    lines += [show_equation(e) for e in program.equations]
    lines += [
        f"{kept}{_whole(program, kept)} <- {following}{_whole(program, kept)}" for kept, following in program.updates
    ]
    lines.append("output " + ", ".join(program.outputs))
    return "\n".join(lines) + "\n"


def _whole(program: Program, name: str) -> str:
    letters = [f"i{n}" for n in range(len(program.tensor(name).extents))]
    return f"[{','.join(letters)}]" if letters else ""


def show_tensor(t: Tensor) -> str:
    """A declaration."""
    word = "tensor" if t.role is Role.COMPUTED else t.role.value
    axes = "[" + ", ".join(str(e) for e in t.extents) + "]" if t.extents else ""
    start = f" {show_start(t.start)}" if t.start else ""
    default = f' from "{t.default}"' if t.default else ""
    return f"{word} {t.name}{axes} : {t.dtype}{start}{default}"


def show_start(start: Start) -> str:
    if start.rule == "constant":
        return f"= {start.numbers[0]!r}"
    return f"~ {start.rule}" + (f"({', '.join(map(repr, start.numbers))})" if start.numbers else "")


def show_equation(e: Equation) -> str:
    """`L1[b:1,x:55,y:55,j:96] = …`; the ranges of all indices are written out."""
    ranges = {b.name: b for b in e.indices}
    sign = "+=" if e.accumulates else "="
    if e.is_plain:
        left = ",".join(_bound(b) for b in e.indices)
    else:
        left = ",".join(_left(s, ranges) for s in e.left)
    return f"{e.target}{f'[{left}]' if e.left else ''} {sign} {show(e.body)}"


def _left(s: Expr, ranges: dict[str, Bound]) -> str:
    """A subscript of a left side, with the ranges of its indices where they can be written."""
    if isinstance(s, Index):
        return _bound(ranges[s.name])
    form = affine(s)
    if form is None or not form.is_plain:
        return show(s)
    names = [str(v) for v, _ in form.terms]
    if len(names) > 1 and form.constant == 0 and _is_row_major(form, [ranges[v] for v in names]):
        return f"({','.join(_bound(ranges[v]) for v in names)})"
    if len(names) == 1 and form.terms[0][1] == 1:
        return f"{show(Const(form.constant, DType.INT))}+{_bound(ranges[names[0]])}"
    if len(names) == 1:
        return f"{show(s).replace(' ', '')}:{ranges[names[0]].extent}"
    return show(s)


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
    inner = ",".join(show(s).replace(" ", "") if not isinstance(s, Select) else show(s) for s in e.subscripts)
    if e.border is None:
        return f"{e.tensor}[{inner}]"
    rule = show(e.border.value) if e.border.rule is Rule.VALUE and e.border.value else e.border.rule.value
    return f"{e.tensor}[{inner} else {rule}]"
