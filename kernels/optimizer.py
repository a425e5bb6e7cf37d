"""LLVM text to object code, by several threads side by side. Needs llvmlite, not numba.

llvmlite lets one thread at a time into LLVM. LLVM itself asks only that no two threads share a context, a module or a
target machine, so every module here has a context of its own, every thread a target machine, and the two calls that take
nearly all of the time are made without llvmlite's lock.
"""

import threading
from collections.abc import Callable, Collection
from ctypes import string_at
from typing import Any

import llvmlite.binding as llvm
from llvmlite.binding import ffi

from indexlang.kernels.machine import new_target_machine

WRITING = threading.RLock()  # held where LLVM text is written: llvmlite.ir is for one thread at a time
_own = threading.local()


def parsed(text: str) -> llvm.ModuleRef:
    """A module with a context of its own, which is the only kind that functions of this file take."""
    return llvm.parse_assembly(text, llvm.create_context())


def link(module: llvm.ModuleRef, text: str) -> None:
    """Add what `text` defines."""
    module.link_in(llvm.parse_assembly(text, module._context))


def optimize(module: llvm.ModuleRef, symbol: str, apart: Collection[str] = (), long: Collection[str] = ()) -> None:
    """Make all but `symbol` private and part of it, then LLVM's standard pipeline at level 3 with both vectorisers.

    apart  functions that only the vectorisers come to call: they stay as they are, and go where they were not needed
    long   functions beside which a call is nothing: they are called, since copies take LLVM as long as all else
    """
    for function in module.functions:
        if not function.is_declaration and function.name != symbol and function.name not in apart:
            function.linkage = llvm.Linkage.internal
            function.add_function_attribute("noinline" if function.name in long else "alwaysinline")
    machine = _target_machine()
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    passes = builder.getModulePassManager()
    run = _unlocked("LLVMPY_RunNewModulePassManager")
    passes.run(module, builder) if run is None else run(passes, module, builder)
    if apart:
        _drop_unused(module, builder, apart)


def emitted(module: llvm.ModuleRef) -> bytes:
    """Object code of an optimised module."""
    emit = _unlocked("LLVMPY_TargetMachineEmitToMemory")
    if emit is None:
        return _target_machine().emit_object(module)
    with ffi.OutputString() as problem:
        buffer = emit(_target_machine(), module, 1, problem)
        if not buffer:
            raise RuntimeError(str(problem))
    try:
        return string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def _drop_unused(module: llvm.ModuleRef, builder: llvm.PassBuilder, apart: Collection[str]) -> None:
    for function in module.functions:
        if function.name in apart:
            function.linkage = llvm.Linkage.internal
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)


def _target_machine() -> llvm.TargetMachine:
    """That of the calling thread."""
    if not hasattr(_own, "machine"):
        _own.machine = new_target_machine()
    return _own.machine


def _unlocked(name: str) -> Callable[..., Any] | None:
    """A function of LLVM without a lock around it; None where llvmlite is made otherwise than we know."""
    return getattr(getattr(ffi.lib, name, None), "_cfn", None)
