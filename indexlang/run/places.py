"""Where each tensor of a plan lives: which share memory one after the other, and which lie inside another."""

from math import prod

from indexlang.ir.equation import Program, Tensor
from indexlang.ir.expr import reads
from indexlang.ir.layout import layout, roots

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
        at += _rounded(tensor_bytes(program, name))
    return out, at


def _rounded(size: int) -> int:
    return -(-max(size, 1) // _ALIGN) * _ALIGN


def overlaid(program: Program, fixed: set[str]) -> tuple[dict[str, int], int]:
    """Offsets of the tensors that are neither given nor returned: each lives from its first write to its last read."""
    first, last = _lives(program)
    inside = [n for n in first if n not in program.outputs and n not in fixed]
    places: dict[str, int] = {}
    top = 0
    for name in sorted(inside, key=lambda n: (-tensor_bytes(program, n), first[n])):
        size = _rounded(tensor_bytes(program, name))
        busy = sorted(
            (places[o], places[o] + _rounded(tensor_bytes(program, o)))
            for o in places
            if not (last[o] < first[name] or last[name] < first[o])
        )
        at = 0
        for low, high in busy:
            if at + size <= low:
                break
            at = max(at, high)
        places[name] = at
        top = max(top, at + size)
    return places, top


def _lives(program: Program) -> tuple[dict[str, int], dict[str, int]]:
    """The first and last equation that touches the memory of each computed tensor that has its own."""
    home = roots(program)
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for k, e in enumerate(program.equations):
        first.setdefault(home[e.target], k)
        for name in (e.target, *(r.tensor for part in (*e.left, e.body) for r in reads(part))):
            last[home[name]] = k
    return first, last
