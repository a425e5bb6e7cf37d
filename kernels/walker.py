"""The plan walker: all threads go down one table of steps, each in one native call. Needs llvmlite, not numba.

A step is a worker (see `toolchain`), a number of iterations, a chunk size and an argument block. Threads take chunks
by an atomic counter, which balances noisy cores by itself, and meet after each step. Chunk borders come from the table
alone, so results do not depend on the number of threads. Nothing is ever waited for in a lock: a run ends when its
chunks are done, whether or not any helper came.
"""

import ctypes
import hashlib
import os
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from queue import SimpleQueue

import llvmlite.binding as llvm
import numpy as np

from indexlang.kernels.loader import Cache, load
from indexlang.kernels.machine import cpu_key, target_machine
from indexlang.kernels.optimizer import WRITING
from indexlang.kernels.tiles import kept
from indexlang.kernels.walker_ir import ACTIVE, BELL, CLOSE, HEAD, HELP, LEAVE, STEP, SYMBOL, walker_ir

# One row of a plan's table, int64: worker address, iterations, chunk, address of the worker's int64 arguments.
# A negative chunk: pieces of that size in order, all on the caller's thread, so that a serial step can be interrupted.
ROW = 4
# Words of `status`: 0 a worker failed; 2 somebody wants the run to end. See `Walker.run`.
STATUS_WORDS = 8
FAILED, INTERRUPTED = 1, 2

# The caller comes up for air this often (ns), so that Python can deliver a KeyboardInterrupt.
_PERIOD = 50_000_000
_NO_END = 1 << 62


class Walker:
    """Runs plans. Walkers share the native code and the helper threads of the process; any thread may use any."""

    def __init__(self, store: Cache | None = None) -> None:
        self._walk = _native_walk(store)

    def run(self, table: np.ndarray, status: np.ndarray, times: np.ndarray, threads: int, keep: object = None) -> None:
        """Execute every step of `table` in order, on the calling thread and up to `threads - 1` helpers.

        shapes  table (steps, 4), status (8,), times (steps + 1,); int64, C order. `keep` is held while a helper
                may still touch the memory that the table points to
        status  a worker that finds a failure stores 1 into status[0]: its step is still completed, so that the
                smallest failing position it collects (`lang.atomic_min`) is the same on every run; no later step
                starts. A 2 in status[0], from any thread, ends the run before the next chunk of each thread.
                Nothing runs when status[0] is not 0 at the start.
        times   times[0] when the run began, times[s + 1] when step s ended, in ns of the monotonic clock; steps
                that did not run keep what they had
        cost    about 5 us for a plan of three tiny steps; each step about 0.1 us on one thread, 1 to 2 us on two
        errors  KeyboardInterrupt and other exceptions of signal handlers end the run within a chunk and are passed on
        """
        steps = _check(table, status, times)
        pool = _pool
        control = np.zeros(HEAD + STEP * steps, np.int64)
        control[BELL] = pool.bell.ctypes.data
        job = _Job(self._walk, table, steps, control, status, times, keep)
        step = 0
        try:
            times[0] = time.monotonic_ns()  # before any helper can finish a step
            if threads > 1 and steps:
                pool.call(job, threads - 1)
            while step < steps:
                step = self._walk(*job.addresses, step, _PERIOD)
        except BaseException:
            job.stop()
            status[0] = INTERRUPTED
            raise
        finally:
            job.retire()

    def run_alone(self, tables: "Tables") -> None:
        """The same on the calling thread alone: no helper ever sees the memory, so all of it is used again.

        cost    about 3 us for a plan of three tiny steps
        errors  exceptions of signal handlers end the run before the next chunk and are passed on
        """
        tables.control.fill(0)
        tables.times[0] = time.monotonic_ns()
        step = 0
        while step < tables.steps:
            step = self._walk(*tables.addresses, step, _PERIOD)


class Tables:
    """What one run after the other uses, with addresses looked up once: the arguments of `Walker.run`."""

    def __init__(self, table: np.ndarray, status: np.ndarray, times: np.ndarray) -> None:
        self.steps = _check(table, status, times)
        self.table, self.status, self.times = table, status, times
        self.control = np.zeros(HEAD + STEP * self.steps, np.int64)
        arrays = (self.control, status, times)
        self.addresses = (table.ctypes.data, self.steps, *(a.ctypes.data for a in arrays))


