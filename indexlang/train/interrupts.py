"""Ctrl-C while training: the step that runs is finished; while kernels are compiled, the run ends at once."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """While this is open, Ctrl-C sets `came`; a second one raises KeyboardInterrupt.

    In another thread than the main one signals are nobody's business: nothing is changed there.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None
        self._steps = 0
        self._inside = False

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """A step, which is finished; but for the first, which compiles: it has changed nothing that could be lost."""
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
        self._steps += 1

    def _on_interrupt(self, *_: object) -> None:
        if self.came or (self._inside and not self._steps):
            raise KeyboardInterrupt
        self.came = True


__all__ = ["Interrupts"]
