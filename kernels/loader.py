"""Object code into this process, with llvmlite alone: a warm start imports no numba."""

import threading

import llvmlite.binding as llvm

from indexlang.kernels.contract import tiles_in
from indexlang.kernels.machine import Machine, cpu_key, machine, target_machine
from indexlang.kernels.tiles import Cache, tile_code

__all__ = ["Cache", "LoadError", "Machine", "cpu_key", "load", "machine"]

# How object files begin: ELF, Mach-O, COFF of x86-64 and of ARM64.
_OBJECT_FILES = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\x64\x86", b"\x64\xaa")

_lock = threading.Lock()
_engines: list[llvm.ExecutionEngine] = []  # code stays loaded for the life of the process
_loaded: dict[tuple[str, bytes], int] = {}
_tiles: set[str] = set()  # known to LLVM by name


class LoadError(Exception):
    """The bytes are not object code of this machine, or do not define the symbol."""


def load(object_code: bytes, symbol: str, store: Cache | None = None) -> int:
    """Address in this process of the function `symbol` defined by `object_code`.

    cost    about 0.3 ms, and as much for each tile that was not there; one that `store` has not is compiled. The same
            code under the same name is loaded once
    errors  LoadError when the code is no object file or lacks the symbol
    source  the code comes from `toolchain.compile_worker` or the walker, through a store that checks its digest
    """
    key = (symbol, object_code)
    with _lock:
        if key not in _loaded:
            _provide_tiles(object_code, store)
            _loaded[key] = _load(object_code, symbol)
        return _loaded[key]


def _provide_tiles(object_code: bytes, store: Cache | None) -> None:
    """Make the tiles that the code calls known to LLVM, which ends the process on names it cannot find."""
    for tile in tiles_in(object_code):
        if tile.name in _tiles:
            continue
        try:
            address = _load(tile_code(tile, store), tile.name)
        except LoadError:  # an object of another toolchain: compile anew
            address = _load(tile_code(tile, None), tile.name)
        llvm.add_symbol(tile.name, address)
        _tiles.add(tile.name)


def _load(object_code: bytes, symbol: str) -> int:
    # LLVM ends the process on bytes that are no object file and on names it cannot find, so look before asking.
    if not object_code.startswith(_OBJECT_FILES):
        raise LoadError("these bytes are not object code")
    if symbol.encode() not in object_code:
        raise LoadError(f"the object code does not define {symbol}")
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    try:
        engine.add_object_file(llvm.ObjectFileRef.from_data(object_code))
    except Exception as trouble:
        raise LoadError(f"not object code: {trouble}") from trouble
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise LoadError(f"the object code does not define {symbol}")
    _engines.append(engine)
    return address
