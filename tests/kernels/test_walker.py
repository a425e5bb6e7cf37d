"""The plan walker: every chunk once, steps in order, whatever the threads; failures, interruption, forks."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding as llvm

from indexlang.kernels import turns
from indexlang.kernels.loader import load
from indexlang.kernels.machine import target_machine
from indexlang.kernels.walker import FAILED, INTERRUPTED, STATUS_WORDS, Walker

# args: [cells, previous, failing, status, spin]: each iteration i adds 1 to cells[i], fails where i >= failing,
# and stores into previous[0] + i the sum over the step before, to show that steps are in order.
WORKER = """
define void @NAME(i64 %start, i64 %stop, ptr %args) {
entry:
    %cells = load ptr, ptr %args
    %failing_at = getelementptr i64, ptr %args, i64 1
    %failing = load i64, ptr %failing_at
    %status_at = getelementptr i64, ptr %args, i64 2
    %status = load ptr, ptr %status_at
    %spin_at = getelementptr i64, ptr %args, i64 3
    %spin = load i64, ptr %spin_at
    %minimum_at = getelementptr i64, ptr %args, i64 4
    %minimum = load ptr, ptr %minimum_at
    br label %loop
loop:
    %i = phi i64 [ %start, %entry ], [ %i1, %next ]
    %more = icmp slt i64 %i, %stop
    br i1 %more, label %body, label %end
body:
    %cell = getelementptr i64, ptr %cells, i64 %i
    br label %busy
busy:
    %k = phi i64 [ 0, %body ], [ %k1, %busy ]
    %k1 = add i64 %k, 1
    %old = load volatile i64, ptr %cell
    %idle = icmp slt i64 %k1, %spin
    br i1 %idle, label %busy, label %work
work:
    %new = add i64 %old, 1
    store volatile i64 %new, ptr %cell
    %bad = icmp sge i64 %i, %failing
    br i1 %bad, label %fail, label %next
fail:
    %was = atomicrmw min ptr %minimum, i64 %i seq_cst
    store i64 1, ptr %status
    br label %next
next:
    %i1 = add i64 %i, 1
    br label %loop
end:
    ret void
}
"""

NEVER = 1 << 60


@pytest.fixture(scope="module")
def worker() -> int:
    code = target_machine().emit_object(llvm.parse_assembly(WORKER.replace("NAME", "counting_worker")))
    return load(code, "counting_worker")


class Plan:
    """Some steps of the counting worker, all on the same cells."""

    def __init__(
        self, worker: int, steps: list[tuple[int, int]], failing: int = NEVER, spin: int = 1, fails_at: int = -1
    ):
        self.cells = np.zeros(max([n for n, _ in steps], default=0) + 1, np.int64)
        self.status = np.zeros(STATUS_WORDS, np.int64)
        self.minimum = np.full(1, NEVER, np.int64)
        self.times = np.zeros(len(steps) + 1, np.int64)
        self.args = np.zeros((len(steps), 5), np.int64)
        self.args[:] = [self.cells.ctypes.data, NEVER, self.status.ctypes.data, spin, self.minimum.ctypes.data]
        if steps:
            self.args[fails_at, 1] = failing
        self.table = np.zeros((len(steps), 4), np.int64)
        for s, (iterations, chunk) in enumerate(steps):
            self.table[s] = worker, iterations, chunk, self.args[s].ctypes.data
        self.expected = np.zeros_like(self.cells)
        for n, _ in steps:
            self.expected[:n] += 1

    def run(self, threads: int) -> None:
        Walker().run(self.table, self.status, self.times, threads, keep=self)


THREADS = [1, 2, 3, 5]
STEPS = [
    [],
    [(0, 1)],
    [(1, 1)],
    [(1, 100)],
    [(100, 1), (0, 5), (0, 1), (99, 7), (3, 1000)],
    [(10, 3)] * 2000,
    [(0, 3)] * 2000,
    [(5, 0), (5, -1)],
    [(1000, -7), (0, -1), (999, 10), (1000, -1000), (3, -5), (50, 1)] * 20,
]


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: f"{len(steps)} steps {str(steps)[:40]}")
def test_every_iteration_of_every_step_runs_once(worker: int, steps: list[tuple[int, int]], threads: int):
    plan = Plan(worker, steps)
    for turn in range(1, 4):
        plan.run(threads)
        assert np.array_equal(plan.cells, plan.expected * turn)
        assert plan.status[0] == 0
        assert np.all(np.diff(plan.times) >= 0)
        assert np.all(plan.times > 0)


def test_memory_is_free_when_a_run_is_over_though_helpers_stay_awake(worker: int):
    plans = [Plan(worker, [(10, 1)] * 3) for _ in range(50)]
    alive = [weakref.ref(plan) for plan in plans]
    while plans:
        plans.pop().run(3)
    deadline = time.monotonic() + 10
    while any(plan() is not None for plan in alive) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(plan() is None for plan in alive)


ORDER = """
define void @ordered(i64 %start, i64 %stop, ptr %args) {
    %own_at = getelementptr i64, ptr %args, i64 1
    %from = load ptr, ptr %args
    %to = load ptr, ptr %own_at
    %length_at = getelementptr i64, ptr %args, i64 2
    %length = load i64, ptr %length_at
    br label %loop
loop:
    %i = phi i64 [ %start, %0 ], [ %i1, %store ]
    br label %sum
sum:
    %k = phi i64 [ 0, %loop ], [ %k1, %sum ]
    %t = phi i64 [ 0, %loop ], [ %t1, %sum ]
    %at = getelementptr i64, ptr %from, i64 %k
    %v = load i64, ptr %at
    %t1 = add i64 %t, %v
    %k1 = add i64 %k, 1
    %more = icmp slt i64 %k1, %length
    br i1 %more, label %sum, label %store
store:
    %own = getelementptr i64, ptr %to, i64 %i
    %mod = urem i64 %t1, 1000003
    %val = add i64 %mod, %i
    store i64 %val, ptr %own
    %i1 = add i64 %i, 1
    %go = icmp slt i64 %i1, %stop
    br i1 %go, label %loop, label %end
end:
    ret void
}
"""


@pytest.mark.parametrize("threads", THREADS)
def test_a_step_sees_all_of_the_step_before(threads: int):
    code = target_machine().emit_object(llvm.parse_assembly(ORDER))
    address, width, steps = load(code, "ordered"), 17, 3000
    rows = np.zeros((2, width), np.int64)
    rows[0] = np.arange(width)
    args = np.array([[rows[s % 2].ctypes.data, rows[(s + 1) % 2].ctypes.data, width] for s in range(steps)], np.int64)
    table = np.array([[address, width, 2, args[s].ctypes.data] for s in range(steps)], np.int64)
    expected = np.arange(width)
    for _ in range(steps):
        expected = expected.sum() % 1000003 + np.arange(width)
    Walker().run(table, np.zeros(STATUS_WORDS, np.int64), np.zeros(steps + 1, np.int64), threads)
    assert np.array_equal(rows[steps % 2], expected)


LISTING = """
define void @listing(i64 %start, i64 %stop, ptr %args) {
    %cells = load ptr, ptr %args
    br label %loop
loop:
    %i = phi i64 [ %start, %0 ], [ %i1, %loop ]
    %count = load i64, ptr %cells
    %more = add i64 %count, 1
    store i64 %more, ptr %cells
    %place = getelementptr i64, ptr %cells, i64 %more
    store i64 %i, ptr %place
    %i1 = add i64 %i, 1
    %go = icmp slt i64 %i1, %stop
    br i1 %go, label %loop, label %end
end:
    ret void
}
"""


@pytest.mark.parametrize("threads", THREADS)
def test_a_negative_chunk_means_pieces_in_order_on_one_thread(threads: int):
    code = target_machine().emit_object(llvm.parse_assembly(LISTING))
    count = 20_000
    cells = np.zeros(count + 1, np.int64)
    args = np.array([cells.ctypes.data], np.int64)
    table = np.array([[load(code, "listing"), count, -3, args.ctypes.data]], np.int64)
    for _ in range(20):
        cells[:] = 0
        Walker().run(table, np.zeros(STATUS_WORDS, np.int64), np.zeros(2, np.int64), threads)
        assert cells[0] == count
        assert np.array_equal(cells[1:], np.arange(count))


def test_several_python_threads_at_once(worker: int):
    plans = [Plan(worker, [(50, 3)] * 100, spin=20) for _ in range(4)]

    def many(plan: Plan) -> None:
        for _ in range(50):
            plan.run(2)

    threads = [threading.Thread(target=many, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for plan in plans:
        assert np.array_equal(plan.cells, plan.expected * 50)


@pytest.mark.parametrize("threads", THREADS)
def test_a_failing_step_is_finished_and_the_next_not_begun(worker: int, threads: int):
    for failing in (0, 1, 500, 999):
        plan = Plan(worker, [(1000, 1), (1000, 1), (1000, 1)], failing=failing, fails_at=1)
        plan.run(threads)
        assert plan.status[0] == FAILED
        assert plan.minimum[0] == failing
        assert np.all(plan.cells[:1000] == 2)
        assert plan.times[3] == 0


def test_nothing_runs_when_the_status_is_set(worker: int):
    plan = Plan(worker, [(10, 1)])
    plan.status[0] = INTERRUPTED
    plan.run(2)
    assert not plan.cells.any()


@pytest.mark.parametrize("threads", THREADS)
def test_another_thread_can_end_a_run(worker: int, threads: int):
    plan = Plan(worker, [(10_000_000, 1)] * 10, spin=1000)
    threading.Timer(0.1, lambda: plan.status.__setitem__(0, INTERRUPTED)).start()
    begin = time.monotonic()
    plan.run(threads)
    assert time.monotonic() - begin < 2
    done = plan.cells.sum()
    time.sleep(0.05)
    assert plan.cells.sum() == done > 0


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt: a shell's background jobs are started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("chunk", [1, -1])
def test_keyboard_interrupt_ends_a_run(worker: int, threads: int, chunk: int):
    plan = Plan(worker, [(10_000_000, chunk)] * 10, spin=1000)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    begin = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        plan.run(threads)
    assert time.monotonic() - begin < 2
    assert plan.status[0] == INTERRUPTED
    done = plan.cells.sum()
    time.sleep(0.05)
    assert plan.cells.sum() == done > 0


def test_a_long_run_pauses_and_goes_on(worker: int):
    plan = Plan(worker, [(300, 1)] * 3, spin=2_000_000)
    plan.run(2)
    assert plan.times[-1] - plan.times[0] > 100_000_000
    assert np.array_equal(plan.cells, plan.expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_its_own_helpers(worker: int):
    Plan(worker, [(100, 1)] * 10).run(3)
    child = os.fork()
    if child == 0:
        plan = Plan(worker, [(100, 1)] * 1000)
        plan.run(3)
        os._exit(0 if np.array_equal(plan.cells, plan.expected) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_process_ends_while_helpers_wait():
    text = """
