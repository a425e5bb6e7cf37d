"""Where each tensor of a plan lives: which share memory one after the other, and which lie inside another."""

from collections.abc import Mapping
from math import prod

from indexlang.ir.equation import Program, Tensor
from indexlang.ir.expr import reads
from indexlang.ir.layout import layout, roots
from indexlang.nest.turns import Turns

_ALIGN = 128


def tensor_bytes(program: Program, name: str) -> int:
    """The bytes of a tensor."""
    return bytes_of(program.tensor(name))


def bytes_of(t: Tensor) -> int:
    """Bytes of a tensor whose extents are known."""
    return prod(int(n) for n in t.extents) * t.dtype.size  # type: ignore[arg-type]


def views(program: Program) -> dict[str, tuple[str, int]]:
    """The tensor in which each view lies, and at which byte of it."""
    out: dict[str, tuple[str, int]] = {}
    for t in program.tensors:
        if t.view is not None:
            found = layout(program, t.name)
            out[t.name] = (found.root, int(found.offset) * t.dtype.size)  # type: ignore[arg-type]
    return out


def side_by_side(program: Program, names: set[str]) -> tuple[dict[str, int], int]:
    """Offsets of tensors that all live for ever, and the bytes of all."""
    at = 0
    out: dict[str, int] = {}
    for name in sorted(n for n in names if program.tensor(n).view is None):
        out[name] = at
        at += room(program, name)
    return out, at


def room(program: Program, name: str) -> int:
    """The bytes from the beginning of a tensor to that of another behind it."""
    return -(-max(tensor_bytes(program, name), 1) // _ALIGN) * _ALIGN


def overlaid(
    program: Program, fixed: set[str], turns: Mapping[str, Turns], copies: Mapping[str, int]
) -> tuple[dict[str, int], int]:
    """Offsets of the tensors that are neither given nor returned: each lives from its first write to its last read.

    turns   by the targets of equations that take turns: what they touch lives from the first of a group to its last
    copies  of tensors that threads have one of each, side by side
    """
    first, last = _lives(program, turns)
    sizes = {n: room(program, n) * copies.get(n, 1) for n in first}
    inside = [n for n in first if n not in program.outputs and n not in fixed]
    places: dict[str, int] = {}
    top = 0
    for name in sorted(inside, key=lambda n: (-sizes[n], first[n])):
        size = sizes[name]
        busy = sorted(
            (places[o], places[o] + sizes[o]) for o in places if not (last[o] < first[name] or last[name] < first[o])
        )
        at = 0
        for low, high in busy:
            if at + size <= low:
                break
            at = max(at, high)
        places[name] = at
        top = max(top, at + size)
    return places, top


def _lives(program: Program, turns: Mapping[str, Turns]) -> tuple[dict[str, int], dict[str, int]]:
    """The first and last equation that touches the memory of each computed tensor that has its own."""
    home = roots(program)
    groups = [id(turns[e.target]) if e.target in turns else -k - 1 for k, e in enumerate(program.equations)]
    begin: dict[int, int] = {}
    end: dict[int, int] = {}
    for k, group in enumerate(groups):
        begin.setdefault(group, k)
        end[group] = k
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for k, e in enumerate(program.equations):
        group = groups[k]
        first.setdefault(home[e.target], begin[group])
        for name in (e.target, *(r.tensor for part in (*e.left, e.body) for r in reads(part))):
            last[home[name]] = max(last.get(home[name], 0), end[group])
    return first, last
