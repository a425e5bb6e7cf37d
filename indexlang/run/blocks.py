"""Memory of results that nobody holds any more, used again: fresh memory costs a page fault every 4 KiB."""

import sys
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALL, _LARGE = 1 << 15, 1 << 26  # bytes: what is smaller costs no fault, what is larger is not worth holding
_HELD = 1 << 27  # bytes that may wait for a next result, at most
_ALIGN = 64
_COUNT = 16  # blocks, at most


class Blocks:
    """Blocks of bytes that were given out. One is free when nothing but this object refers to it.

    Every array, view, memoryview or tensor of another library on a block refers to the block itself, or to an array
    that does: numpy makes the owner of the memory the base of every view. So what anybody can still read is never
    used again, and nobody has to say when he is done.
    """

    def __init__(self, held: int = _HELD) -> None:
        self._held = held
        self._lock = Lock()
        self._blocks: list[NDArray[np.uint8]] = []  # the one used last at the end

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array of any content whose memory nobody else holds.

        cost    1 us; fresh memory is asked of the system only when no block of this size is free
        """
        size = prod(shape) * dtype.itemsize
        if not _SMALL <= size <= _LARGE:
            return np.empty(shape, dtype)
        with self._lock:
            block = self._free(size + _ALIGN)
            start = -block.ctypes.data % _ALIGN
            return block[start : start + size].view(dtype).reshape(shape)

    @property
    def held(self) -> int:
        """Bytes of all blocks that are known, free or not."""
        return sum(len(b) for b in self._blocks)

    def _free(self, size: int) -> NDArray[np.uint8]:
        at = self._alone(size)
        block = self._blocks.pop(at) if at is not None else np.empty(size, np.uint8)
        self._blocks.append(block)
        while (
            self.held > self._held or len(self._blocks) > _COUNT
        ):  # who holds an array on it goes on holding it; it is only not used again
            self._blocks.pop(0)
        return block

    def _alone(self, size: int) -> int | None:
        for k in reversed(range(len(self._blocks))):
            if len(self._blocks[k]) == size and _references(self._blocks, k) == _ALONE:
                return k
        return None


def _references(blocks: list[NDArray[np.uint8]], k: int) -> int:
    return sys.getrefcount(blocks[k])


_ALONE = _references([np.empty(1, np.uint8)], 0)  # of a block that only its list refers to
_blocks = Blocks()
fresh = _blocks.array
