"""Prepare the next item while the last one is used."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(makers: Iterable[Callable[[], T]]) -> Iterator[T]:
    """The items in order, each made in a thread while the one before is used.

    The first error ends it where it belongs in the order. When the consumer stops (Ctrl-C too), at most the item that is
    being made is waited for.
    """
    with ThreadPoolExecutor(1, "indexlang-data") as pool:
        waiting: Future[T] | None = None
        for make in makers:
            following = pool.submit(make)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
