"""A plan with its kernels loaded: runs on arrays, from any Python thread."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from indexlang.emit.kernel import Arg
from indexlang.ir.equation import Program
from indexlang.ir.layout import layout
from indexlang.kernels import turns
from indexlang.kernels.walker import ROW, STATUS_WORDS, Tables, Walker
from indexlang.run.kernels import addresses_of, store
from indexlang.run.lasting import Lasting
from indexlang.run.machine import usable_threads
from indexlang.run.plan import CheckedRead, Plan, Step

Array = NDArray[Any]
_NONE = 2**63 - 1
_Memory = tuple[Mapping[str, Array], Mapping[str, Array], tuple[Lasting, ...]]  # given, results, what lasts
_WORTH_WAKING = 200_000  # units of `Nest.work` in steps of several chunks


class CheckFailed(Exception):
    """A data-dependent subscript is outside its axis: which, and at which point (flattened) first."""

    def __init__(self, check: CheckedRead, position: int, tensors: Mapping[str, Array], program: Program) -> None:
        super().__init__(f"{check.nest.title} at {position}")
        self.check, self.position, self.tensors, self.program = check, position, tensors, program


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a walker's table: steps from `first` up to `last`, one alone, or a group whose pieces are its iterations.

    begins  of a group: where it is told at which step each piece begins
    """

    first: int
    last: int
    begins: int | None = None
    pieces: int = 1


@dataclass
class _Phase:
    """Steps with their table of addresses; `patches` says where in the arguments each tensor's address goes.

    rows     of the table: which steps each of them does
    workers  a row of `turns` for each step; `begins` holds, for each group, the first of its rows for each thread
    starts   where in `args` those of each step begin
    alone  whether no step has a chunk for a second thread       small  whether a second thread is not worth waking
    """

    steps: tuple[Step, ...]
    rows: list[_Row]
    table: NDArray[np.int64]
    workers: NDArray[np.int64]
    begins: NDArray[np.int64]
    args: NDArray[np.int64]
    starts: list[int]
    patches: list[tuple[int, Arg, int]]
    tables: list[NDArray[np.int64]]
    alone: bool
    small: bool


class _Frame:
    """The memory of one run: arena, arguments, status. Used by one run at a time.

    patches  by tensor that is not in the arena: where its address goes, and how far behind its first byte
    known    the addresses that are there now
    kept     whose arrays are among them       fixed, version  memory of what was made of parameters alone, and of which
    """

    def __init__(self, phase: _Phase, plan: Plan, bytes_: int, places: Mapping[str, int]) -> None:
        self.phase = phase
        self.arena = _aligned(bytes_)
        self.args = phase.args.copy()
        self.table = phase.table.copy()
        self.workers = phase.workers.copy()
        self.fails = np.full(max(len(phase.steps), 1), _NONE, np.int64)
        self.status = np.zeros(STATUS_WORDS, np.int64)
        self.times = np.zeros(len(phase.rows) + 1, np.int64)
        self.groups = self._fill()
        self.tables = Tables(self.table, self.status, self.times)
        self.patches: dict[str, list[tuple[int, int]]] = {}
        self.known: dict[str, int] = {}
        self.version: object = None
        self.kept: tuple[ref[Lasting], ...] = ()
        self.fixed: Array | None = None  # held: another thread may be given other parameters meanwhile
        self._place(plan, places)

    def _fill(self) -> list[NDArray[np.int64]]:
        """The addresses of arguments, and arguments of the workers of groups, which are to be held."""
        base, rows = self.args.ctypes.data, self.workers.ctypes.data
        self.workers[:, 3] = base + 8 * np.array(self.phase.starts, np.int64)
        groups: list[NDArray[np.int64]] = []
        for k, row in enumerate(self.phase.rows):
            if row.begins is None:
                self.table[k, 3] = self.workers[row.first, 3]
            else:
                begins = self.phase.begins.ctypes.data + 8 * row.begins
                groups.append(np.array([rows, begins, self.status.ctypes.data], np.int64))
                self.table[k, 3] = groups[-1].ctypes.data
        return groups

    def ends(self) -> NDArray[np.int64]:
        """When the run began, and when each step ended. Steps of a group share its time as their own times are."""
        if not self.groups:
            return self.times.copy()
        out = np.empty(len(self.phase.steps) + 1, np.int64)
        out[0] = self.times[0]
        for k, row in enumerate(self.phase.rows):
            own = np.cumsum(self.workers[row.first : row.last, 4])
            spent = self.times[k + 1] - self.times[k]
            out[row.first + 1 : row.last + 1] = self.times[k] + spent * own // max(own[-1], 1)
            out[row.last] = self.times[k + 1]
        return out

    def _place(self, plan: Plan, places: Mapping[str, int]) -> None:
        """Addresses inside the frame, once and for all; the rest waits in `patches`."""
        inside = _placed(self.arena, places)
        fails, status = self.fails.ctypes.data, self.status.ctypes.data
        for at, arg, step in self.phase.patches:
            host, offset = plan.views.get(arg.name, (arg.name, 0))
            if arg.kind == "fail":
                self.args[at] = fails + 8 * step
            elif arg.kind != "tensor":
                self.args[at] = status
            else:
                offset += self.phase.steps[step].moved.get(arg.name, 0)
                if host in inside:
                    self.args[at] = inside[host] + offset
                else:
                    self.patches.setdefault(host, []).append((at, offset))

    def point(self, name: str, address: int) -> None:
        """Say where a tensor outside the frame lies."""
        if self.known.get(name) == address:
            return
        self.known[name] = address
        for at, offset in self.patches.get(name, ()):
            self.args[at] = address + offset

    def point_all(self, arrays: Mapping[str, Array]) -> None:
        for name, array in arrays.items():
            if name in self.patches:
                self.point(name, array.ctypes.data)

    def stands_on(self, version: object, kept: tuple[Lasting, ...]) -> bool:
        """Whether the addresses of what lasts are those of now."""
        return self.version == version and len(self.kept) == len(kept) and all(map(_is, self.kept, kept))

    def stand_on(self, version: object, kept: tuple[Lasting, ...], places: Mapping[str, int]) -> None:
        """Take the addresses of what lasts."""
        if self.fixed is not None:
            for name, address in _placed(self.fixed, places).items():
                self.point(name, address)
        for k in kept:
            self.point_all(k.arrays)
        self.version, self.kept = version, tuple(map(ref, kept))


