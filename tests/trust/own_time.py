"""The time that a process takes for itself: what a busy machine takes from it is not counted.

A test that asks how soon a process ends would otherwise fail on machines that do other things. A process that goes on
computing, or sleeps, is found all the same. Left out is only time in which it wanted a processor and had none, and time in
which this process, which only sleeps and looks, was not woken either: of those, what it computed counts.
"""

import os
import subprocess
import time
from pathlib import Path

LOOK = 0.02  # seconds between two looks
LATE = 0.05  # longer between two looks: nobody was running
MOST = 300.0  # seconds of the wall clock, after which a process does not end at all
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def seconds_until_end(process: "subprocess.Popen[str]") -> float:
    """Wait for the end, and say how long that took, without what a busy machine took.

    A process that has not ended after 300 s is killed; the seconds are more than any promise then.
    """
    began = last = time.monotonic()
    own, before = 0.0, _computed(process.pid)
    while process.poll() is None:
        if last - began > MOST:
            process.kill()
            return last - began
        time.sleep(LOOK)
        now, after = time.monotonic(), _computed(process.pid)
        busiest = max((seconds - before.get(thread, 0.0) for thread, seconds in after.items()), default=0.0)
        own += busiest if now - last > LATE or _wants_a_processor(process.pid) else now - last
        last, before = now, after
    return own


def processor_seconds(process: "subprocess.Popen[str]") -> float | None:
    """What the process has used of processors until now; None where the system does not say."""
    try:
        told = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(told[11]) + int(told[12])) / TICKS


def let_compute(process: "subprocess.Popen[str]", seconds: float) -> None:
    """Until the process has used so many seconds of processors, or ended; where that is not told, so many seconds."""
    until = time.monotonic() + MOST
    if processor_seconds(process) is None:
        time.sleep(seconds)
        return
    while process.poll() is None and time.monotonic() < until and (processor_seconds(process) or 0.0) < seconds:
        time.sleep(LOOK)


def _computed(pid: int) -> dict[str, float]:
    """Thread → the seconds for which it had a processor; empty where the system does not say."""
    found: dict[str, float] = {}
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            found[path.parent.name] = int(path.read_text().split()[0]) / 1e9
        except (OSError, ValueError, IndexError):  # a thread that has just ended
            continue
    return found


def _wants_a_processor(pid: int) -> bool:
    """Whether one of its threads runs, or would if it were let."""
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            if path.read_text().rpartition(")")[2].split()[0] == "R":
                return True
        except (OSError, IndexError):
            continue
    return False
