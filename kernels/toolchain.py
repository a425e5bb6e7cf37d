"""From the Python source of a worker to relocatable object code. Imports numba: never needed on a warm start."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import CodeType, FunctionType
from typing import Any

import llvmlite.binding as llvm
from numba import types
from numba.core import compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu_options import FastMathOptions
from numba.core.registry import cpu_target
from numba.cpython import numbers

from indexlang.kernels.contract import parse_tile
from indexlang.kernels.lower import lowered
from indexlang.kernels.lower_values import Unsupported
from indexlang.kernels.optimizer import emitted, link, optimize, parsed
from indexlang.kernels.vecmath import REPLACED, stays_apart, vecmath_ir

# void worker(int64 start, int64 stop, int64* args)
WORKER_ARGUMENTS = (types.int64, types.int64, types.CPointer(types.int64))

# Functions outside the worker that its object code may call: the C mathematics library and block memory moves.
ALLOWED_CALLS = re.compile(
    r"(sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|exp|exp2|expm1|log|log2|log10|log1p|pow|sqrt"
    r"|cbrt|hypot|erf|erfc|tgamma|lgamma|floor|ceil|trunc|rint|round|fmod|copysign|fabs|fma|ldexp|frexp|fmax|fmin"
    r"|fmaximum|fminimum)f?|mem(cpy|set|move)"
)

_INTEGERS = re.compile(r"(input|output)_[iu]\d")
_MAY_FAIL = "indexlang_worker_may_fail"


class WorkerError(Exception):
    """The generated source is not a worker: it does not compile, may raise, or calls what it must not."""


def compile_worker(source: str, path: str, symbol: str) -> bytes:
    """Compile the function `symbol` of the module text `source` to object code that exports the name `symbol`.

    shapes  the function takes (start, stop, args); in object code it is void symbol(int64, int64, int64*)
    cost    about 0.02 s for a plain loop nest, 0.1 s with a register tile, nearly all of it LLVM's; the first call in
            a process adds the import of numba's types, about 0.2 s; words that `lower` does not know add 0.5 s
    errors  WorkerError when it does not compile, when some path of it may raise, or when it needs a function
            other than those of ALLOWED_CALLS and tiles (so the loader needs nothing but the C library and `tiles`)
    source  `path` names the file that holds the text, for tracebacks and debuggers
    """
    namespace: dict[str, Any] = {"__name__": symbol}
    code: CodeType = compile(source, path, "exec")
    exec(code, namespace)  # noqa: S102  (our own text, printed by emit and checked against its allow-list)
    try:
        module = parsed(_lowered(source, namespace, symbol))
    except Unsupported:
        return compile_function(namespace[symbol], symbol)
    return emitted(_finished(module, symbol))


def _lowered(source: str, namespace: dict[str, Any], symbol: str) -> str:
    """LLVM text of a worker that has the words of generated source only. Raises Unsupported for others."""
    function = ast.parse(source).body[-1]
    if not isinstance(function, ast.FunctionDef):
        raise Unsupported("no function")
    with global_compiler_lock:  # numba's types are made by one thread at a time
        return lowered(function, namespace, symbol, _reads_integers(namespace[symbol]))


def compile_function(function: FunctionType, symbol: str) -> bytes:
    """Object code of the Python function `function` as a worker named `symbol` (see `compile_worker`)."""
    return emitted(optimized(function, symbol))


def optimized(function: FunctionType, symbol: str) -> llvm.ModuleRef:
    """The worker's LLVM module after optimisation; its text is what `indexlang show --stage llvm` may print."""
    with global_compiler_lock:
        native, libraries = _lower(function)
        module = llvm.parse_assembly(_entry(native, symbol))
        for library in libraries:
            module.link_in(library, preserve=True)
        text = str(module)
    return _finished(parsed(text), symbol)


def _finished(module: llvm.ModuleRef, symbol: str) -> llvm.ModuleRef:
    _link_kernels(module)
    optimize(module, symbol, [f.name for f in module.functions if not f.is_declaration and stays_apart(f.name)])
    _refuse_outside_calls(module)
    return module


def _link_kernels(module: llvm.ModuleRef) -> None:
    """Add the code of the mathematical functions that `module` calls, by other names. (Tiles are the loader's.)"""
    wanted: dict[str, str] = {}
    for function in module.functions:
        if function.is_declaration and function.name in REPLACED:
            function.name = name = REPLACED[function.name]
            wanted |= vecmath_ir(name)
    for text in wanted.values():  # only now: linking leaves no reference to a function of `module` valid
        link(module, text)


def _lower(function: FunctionType) -> tuple[str, list[llvm.ModuleRef]]:
    """The native name and the LLVM modules of `function`, typed and lowered by numba but not yet optimised."""
    flags: Any = compiler.Flags()
    flags.no_compile = True
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.error_model = "numpy"
    flags.fastmath = FastMathOptions({"contract"})
    target_info: Any = cpu_target
    typing, target = target_info.typing_context, target_info.target_context
    typing.refresh()
    target.refresh()
    try:
        with _wrapping() if _reads_integers(function) else nullcontext():
            result = compiler.compile_extra(typing, target, function, WORKER_ARGUMENTS, types.none, flags, {})
    except Exception as trouble:
        raise WorkerError(f"the worker does not compile: {trouble}") from trouble
    library: Any = result.library
    linked = [other._get_module_for_linking() for other in dict.fromkeys(library._linking_libraries)]
    return result.fndesc.llvm_func_name, [library._final_module, *linked]


def _reads_integers(function: FunctionType) -> bool:
    """Whether integers of the worker come from data, or go there: then nobody has proved that they stay in 64 bits."""
    return any(name == "to_int" or _INTEGERS.match(name) for name in function.__code__.co_names)


@contextmanager
def _wrapping() -> Iterator[None]:
    """Integer arithmetic that wraps around, in place of numba's, which promises LLVM that it never does.

    By that promise LLVM would drop the half of a bounds check: a product t*t of data is "never negative".
    """
    before = numbers._int_arith_flags  # pyright: ignore
    numbers._int_arith_flags = lambda _: []
    try:
        yield
    finally:
        numbers._int_arith_flags = before


def _entry(native: str, symbol: str) -> str:
    """LLVM text of the exported function: it calls the numba function, whose status must turn out to be always 0."""
    return f"""
        declare i32 @"{native}"(ptr, ptr, i64, i64, ptr)
        declare void @{_MAY_FAIL}()
        define void @{symbol}(i64 %start, i64 %stop, ptr %args) {{
            %result = alloca ptr
            %error = alloca ptr
            %status = call i32 @"{native}"(ptr %result, ptr %error, i64 %start, i64 %stop, ptr %args)
            %good = icmp eq i32 %status, 0
            br i1 %good, label %done, label %failed
        failed:
            call void @{_MAY_FAIL}()
            br label %done
        done:
            ret void
        }}"""


def _refuse_outside_calls(module: llvm.ModuleRef) -> None:
    for function in module.functions:
        name = function.name
        if name == _MAY_FAIL:
            raise WorkerError("the worker may raise an exception; it must not")
        if not function.is_declaration or name.startswith("llvm.") or parse_tile(name):
            continue
        if not ALLOWED_CALLS.fullmatch(name):
            raise WorkerError(f"the worker calls {name}, which is not a function of the C mathematics library")
