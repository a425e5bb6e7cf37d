"""Runs side by side: interleaved rounds in one process, since absolute times mean little on shared machines."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any

Run = Callable[[], Any]
FEWEST = 3
SECONDS = 2.0  # that one case may take, beyond the fewest rounds
TURN = 0.02  # seconds of counted calls in one turn: more than one of short calls
CALLS = 8  # counted calls in one turn, at most
REST, PATIENCE = 0.002, 0.5  # seconds: a look at the other threads, and how long to wait for them


def interleaved(runs: Mapping[str, Run], rounds: int, seconds: float = SECONDS) -> dict[str, float]:
    """The median milliseconds of a call of each run.

    In a round each run has its turn: once the threads of the others have gone to sleep, a call that is not counted,
    then some that are. Thread pools keep a processor busy for a while after their work is done (OpenBLAS for tens of
    milliseconds): without the rest, whoever comes next pays for it.

    rounds   at most; once `seconds` are spent, no round is begun after the third
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    begun = perf_counter()
    for done in range(rounds):
        if done >= FEWEST and perf_counter() - begun > seconds:
            break
        for name, run in runs.items():
            settle()
            times[name] += _turn(run)
    return {name: median(t) for name, t in times.items()}


def settle() -> None:
    """Sleep until no thread of this process works any more, or patience ends."""
    begun = perf_counter()
    while perf_counter() - begun < PATIENCE:
        wall, worked = perf_counter(), process_time()
        sleep(REST)
        if process_time() - worked < 0.1 * (perf_counter() - wall):
            return


def _turn(run: Run) -> list[float]:
    """Milliseconds of a few calls, after one to get caches and threads back."""
    run()
    found: list[float] = []
    while len(found) < CALLS and sum(found) < 1e3 * TURN:
        start = perf_counter()
        run()
        found.append(1e3 * (perf_counter() - start))
    return found
