"""LLVM's passes over a module of ours. Needs llvmlite, not numba."""

from collections.abc import Collection

import llvmlite.binding as llvm

from indexlang.kernels.machine import target_machine


def optimize(module: llvm.ModuleRef, symbol: str, apart: Collection[str] = ()) -> None:
    """Make all but `symbol` private and part of it, then LLVM's standard pipeline at level 3 with both vectorisers.

    apart  functions that only the vectorisers come to call: they stay as they are, and go where they were not needed
    """
    for function in module.functions:
        if not function.is_declaration and function.name != symbol and function.name not in apart:
            function.linkage = llvm.Linkage.internal
            function.add_function_attribute("alwaysinline")
    machine = target_machine()
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    if apart:
        _drop_unused(module, builder, apart)


def _drop_unused(module: llvm.ModuleRef, builder: llvm.PassBuilder, apart: Collection[str]) -> None:
    for function in module.functions:
        if function.name in apart:
            function.linkage = llvm.Linkage.internal
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)
