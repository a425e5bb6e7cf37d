"""The way in and out of the process: Ctrl-C is caught from the start, and every end has its exit code."""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

INTERRUPTED = 130
GRACE = 1.0  # seconds that a command has to clean up after Ctrl-C
DEAF = 1.5  # seconds after which a command that has not even noticed Ctrl-C is ended


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
    promise is that a command ends soon after Ctrl-C, whatever it was doing. Handlers run between two steps of Python:
    one long piece of native code keeps them waiting, so a thread of its own hears of the signal as well.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None
        self._ears: tuple[int, int] | None = None  # what is written to when the signal arrives, and what was before

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_interrupt)
            if os.name == "posix":
                heard, told = os.pipe()
                os.set_blocking(told, False)
                self._ears = told, signal.set_wakeup_fd(told, warn_on_full_buffer=False)
                threading.Thread(target=_listen, args=(heard,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        if self._ears is not None:
            signal.set_wakeup_fd(self._ears[1])
            os.close(self._ears[0])  # the listener's end of file
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


def _listen(heard: int) -> None:
    """End the process where nobody in the main thread takes notice of Ctrl-C; until the command ends."""
    while signals := os.read(heard, 64):
        if signal.SIGINT in signals and not _is_heeded():
            _leave(INTERRUPTED)
    os.close(heard)


def _is_heeded() -> bool:
    """Whether the handler of now, ours or that of a command, has run within its time."""
    until = time.monotonic() + DEAF
    while time.monotonic() < until:
        owner = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
        if owner is None or getattr(owner, "came", True):
            return True
        time.sleep(0.02)
    return False


def _leave(code: int) -> None:
    """End the process now. An interrupt that passed through `exec` makes Python kill itself at exit; this does not."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError, RuntimeError):
            stream.flush()
    os._exit(code)
