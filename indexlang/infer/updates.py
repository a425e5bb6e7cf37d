"""Next values, `m[j] <- expr`: a tensor `m.next`, which replaces the state or param after a training run."""

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from indexlang.infer.emission import shortened
from indexlang.infer.equations import Stated
from indexlang.ir.equation import Equation, Role
from indexlang.ir.expr import Read
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame

_ROLES = {Role.INPUT: "an input", Role.COMPUTED: "computed by an equation"}


def define_next_values(frame: "Frame") -> None:
    """Elaborate the next values of a body; the mistakes of each are told."""
    for name, e in frame.next_values.items():
        frame.guard(lambda name=name, e=e: _next_value(frame, name, e))


def _next_value(frame: "Frame", name: str, e: ast.Equation) -> None:
    world = frame.world
    kept = world.tensors.get(name)
    if kept is None or kept.role not in (Role.STATE, Role.PARAM):
        if world.is_broken(name):
            return
        what = "not defined" if kept is None else _ROLES[kept.role]
        advice = world.suggestion(name) if kept is None else f"declare a state, as in `state {name}[…] = 0`"
        raise program_error("E0215", e.left_span, name=name, what=what, advice=advice)
    target = f"{name}.next"
    frame.stated[target] = Stated(kept.extents, kept.dtype, kept.span)
    mark, tensors = frame.out.mark(), len(world.tensors)
    computed, stated = len(frame.out.computed), world.tensors.get(target)  # what is shown of a program defines `m.next`
    frame.define_hoisted(replace(e, name=target, sign="="))
    copied = _copied(frame, target)
    copied = copied if copied in islice(frame.out.computed, computed) else ""
    is_training = world.constants.get("training") is True
    if copied or not is_training:  # there it is looked at for mistakes only
        frame.out.cut(mark)
        shortened(world.tensors, tensors)
        if stated is not None:
            world.tensors[target] = frame.out.computed[target] = stated
    if is_training:
        frame.out.updates[name] = copied or target


def _copied(frame: "Frame", target: str) -> str:
    """The computed tensor that a next value is as it stands, as in `m[j] <- v[j]`; '' if there is none."""
    e, tensors = frame.out.equations[-1], frame.world.tensors
    match e:
        case Equation(is_plain=True, body=Read(tensor=name, subscripts=subscripts)) if subscripts == e.left:
            same = replace(tensors[target], name=name, axes=tensors[name].axes, span=tensors[name].span)
            return name if tensors[name] == same else ""
        case _:
            return ""


__all__ = ["define_next_values"]