class Executable:
    """A program of known extents, ready to run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._walker = Walker(store())
        both = (*plan.once, *plan.steps)
        addresses = addresses_of([step.kernel for step in both], usable_threads(None))
        self._once = _phase(plan.once, addresses[: len(plan.once)])
        self._main = _phase(plan.steps, addresses[len(plan.once) :])
        self._frames: list[_Frame] = []
        self._lock = threading.Lock()
        self._fixed: tuple[object, Array] | None = None

    @property
    def is_small(self) -> bool:
        """Whether waking a second thread takes longer than it could save."""
        return self._main.small

    def run(
        self,
        given: Mapping[str, Array],
        outputs: Mapping[str, Array],
        threads: int,
        version: object,
        kept: tuple[Lasting, ...] = (),
    ) -> NDArray[np.int64]:
        """Compute `outputs` from `given` and `kept`, all C-contiguous arrays of the program's dtypes and extents.

        version  changes when parameters change: what depends on them alone is then computed again
        returns  when the run began, and when each step of `plan.steps` ended, in nanoseconds
        cost     some microseconds besides the kernels; `kept` costs nothing while it is the same
        raises   CheckFailed; KeyboardInterrupt ends the run within one chunk
        """
        frame = self._frame()
        if not frame.stands_on(version, kept):
            frame.fixed = self._fixed_tensors(_joined(given, kept), threads, version)
            frame.stand_on(version, kept, self.plan.kept)
        frame.point_all(given)
        frame.point_all(outputs)
        self._walk(frame, threads, (given, outputs, kept))
        times = frame.ends()
        self._frames.append(frame)
        return times

    def _fixed_tensors(self, given: Mapping[str, Array], threads: int, version: object) -> Array | None:
        if not self.plan.once:
            return None
        with self._lock:
            if self._fixed is None or self._fixed[0] != version:
                frame = _Frame(self._once, self.plan, self.plan.kept_bytes, self.plan.kept)
                frame.point_all(given)
                self._walk(frame, threads, (given, {}, ()))
                self._fixed = (version, frame.arena)
            return self._fixed[1]

    def _frame(self) -> _Frame:
        """One that no run uses. (A run that fails lets go of its frame.)"""
        try:
            return self._frames.pop()
        except IndexError:
            return _Frame(self._main, self.plan, self.plan.arena, self.plan.places)

    def _walk(self, frame: _Frame, threads: int, memory: _Memory) -> None:
        frame.fails.fill(_NONE)
        frame.status.fill(0)
        if threads == 1 or frame.phase.alone:
            self._walker.run_alone(frame.tables)
        else:
            self._walker.run(frame.table, frame.status, frame.times, threads, (frame, memory))
        if frame.status[0]:
            given, outputs, kept = memory
            self._refuse(frame.phase, frame, {**_joined(given, kept), **outputs})

    def _refuse(self, phase: _Phase, frame: _Frame, given: Mapping[str, Array]) -> None:
        for k, step in enumerate(phase.steps):
            if step.check is not None and frame.fails[k] != _NONE:
                raise CheckFailed(step.check, int(frame.fails[k]), self._views(frame, given), self.plan.program)

    def _views(self, frame: _Frame, given: Mapping[str, Array]) -> dict[str, Array]:
        """The tensors as they stand, for a message."""
        out = dict(given)
        for name, at in self.plan.places.items():
            out[name] = self._array(frame.arena[at:], name).copy()
        for name, (host, at) in self.plan.views.items():
            if host in out:
                out[name] = self._array(out[host].reshape(-1).view(np.uint8)[at:], name).copy()
        return out

    def _array(self, memory: Array, name: str) -> Array:
        """The tensor whose first element is at the start of `memory`."""
        t = self.plan.program.tensor(name)
        shape = tuple(int(n) for n in t.extents)  # type: ignore[arg-type]
        strides = tuple(int(n) * t.dtype.size for n in layout(self.plan.program, name).strides)  # type: ignore[arg-type]
        if 0 in shape:
            return np.zeros(shape, t.dtype.numpy)
        return np.ndarray(shape, t.dtype.numpy, memory.data, 0, strides)


def _is(known: ref[Lasting], now: Lasting) -> bool:
    return known() is now


def _joined(given: Mapping[str, Array], kept: tuple[Lasting, ...]) -> dict[str, Array]:
    out = dict(given)
    for k in kept:
        out.update(k.arrays)
    return out


def _rows(steps: tuple[Step, ...]) -> tuple[list[_Row], list[int]]:
    """A row for each step, or each group; where the steps of its pieces begin."""
    rows: list[_Row] = []
    begins: list[int] = []
    for _, run in groupby(range(len(steps)), lambda k: (steps[k].group, k if steps[k].group is None else 0)):
        own = list(run)
        first, last = own[0], own[-1] + 1
        if steps[first].group is None:
            rows.append(_Row(first, last))
            continue
        rows.append(_Row(first, last, len(begins), steps[last - 1].piece + 1))
        begins.extend(k for k in own if k == first or steps[k].piece != steps[k - 1].piece)
        begins.append(last)
    return rows, begins


def _phase(steps: tuple[Step, ...], addresses: list[int]) -> _Phase:
    rows, begins = _rows(steps)
    args: list[int] = []
    starts: list[int] = []
    patches: list[tuple[int, Arg, int]] = []
    tables: list[NDArray[np.int64]] = []
    workers = np.zeros((len(steps), turns.ROW), np.int64)
    for k, step in enumerate(steps):
        workers[k, :3] = (addresses[k], step.iterations, step.chunk)
        starts.append(len(args))
        for arg in step.kernel.args:
            match arg.kind:
                case "int":
                    args.append(arg.value)
                case "table":
                    made = np.array(step.nest.tables[arg.name], np.int64)
                    tables.append(made)
                    args.append(made.ctypes.data)
                case _:
                    patches.append((len(args), arg, k))
                    args.append(0)
    table = np.zeros((len(rows), ROW), np.int64)
    for k, row in enumerate(rows):
        table[k, :3] = workers[row.first, :3] if row.begins is None else (turns.worker(store()), row.pieces, 1)
    shared = sum(s.iterations * max(s.nest.work, 1) for s in steps if s.iterations > s.chunk or s.group is not None)
    return _Phase(
        steps,
        rows,
        table,
        workers,
        np.array(begins or [0], np.int64),
        np.array(args or [0], np.int64),
        starts,
        patches,
        tables,
        shared == 0,
        shared < _WORTH_WAKING,
    )


def _placed(arena: Array, places: Mapping[str, int]) -> dict[str, int]:
    """The address of each tensor in an arena."""
    base = arena.ctypes.data
    return {name: base + at for name, at in places.items()}


def _aligned(size: int) -> Array:
    """Bytes that start at a cache line."""
    raw = np.empty(size + 128, np.uint8)
    skip = -raw.ctypes.data % 128
    return raw[skip : skip + size]
