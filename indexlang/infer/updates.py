"""`m[j] <- expr`: a tensor `m.next`, which replaces the state or param `m` after a training run."""

from dataclasses import replace
from typing import TYPE_CHECKING

from indexlang.infer.equations import Stated
from indexlang.ir.equation import Role, Tensor
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame


def define_next_values(frame: "Frame") -> None:
    """Elaborate all next values of a body; outside of training they are only looked at for mistakes."""
    for name, e in frame.next_values.items():
        frame.guard(lambda name=name, e=e: _define(frame, name, e))


def _define(frame: "Frame", name: str, e: ast.Equation) -> None:
    world = frame.world
    kept = world.tensors.get(name)
    if kept is None or kept.role not in (Role.STATE, Role.PARAM):
        if name in world.broken:
            return
        what = "nothing" if kept is None else kept.role.value
        raise program_error("E0215", e.left_span, name=name, what=what, advice=world.suggestion(name))
    target = f"{name}.next"
    is_training = world.constants.get("training") is True
    if _is_printed(e, kept, world.tensors.get(target)):
        if is_training:
            frame.out.updates[name] = target
        return
    frame.stated[target] = Stated(kept.extents, kept.dtype, kept.span)
    before, tensors = frame.out.copy(), dict(world.tensors)
    frame.define_hoisted(replace(e, name=target, sign="="))
    if is_training:
        frame.out.updates[name] = target
    else:
        frame.out, world.tensors = before, tensors


def _is_printed(e: ast.Equation, kept: Tensor, following: Tensor | None) -> bool:
    """Whether this is the line `m[i0] <- m.next[i0]` of a printed program, where `m.next` has its own equation."""
    if following is None or (following.extents, following.dtype) != (kept.extents, kept.dtype):
        return False
    return isinstance(e.body, ast.Name | ast.Access) and e.body.name == following.name
