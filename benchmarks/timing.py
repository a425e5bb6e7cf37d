"""Runs side by side: interleaved rounds in one process, since absolute times mean little on shared machines."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any

Run = Callable[[], Any]
FEWEST = 3
SECONDS = 2.0  # that one case may take, beyond the fewest rounds
_NAP, _LONGEST = 0.03, 0.6  # seconds: a system counts what other cores have done with every tick, of 10 ms at most
_CALLS, _TURN = 5, 0.02  # calls, and seconds after which no other is begun, in a turn


def interleaved(runs: Mapping[str, Run], rounds: int, seconds: float = SECONDS) -> dict[str, float]:
    """The median milliseconds of each run, a few calls of each a round.

    Before each, the threads of the others come to rest: they spin for up to 0.1 s in case of another call, and would
    take a core from whoever is next. Then comes a call that is not counted, after which its own threads are awake.

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
            _rest()
            run()
            turn = perf_counter()
            for _ in range(_CALLS):
                start = perf_counter()
                run()
                times[name].append(1e3 * (perf_counter() - start))
                if perf_counter() - turn > _TURN:
                    break
    return {name: median(t) for name, t in times.items()}


def _rest() -> None:
    """Wait until no thread of this process computes."""
    begun = perf_counter()
    while perf_counter() - begun < _LONGEST:
        used = process_time()
        sleep(_NAP)
        if process_time() - used < _NAP / 8:
            return
