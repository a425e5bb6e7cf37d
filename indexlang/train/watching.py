"""What watchers have in common: they never end a run, and are closed when it ends, however it ends."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol, runtime_checkable

from indexlang.interop.streams import encoding
from indexlang.text.render import clean
from indexlang.train.events import Watcher

Warn = Callable[[str], None]


@runtime_checkable
class Closes(Protocol):
    """A watcher that has something to put in order when a run ends without a last event: a lost number, a second Ctrl-C."""

    def close(self) -> None:
        """May come twice, and after the last event too."""
        ...


def close_all(watchers: Iterable[Watcher]) -> None:
    """Close those that can be. A second call does nothing more."""
    for watcher in watchers:
        if isinstance(watcher, Closes):
            watcher.close()


def warn_on_stderr(message: str) -> None:
    """Say what went wrong, to whoever may read it; a stderr that is closed or full is nobody's business."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(clean(f"warning: {message}", encoding(sys.stderr)) + "\n")


__all__ = ["Closes", "Warn", "close_all", "warn_on_stderr"]