import sys
sys.path.insert(0, sys.argv[1])
import test_walker as t
code = t.target_machine().emit_object(t.llvm.parse_assembly(t.WORKER.replace('NAME', 'w')))
t.Plan(t.load(code, 'w'), [(100, 1)] * 10).run(3)
assert 'numba' not in sys.modules
"""
    command = [sys.executable, "-c", text, str(Path(__file__).parent)]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("wrong", ["table", "status", "times"])
def test_arrays_of_the_wrong_kind_are_refused(worker: int, wrong: str):
    plan = Plan(worker, [(10, 1)])
    setattr(plan, wrong, getattr(plan, wrong).astype(np.int32))
    with pytest.raises(ValueError, match=wrong):
        plan.run(1)


class Memory:
    def __init__(self):
        self.held: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    def put(self, key: str, payload: bytes) -> None:
        self.held[key] = payload


def test_the_walker_itself_is_cached(worker: int):
    store = Memory()
    Walker(store)
    (code,) = store.held.values()
    plan = Plan(worker, [(10, 1)])
    Walker(store).run(plan.table, plan.status, plan.times, 2)
    assert list(store.held.values()) == [code]
    assert np.array_equal(plan.cells, plan.expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("pieces", [[3], [2, 0, 3], [1] * 40])
def test_a_worker_of_workers_does_every_row_of_its_piece(worker: int, pieces: list[int], threads: int):
    begins = np.cumsum([0, *pieces])
    rows = np.zeros((begins[-1], turns.ROW), np.int64)
    own = Plan(worker, [(7 + r % 5, (1, 3, -4, 100)[r % 4]) for r in range(len(rows))])
    rows[:, :4] = own.table
    plan = Plan(worker, [(len(pieces), 1)])
    args = np.array([rows.ctypes.data, begins.ctypes.data, plan.status.ctypes.data], np.int64)
    plan.table[0, 0], plan.table[0, 3] = turns.worker(None), args.ctypes.data
    plan.run(threads)
    assert plan.status[0] == 0
    assert np.all(rows[:, 4] > 0)
    if threads == 1:  # cells are shared: several threads may lose what others add
        assert np.array_equal(own.cells, own.expected)
    before = own.cells.copy()
    plan.status[0] = INTERRUPTED
    turns_worker = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(turns.worker(None))
    turns_worker(0, len(pieces), args.ctypes.data)
    assert np.array_equal(own.cells, before)
