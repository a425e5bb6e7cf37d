"""From generated source to an address: in this process, from the store, or compiled now."""

import threading
from collections.abc import Sequence

from indexlang import __version__
from indexlang.emit.guard import check_source
from indexlang.emit.kernel import KernelText
from indexlang.emit.store import Store, default_folder
from indexlang.kernels.contract import tiles_in
from indexlang.kernels.loader import LoadError, cpu_key, load
from indexlang.kernels.optimizer import WRITING
from indexlang.kernels.tiles import tile_code
from indexlang.run.crew import each

_FORMAT = "5"  # changes when equal sources no longer mean equal objects
_lock = threading.Lock()
_addresses: dict[str, int] = {}
_stores: list[Store] = []


def store() -> Store:
    """The process's store of kernels."""
    if not _stores:
        _stores.append(Store(default_folder()))
    return _stores[0]


def addresses_of(kernels: Sequence[KernelText], threads: int) -> list[int]:
    """The addresses of workers. What neither this process nor the store has is compiled, by several threads.

    cost  0.05 to 0.2 s a kernel to compile, 0.5 ms to load from the store, nothing the second time
    """
    with _lock:
        _load_all({k.key: k for k in kernels if k.key not in _addresses}, threads)
        return [_addresses[k.key] for k in kernels]


def _load_all(new: dict[str, KernelText], threads: int) -> None:
    """Put the addresses of `new` kernels into the table; `codes` is filled by all threads."""
    codes = {key: code for key, kernel in new.items() if (code := store().get(_key(kernel))) is not None}

    def build(kernel: KernelText) -> None:
        codes[kernel.key] = code = _compile(kernel)
        store().put(_key(kernel), code)

    missing = [kernel for key, kernel in new.items() if key not in codes]
    each(build, missing, threads)
    tiles = {tile.name: tile for kernel in missing for tile in tiles_in(codes[kernel.key])}
    each(lambda tile: tile_code(tile, store()), tiles.values(), threads)
    for key, kernel in new.items():
        _addresses[key] = _load(codes[key], kernel)


def _load(code: bytes, kernel: KernelText) -> int:
    try:
        return load(code, kernel.symbol, store())
    except LoadError:  # an object of another toolchain: compile anew
        code = _compile(kernel)
        store().put(_key(kernel), code)
        return load(code, kernel.symbol, store())


def _compile(kernel: KernelText) -> bytes:
    with WRITING:  # syntax trees of Python too are for one thread at a time
        check_source(kernel.source)
    path = store().put_source(kernel.key, kernel.source)
    from indexlang.kernels.toolchain import compile_worker  # numba: only where something must be compiled

    return compile_worker(kernel.source, str(path or f"<{kernel.symbol}>"), kernel.symbol)


def _key(kernel: KernelText) -> str:
    return f"{_FORMAT}-{__version__}-{cpu_key()}-{kernel.key}"