class _Job:
    """One run as helpers see it. They look at `control` first: once it says that the run is over, at nothing else.

    memory  held while a helper may be inside; a helper that stays awake behind the run holds `control` only
    """

    def __init__(self, walk, table, steps, control, status, times, keep):
        self.walk = walk
        self.control = control
        self.addresses = (table.ctypes.data, steps, control.ctypes.data, status.ctypes.data, times.ctypes.data)
        self.memory = (table, status, times, keep)

    def help(self) -> None:
        if self.control[0]:
            return
        self.walk(*self.addresses, HELP, _NO_END)
        if self.control[0] and not self.control[ACTIVE]:
            self.memory = None

    def stop(self) -> None:
        """End an unfinished run: helpers leave before their next chunk, and are waited for."""
        self.walk(*self.addresses, CLOSE, _NO_END)

    def retire(self) -> None:
        """Send helpers away that come too late, and let go of the memory; where one is slow to go, it does that."""
        if self.walk(*self.addresses, LEAVE, _NO_END):
            self.memory = None


class _Pool:
    """Daemon threads that wait for jobs. Made on first use, shared by the process, made anew after a fork."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.helpers: list[threading.Thread] = []
        self.shunned = -1  # the core on which no helper runs
        self.bell = np.zeros(8, np.int64)  # raised by every run: helpers that are awake listen
        self.lock = threading.Lock()

    def call(self, job: _Job, wanted: int) -> None:
        """Offer `job` to `wanted` helpers; when they are busy, the job goes on without them."""
        if len(self.helpers) < wanted:
            self._grow(wanted)
        if _here is not None and (core := _here()) != self.shunned:
            self._leave_alone(core)
        for _ in range(min(wanted, 2 * len(self.helpers) - self.jobs.qsize())):
            self.jobs.put(job)

    def _grow(self, wanted: int) -> None:
        with self.lock:
            while len(self.helpers) < wanted:
                name = f"indexlang-{len(self.helpers) + 1}"
                thread = threading.Thread(target=_serve, args=(self.jobs, self.bell), name=name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # no more threads to be had: fewer helpers, same results
                    return
                self.helpers.append(thread)
                self.shunned = -1

    def _leave_alone(self, core: int) -> None:
        """Keep helpers off the core that the caller is on.

        A thread that wakes goes to the core where it was before. If that is the caller's, it waits there for
        milliseconds before the system moves it, in every call again: short runs would have one thread.
        """
        with self.lock, suppress(OSError):
            self.shunned = core
            cores = os.sched_getaffinity(0)
            for thread in self.helpers:
                if thread.native_id:
                    os.sched_setaffinity(thread.native_id, cores - {core} or cores)


def _serve(jobs: "SimpleQueue[_Job]", bell: np.ndarray) -> None:
    """A helper's life. It holds the bell, to which it listens after each run."""
    while True:
        jobs.get().help()


_pool = _Pool()
# The core of the calling thread, where helpers can be told to go elsewhere. PyDLL: the call is shorter than giving the
# interpreter away.
_here = ctypes.PyDLL(None).sched_getcpu if sys.platform == "linux" else None


def _forget_helpers() -> None:
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)


def _check(table: np.ndarray, status: np.ndarray, times: np.ndarray) -> int:
    """The number of steps; ValueError when the arrays are not what native code expects."""
    steps = len(table)
    for name, array, shape in (
        ("table", table, (steps, ROW)),
        ("status", status, (8,)),
        ("times", times, (steps + 1,)),
    ):
        if array.dtype != np.int64 or array.shape != shape or not array.flags.c_contiguous:
            raise ValueError(f"{name} must be a C-ordered int64 array of shape {shape}")
    return steps


@cache
def _native_walk(store: Cache | None):
    """The native function, compiled (about 10 ms) or from `store` (about 1 ms), as a ctypes call without the GIL."""
    with WRITING:
        text = walker_ir()
    key = "walker_" + hashlib.sha256(f"{cpu_key()} {text}".encode()).hexdigest()
    code = kept(store, key, lambda: target_machine().emit_object(llvm.parse_assembly(text)))
    address, number = ctypes.c_void_p, ctypes.c_int64
    return ctypes.CFUNCTYPE(number, address, number, address, address, address, number, number)(load(code, SYMBOL))
