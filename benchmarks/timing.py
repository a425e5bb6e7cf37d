"""Runs side by side: interleaved rounds in one process, since absolute times mean little on shared machines."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

Run = Callable[[], Any]
FEWEST = 3
SECONDS = 2.0  # that one case may take, beyond the fewest rounds


def interleaved(runs: Mapping[str, Run], rounds: int, seconds: float = SECONDS) -> dict[str, float]:
    """The median milliseconds of each run, one call of each a round, after one call that is not counted.

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
            start = perf_counter()
            run()
            times[name].append(1e3 * (perf_counter() - start))
    return {name: median(t) for name, t in times.items()}
