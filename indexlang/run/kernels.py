"""From generated source to an address: in this process, from the store, or compiled now."""

import threading

from indexlang import __version__
from indexlang.emit.guard import check_source
from indexlang.emit.kernel import KernelText
from indexlang.emit.store import Store, default_folder
from indexlang.kernels.loader import LoadError, cpu_key, load

_FORMAT = "5"  # changes when equal sources no longer mean equal objects
_lock = threading.Lock()
_addresses: dict[str, int] = {}
_stores: list[Store] = []


def store() -> Store:
    """The process's store of kernels."""
    if not _stores:
        _stores.append(Store(default_folder()))
    return _stores[0]


def address_of(kernel: KernelText) -> int:
    """The address of a worker, compiled at most once a structure.

    cost  0.05 to 0.2 s to compile, 3 ms to load from the store, nothing the second time
    """
    with _lock:
        found = _addresses.get(kernel.key)
        if found is None:
            found = _addresses[kernel.key] = _load(kernel)
        return found


def _load(kernel: KernelText) -> int:
    kept = store()
    key = f"{_FORMAT}-{__version__}-{cpu_key()}-{kernel.key}"
    code = kept.get(key)
    if code is not None:
        try:
            return load(code, kernel.symbol, kept)
        except LoadError:
            pass  # an object of another toolchain: compile anew
    code = _compile(kernel)
    kept.put(key, code)
    return load(code, kernel.symbol, kept)


def _compile(kernel: KernelText) -> bytes:
    check_source(kernel.source)
    path = store().put_source(kernel.key, kernel.source)
    from indexlang.kernels.toolchain import compile_worker  # numba: only where something must be compiled

    return compile_worker(kernel.source, str(path or f"<{kernel.symbol}>"), kernel.symbol)
