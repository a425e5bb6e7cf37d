"""The functions of register tiles, compiled once and shared by all kernels that call them. Needs llvmlite, not numba.

A tile takes LLVM longer than all else in a kernel, and a network of fifty kernels has six different ones.
"""

import hashlib
from collections.abc import Callable
from typing import Protocol

from indexlang.kernels.machine import cpu_key
from indexlang.kernels.optimizer import WRITING, emitted, optimize, parsed
from indexlang.kernels.tile_ir import Tile, tile_ir


class Cache(Protocol):
    """Where object code may be kept (`emit.store.Store` fits)."""

    def get(self, key: str, /) -> bytes | None:
        """What was put under the key, or None."""
        ...

    def put(self, key: str, payload: bytes, /) -> None:
        """Keep it, if that can be done."""
        ...


def kept(store: Cache | None, key: str, make: Callable[[], bytes]) -> bytes:
    """What `store` has under the key, or what is made now, and kept if there is a store."""
    code = store.get(key) if store is not None else None
    if code is None:
        code = make()
        if store is not None:
            store.put(key, code)
    return code


def tile_code(tile: Tile, store: Cache | None) -> bytes:
    """Object code that defines the function `tile.name`: from `store`, or compiled now.

    cost  0.1 to 0.2 s to compile, 0.3 ms from the store
    """
    key = f"{tile.name}_{hashlib.sha256(cpu_key().encode()).hexdigest()}"
    return kept(store, key, lambda: _compiled(tile))


def _compiled(tile: Tile) -> bytes:
    with WRITING:
        text = tile_ir(tile)
    module = parsed(text)
    optimize(module, tile.name)
    return emitted(module)
