"""A plan with its kernels loaded: runs on arrays, from any Python thread."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.emit.kernel import Arg
from indexlang.ir.equation import Program
from indexlang.ir.layout import layout
from indexlang.kernels.walker import ROW, STATUS_WORDS, Walker
from indexlang.run.kernels import address_of, store
from indexlang.run.plan import CheckedRead, Plan, Step

Array = NDArray[Any]
_NONE = 2**63 - 1


class CheckFailed(Exception):
    """A data-dependent subscript is outside its axis: which, and at which point (flattened) first."""

    def __init__(self, check: CheckedRead, position: int, tensors: Mapping[str, Array], program: Program) -> None:
        super().__init__(f"{check.nest.title} at {position}")
        self.check, self.position, self.tensors, self.program = check, position, tensors, program


@dataclass
class _Phase:
    """Steps with their table of addresses; `patches` says where in the arguments each tensor's address goes."""

    steps: tuple[Step, ...]
    table: NDArray[np.int64]
    args: NDArray[np.int64]
    starts: list[int]
    patches: list[tuple[int, Arg, int]]
    tables: list[NDArray[np.int64]]


class _Frame:
    """The memory of one run: arena, arguments, status. Used by one run at a time."""

    def __init__(self, phase: _Phase, arena: int) -> None:
        self.arena = _aligned(arena)
        self.args = phase.args.copy()
        self.table = phase.table.copy()
        base = self.args.ctypes.data
        for row, start in enumerate(phase.starts):
            self.table[row, 3] = base + 8 * start
        self.fails = np.full(max(len(phase.steps), 1), _NONE, np.int64)
        self.status = np.zeros(STATUS_WORDS, np.int64)
        self.times = np.zeros(len(phase.steps) + 1, np.int64)


class Executable:
    """A program of known extents, ready to run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._walker = Walker(store())
        self._main = _phase(plan.steps)
        self._once = _phase(plan.once)
        self._frames: list[_Frame] = []
        self._lock = threading.Lock()
        self._fixed: tuple[object, Array] | None = None

    def run(
        self, given: Mapping[str, Array], outputs: Mapping[str, Array], threads: int, version: object
    ) -> NDArray[np.int64]:
        """Compute `outputs` from `given`, all C-contiguous arrays of the program's dtypes and extents.

        version  changes when parameters change: what depends on them alone is then computed again
        returns  nanoseconds that each step of `plan.steps` took
        raises   CheckFailed; KeyboardInterrupt ends the run within one chunk
        """
        fixed = self._fixed_tensors(given, threads, version)
        frame = self._take()
        try:
            arrays = self._addresses(frame, fixed)
            arrays.update({n: a.ctypes.data for n, a in (*given.items(), *outputs.items())})
            self._add_views(arrays)
            self._walk(self._main, frame, arrays, threads, {**given, **outputs})
            return np.diff(frame.times)
        finally:
            with self._lock:
                self._frames.append(frame)

    def _fixed_tensors(self, given: Mapping[str, Array], threads: int, version: object) -> Array | None:
        if not self.plan.once:
            return None
        with self._lock:
            if self._fixed is None or self._fixed[0] != version:
                frame = _Frame(self._once, self.plan.kept_bytes)
                arrays = _placed(frame.arena, self.plan.kept)
                arrays.update({n: a.ctypes.data for n, a in given.items()})
                self._add_views(arrays)
                self._walk(self._once, frame, arrays, threads, given)
                self._fixed = (version, frame.arena)
            return self._fixed[1]

    def _take(self) -> _Frame:
        with self._lock:
            if self._frames:
                return self._frames.pop()
        return _Frame(self._main, self.plan.arena)

    def _addresses(self, frame: _Frame, fixed: Array | None) -> dict[str, int]:
        kept = {} if fixed is None else _placed(fixed, self.plan.kept)
        return {**_placed(frame.arena, self.plan.places), **kept}

    def _add_views(self, arrays: dict[str, int]) -> None:
        arrays.update({n: arrays[host] + at for n, (host, at) in self.plan.views.items() if host in arrays})

    def _walk(
        self, phase: _Phase, frame: _Frame, arrays: Mapping[str, int], threads: int, given: Mapping[str, Array]
    ) -> None:
        for at, arg, step in phase.patches:
            match arg.kind:
                case "tensor":
                    frame.args[at] = arrays[arg.name]
                case "fail":
                    frame.args[at] = frame.fails.ctypes.data + 8 * step
                case _:
                    frame.args[at] = frame.status.ctypes.data
        frame.fails[:] = _NONE
        frame.status[:] = 0
        self._walker.run(frame.table, frame.status, frame.times, threads, (frame, given, phase))
        if frame.status[0]:
            self._refuse(phase, frame, given)

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


def _phase(steps: tuple[Step, ...]) -> _Phase:
    args: list[int] = []
    starts: list[int] = []
    patches: list[tuple[int, Arg, int]] = []
    tables: list[NDArray[np.int64]] = []
    table = np.zeros((len(steps), ROW), np.int64)
    for k, step in enumerate(steps):
        table[k, :3] = (address_of(step.kernel), step.iterations, step.chunk)
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
    return _Phase(steps, table, np.array(args or [0], np.int64), starts, patches, tables)


def _placed(arena: Array, places: Mapping[str, int]) -> dict[str, int]:
    """The address of each tensor in an arena."""
    base = arena.ctypes.data
    return {name: base + at for name, at in places.items()}


def _aligned(size: int) -> Array:
    """Bytes that start at a cache line."""
    raw = np.empty(size + 128, np.uint8)
    skip = -raw.ctypes.data % 128
    return raw[skip : skip + size]
