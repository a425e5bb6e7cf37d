"""Ctrl-C while training: the step that runs is finished, or given up if it takes long; what was reached is saved.

While kernels are compiled, the run ends at once.
"""

import signal
import threading
from _thread import interrupt_main
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

PATIENCE = 0.6  # seconds that a step has to end by itself after Ctrl-C
LAST_WORD = 0.3  # … and then, before whoever heeded Ctrl-C before us is asked to end the process


class Interrupts:
    """While this is open, Ctrl-C sets `came`; a second one raises KeyboardInterrupt.

    gave_up  the step that ran was left for good after Ctrl-C; it has changed nothing
    In another thread than the main one signals are nobody's business: nothing is changed there.
    """

    def __init__(self) -> None:
        self.came = False
        self.gave_up = False
        self._before: Any = None
        self._steps = 0
        self._inside = False
        self._impatient = False

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
        if self._impatient:
            self._impatient = False
            if self._inside:
                self.gave_up = True
                raise KeyboardInterrupt
            return
        if self.came or (self._inside and not self._steps):
            raise KeyboardInterrupt
        self.came = True
        if self._inside:
            self._later(PATIENCE, self._lose_patience)

    def _lose_patience(self) -> None:
        """Interrupt the step; kernels are left between two pieces of their work."""
        if self._inside:
            self._impatient = True
            interrupt_main()
            self._later(LAST_WORD, self._hand_on)

    def _hand_on(self) -> None:
        """A piece that does not end: the command line, whose handler was there before us, leaves the process."""
        if self._inside and callable(self._before):
            try:
                self._before(signal.SIGINT, None)
            except KeyboardInterrupt:
                return

    def _later(self, seconds: float, what: Any) -> None:
        timer = threading.Timer(seconds, what)
        timer.daemon = True
        timer.start()


__all__ = ["Interrupts"]
