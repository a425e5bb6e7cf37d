"""A table that keeps what was used last."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, made when they are first asked for; beyond `limit` the one used longest ago goes.

    May be used from several threads: a value is made once, the others wait for it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = RLock()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: K) -> V | None:
        """The value, if it is there."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
            return found

    def put(self, key: K, value: V) -> None:
        """Keep a value that was made already."""
        self.get(key, lambda: value)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value, made if it is not there."""
        with self._lock:
            found = self.find(key)
            if found is None:
                found = self._values[key] = make()
                while len(self._values) > self._limit:
                    self._values.popitem(last=False)
            return found
