"""Program → plan: the kernels of all equations in order, and where in one arena each tensor lives."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from indexlang.emit.numba_cpu import KernelText, emit
from indexlang.ir.bounds import Facts, stays_inside
from indexlang.ir.equation import Equation, Program, Role
from indexlang.ir.expr import Read, reads
from indexlang.nest.lower import Lowering
from indexlang.nest.moves.contract import Target
from indexlang.nest.nodes import Nest
from indexlang.nest.schedule import schedule

_CHUNK_WORK = 60_000
_ALIGN = 128


@dataclass(frozen=True, slots=True)
class CheckedRead:
    """What a failed run-time check is about."""

    equation: Equation
    access: Read | None  # None: the left side
    axis: int
    nest: Nest


@dataclass(frozen=True, slots=True)
class Step:
    """One kernel of the plan: `check` says what is refused when it fails."""

    nest: Nest
    kernel: KernelText
    equation: Equation
    iterations: int
    chunk: int
    check: CheckedRead | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order. Tensors of `places` live in an arena of `arena` bytes at the given offset.

    once   the leading steps that depend on parameters only: they are run again when parameters change
    kept   tensors made by those steps, with their offsets in an arena of their own of `kept_bytes`
    """

    program: Program
    steps: tuple[Step, ...]
    once: tuple[Step, ...]
    places: dict[str, int] = field(hash=False)
    arena: int
    kept: dict[str, int] = field(hash=False)
    kept_bytes: int


def make_plan(program: Program, target: Target) -> Plan:
    """Lower, schedule and place a program whose extents are all known. Pure: nothing is compiled or allocated."""
    fixed = _fixed_tensors(program)
    once: list[Step] = []
    steps: list[Step] = []
    cleared: set[str] = set()
    lowering = Lowering(program)
    for e in program.equations:
        into = once if e.target in fixed else steps
        into.extend(_steps(e, program, lowering, target, cleared))
    kept, kept_bytes = _side_by_side(program, sorted(fixed))
    places, arena = _arena(program, fixed)
    return Plan(program, tuple(steps), tuple(once), places, arena, kept, kept_bytes)


def _steps(e: Equation, program: Program, lowering: Lowering, target: Target, cleared: set[str]) -> Iterator[Step]:
    for nest, access, axis in lowering.checks(e):
        yield _step(nest, e, CheckedRead(e, access, axis, nest))
    if e.target not in cleared and (e.accumulates or not _covers(e, program)):
        cleared.add(e.target)
        yield _step(lowering.zero(e), e)
    for nest in schedule(e, program, target):
        yield _step(nest, e)


def _step(nest: Nest, e: Equation, check: CheckedRead | None = None) -> Step:
    iterations = prod(int(b.extent) for b in nest.iterations)  # type: ignore[arg-type]
    chunk = iterations if nest.serial else max(1, min(iterations, _CHUNK_WORK // max(nest.work, 1)))
    return Step(nest, emit(nest), e, iterations, max(chunk, 1), check)


def _covers(e: Equation, program: Program) -> bool:
    """Whether the left side reaches every element of its target."""
    elements = prod(int(n) for n in program.tensor(e.target).extents)  # type: ignore[arg-type]
    return elements == prod(int(b.extent) for b in e.indices)  # type: ignore[arg-type]


def _fixed_tensors(program: Program) -> set[str]:
    """Computed tensors that depend on parameters and constants only, and are not returned."""
    fixed = {t.name for t in program.tensors if t.role is Role.PARAM}
    params = set(fixed)
    out: set[str] = set()
    for e in program.equations:
        needs = {r.tensor for part in (*e.left, e.body) for r in reads(part)}
        plain = not e.accumulates and e.target not in program.outputs
        if plain and needs and needs <= params | out and _is_checked(e, program):
            out.add(e.target)
    return out


def _is_checked(e: Equation, program: Program) -> bool:
    box = {b.name: b.extent for b in e.indices}
    extents = program.tensor(e.target).extents
    return all(stays_inside(s, n, box, Facts()) for s, n in zip(e.left, extents, strict=True))


def tensor_bytes(program: Program, name: str) -> int:
    t = program.tensor(name)
    return prod(int(n) for n in t.extents) * t.dtype.size  # type: ignore[arg-type]


def _side_by_side(program: Program, names: list[str]) -> tuple[dict[str, int], int]:
    at = 0
    out: dict[str, int] = {}
    for name in names:
        out[name] = at
        at += _rounded(tensor_bytes(program, name))
    return out, at


def _rounded(size: int) -> int:
    return -(-max(size, 1) // _ALIGN) * _ALIGN


def _arena(program: Program, fixed: set[str]) -> tuple[dict[str, int], int]:
    """Offsets of the tensors that are neither given nor returned: each lives from its first write to its last read."""
    inside = [
        t.name
        for t in program.tensors
        if t.role is Role.COMPUTED and t.name not in program.outputs and t.name not in fixed
    ]
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for k, e in enumerate(program.equations):
        first.setdefault(e.target, k)
        last[e.target] = k
        for part in (*e.left, e.body):
            for r in reads(part):
                last[r.tensor] = k
    places: dict[str, int] = {}
    top = 0
    for name in sorted((n for n in inside if n in first), key=lambda n: (-tensor_bytes(program, n), first[n])):
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
