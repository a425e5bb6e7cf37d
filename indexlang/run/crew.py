"""Work shared among threads, of which the caller is one."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def each(work: Callable[[T], object], items: Iterable[T], threads: int) -> None:
    """`work(item)` for all items, on at most `threads` threads.

    errors  the first exception ends the work behind the items that are begun, and is passed on; so is Ctrl-C
    """
    left = deque(items)
    troubles: list[BaseException] = []

    def go() -> None:
        while left and not troubles:
            try:
                work(left.popleft())
            except IndexError as empty:
                if left:
                    troubles.append(empty)
            except BaseException as trouble:  # also of a helper, where nobody else would hear of it
                troubles.append(trouble)

    helpers = [threading.Thread(target=go, daemon=True) for _ in range(min(threads, len(left)) - 1)]
    try:
        for helper in helpers:
            helper.start()
        go()
        for helper in helpers:
            helper.join()
    finally:
        left.clear()
    if troubles:
        raise troubles[0]
