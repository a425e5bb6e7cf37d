"""Runs side by side: interleaved rounds in one process, since absolute times mean little on shared machines."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

Run = Callable[[], Any]


def interleaved(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """The median milliseconds of each run, one call of each a round, after one call that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = perf_counter()
            run()
            times[name].append(1e3 * (perf_counter() - start))
    return {name: median(t) for name, t in times.items()}


def least(runs: Mapping[str, Run], rounds: int) -> dict[str, float]:
    """The least milliseconds of each run: for short cases, where a disturbance only ever adds."""
    best: dict[str, float] = dict.fromkeys(runs, float("inf"))
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = perf_counter()
            run()
            best[name] = min(best[name], 1e3 * (perf_counter() - start))
    return best
