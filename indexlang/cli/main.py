"""The way in and out of the process: Ctrl-C is caught from the start, and every end has its exit code."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

INTERRUPTED = 130
GRACE = 1.0  # seconds that a command has to clean up after Ctrl-C


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    gc.set_threshold(
        100_000
    )  # imports and checking make many objects that stay: collecting saves nothing and takes 20 ms
    interrupts = _Interrupts()
    try:
        with interrupts:
            app: Any = import_module("indexlang.cli.app")  # loads click: Ctrl-C may come before
            code = app.outcome(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        code = INTERRUPTED
    if interrupts.came:
        _leave(INTERRUPTED)
    sys.exit(code)


class _Interrupts:
    """While this is open, Ctrl-C raises KeyboardInterrupt once, and ends the process if nothing heeds it.

    Libraries swallow an interrupt now and then (a bare `except` while compiling, a callback from native code); the
    promise is that a command ends soon after Ctrl-C, whatever it was doing.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_interrupt)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _on_interrupt(self, *_: object) -> None:
        if self.came:
            _leave(INTERRUPTED)
        self.came = True
        last_word = threading.Timer(GRACE, _leave, (INTERRUPTED,))
        last_word.daemon = True
        last_word.start()
        raise KeyboardInterrupt


def _leave(code: int) -> None:
    """End the process now. An interrupt that passed through `exec` makes Python kill itself at exit; this does not."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    os._exit(code)
