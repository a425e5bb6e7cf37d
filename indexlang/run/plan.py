"""Program → plan: the kernels of all equations in order, and where in one arena each tensor lives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import prod

from indexlang.emit.kernel import KernelText
from indexlang.emit.numba_cpu import emit
from indexlang.ir.equation import Equation, Program
from indexlang.ir.expr import Read
from indexlang.ir.fixed import fixed_tensors
from indexlang.nest.checks import Checks
from indexlang.nest.lower import cleared
from indexlang.nest.moves.stream import streamed
from indexlang.nest.moves.target import USUAL, Target, scaled
from indexlang.nest.nodes import Nest
from indexlang.nest.schedule import schedule
from indexlang.nest.together import together
from indexlang.nest.turns import Turns, take_turns
from indexlang.run.places import overlaid, room, side_by_side, views

_CHUNK_WORK = 60_000  # operations that are worth a chunk …
_VECTOR_WORK = 400_000  # … as vectors, where there are enough chunks for all threads even so
_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class CheckedRead:
    """What a failed run-time check is about."""

    equation: Equation
    access: Read | None  # None: the left side
    axis: int
    nest: Nest


@dataclass(frozen=True, slots=True)
class Step:
    """One kernel of the plan: `check` says what is refused when it fails.

    turn   of a piece of an equation: how many pieces there are before
    group  of a piece: the place, among all steps, of the first step of those that take turns with it
    piece  whose thread goes through this one: steps of one group and piece follow each other on one thread
    moved  of a piece: how many bytes further on its tensors stand
    """

    nest: Nest
    kernel: KernelText
    equation: Equation
    iterations: int
    chunk: int
    check: CheckedRead | None = None
    turn: int = 0
    group: int | None = None
    piece: int = 0
    moved: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order. Tensors of `places` live in an arena of `arena` bytes at the given offset.

    once   the leading steps that depend on parameters only: they are run again when parameters change
    kept   tensors made by those steps, with their offsets in an arena of their own of `kept_bytes`
    views  tensors inside others: in which, and at which byte
    copies tensors of which each thread has one of its own, `places.room` bytes apart: how many there are
    """

    program: Program
    steps: tuple[Step, ...]
    once: tuple[Step, ...]
    places: dict[str, int] = field(hash=False)
    arena: int
    kept: dict[str, int] = field(hash=False)
    kept_bytes: int
    views: dict[str, tuple[str, int]] = field(hash=False)
    copies: dict[str, int] = field(hash=False)


def make_plan(program: Program, target: Target) -> Plan:
    """Lower, schedule and place a program whose extents are all known. Pure: nothing is compiled or allocated."""
    fixed = fixed_tensors(program)
    once: list[Step] = []
    steps: list[Step] = []
    begun: set[str] = set()
    checks = Checks(program)
    program, turns = take_turns(program, fixed, target)
    for e in program.equations:
        into = once if e.target in fixed else steps
        group = turns.get(e.target)
        if group is not None:
            if e is group.equations[-1]:
                steps.extend(_turns(group, program, target, len(steps)))
            continue
        for step in _steps(e, program, checks, target, begun):
            _append(into, step, target)
    kept, kept_bytes = side_by_side(program, fixed)
    copies = {name: group.copies for group in turns.values() for name in group.local}
    places, arena = overlaid(program, fixed, turns, copies)
    return Plan(program, tuple(steps), tuple(once), places, arena, kept, kept_bytes, views(program), copies)


def _turns(group: Turns, program: Program, target: Target, first: int) -> Iterator[Step]:
    """The steps of equations that take turns. All pieces but the last have the same."""
    pieces = [list(group.pieces(k)) for k in range(len(group.equations))]
    known: dict[Equation, tuple[Step, ...]] = {}
    for turn in range(group.count):
        copy = turn * group.copies // group.count
        own = {name: copy * room(program, name) for name in group.local}
        for k, cut in enumerate(pieces):
            e, starts = cut[turn]
            if e not in known:
                known[e] = scheduled(e, program, target)
            moved = group.moves(k, starts, program) | own
            yield from (replace(step, turn=turn, group=first, piece=copy, moved=moved) for step in known[e])


def _append(steps: list[Step], step: Step, target: Target) -> None:
    """One more step, or a last one that does both: parts of a tensor that share their loops."""
    last = steps[-1] if steps and steps[-1].equation.part and step.equation.part else None
    both = together(last.nest, step.nest) if last is not None and step.check is None is last.check else None
    if last is None or both is None:
        steps.append(step)
    else:
        steps[-1] = _step(both, last.equation, target)


def _steps(e: Equation, program: Program, checks: Checks, target: Target, begun: set[str]) -> Iterator[Step]:
    for checked in (e,) if e.checks is None else e.checks:
        if _is_empty(checked):
            continue
        for nest, access, axis in checks.checks(checked):
            yield _step(nest, e, target, CheckedRead(checked, access, axis, nest))
    if e.target not in begun and not e.part and (e.accumulates or not _covers(e, program)):
        yield _step(cleared(e, program), e, target)
    begun.add(e.target)
    if not _is_empty(e):  # of an equation without points nothing may be computed, not even ahead of its loops
        yield from scheduled(e, program, target)


def scheduled(e: Equation, program: Program, target: Target) -> tuple[Step, ...]:
    """The steps that compute an equation: as was measured to be best for one of this structure, or else as usual."""
    usual = tuple(_step(nest, e, target) for nest in schedule(e, program, replace(target, knobs=USUAL)))
    knobs = target.tuned(structure(usual))
    if knobs is None:
        return usual
    target = replace(target, knobs=knobs)
    return tuple(_step(nest, e, target) for nest in schedule(e, program, target))


def structure(steps: tuple[Step, ...]) -> str:
    """What steps do, whatever their tensors are called: the kernels, the numbers that they are given, how often they run."""
    parts = [(s.kernel.key, s.iterations, s.chunk, *(a.value for a in s.kernel.args if a.kind == "int")) for s in steps]
    return sha256(repr(parts).encode()).hexdigest()[:32]


def _step(nest: Nest, e: Equation, target: Target, check: CheckedRead | None = None) -> Step:
    nest = streamed(nest, target.large)
    iterations = prod(int(b.extent) for b in nest.iterations)  # type: ignore[arg-type]
    chunk = max(min(iterations, scaled(_chunk(iterations, nest.work), target.knobs.chunk)), 1)
    return Step(nest, emit(nest), e, iterations, -chunk if nest.serial else chunk, check)


def _chunk(iterations: int, work: int) -> int:
    least, most = _CHUNK_WORK // max(work, 1), _VECTOR_WORK // max(work, 1)
    return max(least, min(most, iterations // _CHUNKS))


def _is_empty(e: Equation) -> bool:
    return any(b.extent == 0 for b in e.indices)


def _covers(e: Equation, program: Program) -> bool:
    """Whether the left side reaches every element of its target."""
    elements = prod(int(n) for n in program.tensor(e.target).extents)  # type: ignore[arg-type]
    return elements == prod(int(b.extent) for b in e.indices)  # type: ignore[arg-type]
