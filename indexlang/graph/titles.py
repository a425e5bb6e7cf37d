"""What a node is called: from the call that made it, or from its equation."""

import re
from collections.abc import Iterable

from indexlang.graph.groups import Group
from indexlang.ir import ops
from indexlang.ir.affine import affine
from indexlang.ir.equation import Call, Equation, Program, Role
from indexlang.ir.expr import Apply, Expr, Read, Reduce, Select, reads, walk
from indexlang.ir.ops import Kind
from indexlang.ir.show import show
from indexlang.ir.size import Extent

_LONGEST = 30  # characters of an equation as a title
_UNSAID = {"features", "bias", "eps", "momentum", "ddof", "alpha", "beta", "k", "value"}
_WHERE = re.compile(r"[^\W\d][^\s()+*/,.-]*\.")  # `L_1.` of `L_1.R`: of what a call computes, the last name says enough
_SUBSCRIPTS = re.compile(r"\[[^\[\]]*\]")


def times(extents: Iterable[Extent]) -> str:
    """`55×55×96`."""
    return "×".join(map(str, extents))


def title(group: Group, program: Program) -> str:
    """`Conv 3×3, 64` of a call; `sum 11×11×3, relu`, `L + R` or `join 4+6` of an equation."""
    if group.call is not None:
        return ", ".join([group.call.function + _width(group.call), *_numbers(group, group.call, program)])
    first = group.equations[0]
    if len(group.equations) > 1 and first.part:
        return _join(group.equations)
    return _of_equation(first, program)


# -- of a call


def _width(call: Call) -> str:
    given = dict(call.numbers)
    both = [given.get(f"width_{axis}", given.get("width")) for axis in "xy"]
    return f" {both[0]}×{both[1]}" if None not in both else ""


def _numbers(group: Group, call: Call, program: Program) -> list[str]:
    """The features of a layer that has weights, and what else the call says that is not the usual."""
    weights = (program.tensor(n) for n in group.read)
    has_weights = any(t.role is Role.PARAM and len(t.extents) > 1 for t in weights)
    extents = program.tensor(group.name).extents
    out = [str(extents[-1])] if has_weights and extents else []
    for keyword, value in call.numbers:
        usual = keyword in _UNSAID or keyword.startswith(("pad", "width")) or (value == 1 and keyword != "drop")
        out += [] if usual else [f"{keyword.replace('_', ' ')} {value}"]
    return out


# -- of an equation


def _join(parts: tuple[Equation, ...]) -> str:
    begins = [tuple(map(str, e.starts or ())) for e in parts]
    along = [n for n, starts in enumerate(zip(*begins, strict=False)) if len(set(starts)) > 1]
    lengths = (e.indices[along[0]].extent for e in parts) if len(along) == 1 else ()
    shown = "+".join(map(str, lengths)) or f"{len(parts)} parts"
    return f"join {shown}" if len(shown) < _LONGEST else f"join of {len(parts)}"


def _of_equation(e: Equation, program: Program) -> str:
    if any(isinstance(n, Apply) and n.op is ops.UNIFORM for n in walk(e.body)):
        return "random"
    around: list[str] = []
    body = e.body
    while isinstance(body, Apply) and body.op.arity == 1 and body.op not in (ops.NEG, ops.STOP):
        around.append(body.op.name)
        body = body.args[0]
    if around and isinstance(body, Read) and body.subscripts == e.left:
        return ", ".join(reversed(around))
    if isinstance(body, Read) and _is_slice(body, e, program):
        around.append("part of " + _WHERE.sub("", body.tensor))
        return ", ".join(reversed(around))
    sign = "+= " if e.accumulates else ""
    return ", ".join([sign + _core(body), *reversed(around)])


def _is_slice(r: Read, e: Equation, program: Program) -> bool:
    """Whether a box of a tensor is read, element by element in order, that leaves some of it out."""
    forms = [affine(s) for s in r.subscripts]
    if r.border is not None or [f.terms if f else () for f in forms] != [((b.name, 1),) for b in e.indices]:
        return False
    return program.tensor(r.tensor).extents != tuple(b.extent for b in e.indices)


def _core(body: Expr) -> str:
    """The outermost reduction, or the formula without its subscripts, or only the functions in it."""
    fold = next((n for n in walk(body) if isinstance(n, Reduce)), None)
    if fold is not None:
        over = times(b.extent for b in fold.over)
        return f"{fold.fold.name} {over}" if len(over) < _LONGEST else fold.fold.name
    text = show(body)
    while (shorter := _SUBSCRIPTS.sub("", text)) != text:
        text = shorter
    text = _WHERE.sub("", text)
    if len(text) <= _LONGEST:
        return text
    if any(isinstance(n, Select) for n in walk(body)):
        return "choice"
    names = dict.fromkeys(n.op.infix or n.op.name for n in walk(body) if isinstance(n, Apply) and _is_told(n))
    return " ".join(names) if names and len(names) < 6 else "formula"


def _is_told(n: Apply) -> bool:
    return n.op.kind not in (Kind.INT, Kind.TO_INT) and (n.dtype.is_float or n.op.kind is Kind.COMPARE)


# -- pointwise


def is_copy(group: Group) -> bool:
    """Whether a group gives another tensor as it is."""
    e = group.equations[0]
    return len(group.equations) == 1 and isinstance(e.body, Read) and e.is_plain and _is_same_place(e.body, e)


def is_pointwise(group: Group, source: Iterable[str], program: Program) -> bool:
    """Whether a group computes each element from the element at the same place in the tensors of `source`."""
    followed = set(source)
    extents = program.tensor(group.name).extents
    for e in group.equations:
        parts = [r for part in (*e.left, e.body) for r in reads(part) if r.tensor in followed]
        if not parts:
            continue
        inside = {id(r) for n in walk(e.body) if isinstance(n, Reduce) for r in reads(n)}
        plain = e.is_plain and not e.accumulates and program.tensor(e.target).extents == extents
        if not plain or not all(_is_same_place(r, e) and id(r) not in inside for r in parts):
            return False
        followed.add(e.target)
    return group.name in followed


def _is_same_place(r: Read, e: Equation) -> bool:
    return r.border is None and r.subscripts == e.left
