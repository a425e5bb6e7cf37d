"""A file that grows by lines while a run goes on: what the disk does not take waits in memory, and nothing comes twice."""

import json
from pathlib import Path

from indexlang.interop.disk import reason, written_aside
from indexlang.train.watching import Warn


class Lines:
    """Appends lines, each written at once, so that a killed process leaves all that it had seen.

    A failure is told once to `warn`; what waits is tried again with every later line. Only bytes that the system has not
    taken are written again, so that a disk that fills up in the middle of a line leaves it whole in the end.
    """

    def __init__(self, path: Path, warn: Warn) -> None:
        self.path, self.warn = path, warn
        self._waiting = bytearray()
        self._has_warned = False

    def add(self, line: str) -> None:
        """Write a line, or keep it for the next attempt."""
        self._waiting += line.encode("utf-8", errors="replace") + b"\n"
        self.flush()

    def flush(self) -> bool:
        """Write what waits; whether all of it is written."""
        try:
            self._write()
        except (OSError, ValueError) as problem:
            if not self._has_warned:
                self._has_warned = True
                self.warn(f"cannot write {self.path}: {reason(problem)}; training goes on, and tries again")
        return not self._waiting

    def close(self) -> None:
        """The last attempt; lines that are lost with it are told."""
        if not self.flush():
            self.warn(f"{self._waiting.count(10)} lines of {self.path} could not be written")
            self._waiting.clear()

    def _write(self) -> None:
        if not self._waiting:
            return
        with open(self.path, "ab", buffering=0) as file:
            while self._waiting:
                taken = file.write(self._waiting)
                if not taken:
                    raise OSError("the disk takes no more")
                del self._waiting[:taken]


def cut(metrics: Path, step: int, epoch: int) -> None:
    """Leave the lines up to a step, and of epochs before the one that is run again: a resumed run's file ends as that of
    one that was never stopped. Raises DataError E0705.
    """
    if not metrics.exists():
        return
    kept = [line for line in metrics.read_bytes().split(b"\n") if _is_before(line, step, epoch)]
    with written_aside(metrics) as aside:
        aside.write_bytes(b"".join(line + b"\n" for line in kept))


def _is_before(line: bytes, step: int, epoch: int) -> bool:
    try:
        told = json.loads(line)
        return int(told["step"]) <= step and (told["kind"] != "epoch" or int(told["epoch"]) < epoch)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):  # cut short by a kill
        return False


__all__ = ["Lines", "cut"]
