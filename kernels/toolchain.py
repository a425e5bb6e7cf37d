"""From the Python source of a worker to relocatable object code: never needed on a warm start."""

import ast
import re
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

import llvmlite.binding as llvm

from indexlang.kernels.contract import parse_tile
from indexlang.kernels.kinds import KindError
from indexlang.kernels.lower import lowered
from indexlang.kernels.lower_values import Unsupported
from indexlang.kernels.optimizer import WRITING, emitted, link, optimize, parsed
from indexlang.kernels.stream_ir import STREAM, stream_ir
from indexlang.kernels.turn_ir import TURNS, turn_ir
from indexlang.kernels.vecmath import REPLACED, stays_apart, vecmath_ir

# Functions outside the worker that its object code may call: the C mathematics library and block memory moves.
ALLOWED_CALLS = re.compile(
    r"(sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|exp|exp2|expm1|log|log2|log10|log1p|pow|sqrt"
    r"|cbrt|hypot|erf|erfc|tgamma|lgamma|floor|ceil|trunc|rint|round|fmod|copysign|fabs|fma|ldexp|frexp|fmax|fmin"
    r"|fmaximum|fminimum)f?|mem(cpy|set|move)"
)

_INTEGERS = re.compile(r"(input|output)_[iu]\d")
MAY_FAIL = "indexlang_worker_may_fail"


class WorkerError(Exception):
    """The generated source is not a worker: it does not compile, may raise, or calls what it must not."""


def compile_worker(source: str, path: str, symbol: str) -> bytes:
    """Compile the function `symbol` of the module text `source` to object code that exports the name `symbol`.

    shapes  the function takes (start, stop, args); in object code it is void symbol(int64, int64, int64*)
    cost    about 0.02 s for a plain loop nest, 0.1 s with a register tile, nearly all of it LLVM's; source that `lower`
            does not know goes through numba, which adds 0.5 s
    errors  WorkerError when it does not compile, when some path of it may raise, or when it needs a function
            other than those of ALLOWED_CALLS and tiles (so the loader needs nothing but the C library and `tiles`)
    source  `path` names the file that holds the text, for tracebacks and debuggers
    """
    namespace: dict[str, Any] = {"__name__": symbol}
    code: CodeType = compile(source, path, "exec")
    exec(code, namespace)  # noqa: S102  (our own text, printed by emit and checked against its allow-list)
    try:
        module = parsed(_lowered(source, namespace, symbol))
    except (Unsupported, KindError):
        fallback: Any = import_module("indexlang.kernels.fallback")  # numba: 0.3 s, for nothing where all is known
        return fallback.compile_function(namespace[symbol], symbol)
    return emitted(finished(module, symbol))


def _lowered(source: str, namespace: dict[str, Any], symbol: str) -> str:
    """LLVM text of a worker that has the words of generated source only. Raises Unsupported for others."""
    with WRITING:  # Python 3.11 builds one syntax tree at a time: threads confuse how deep it is
        function = ast.parse(source).body[-1]
    if not isinstance(function, ast.FunctionDef):
        raise Unsupported("no function")
    with WRITING:
        return lowered(function, namespace, symbol, reads_integers(namespace[symbol]))


def finished(module: llvm.ModuleRef, symbol: str) -> llvm.ModuleRef:
    """A worker's module, linked with what it calls and optimised. Raises WorkerError where it may fail or calls others."""
    _link_kernels(module)
    own = [f.name for f in module.functions if not f.is_declaration]
    optimize(module, symbol, list(filter(stays_apart, own)), [name for name in own if name in TURNS])
    _refuse_outside_calls(module)
    return module


def _link_kernels(module: llvm.ModuleRef) -> None:
    """Add the code of the mathematical functions that `module` calls, by other names. (Tiles are the loader's.)"""
    wanted: dict[str, str] = {}
    for function in module.functions:
        if function.name == STREAM:
            wanted[STREAM] = stream_ir()
        elif function.name in TURNS:
            with WRITING:
                wanted[function.name] = turn_ir(function.name)
        elif function.is_declaration and function.name in REPLACED:
            function.name = name = REPLACED[function.name]
            with WRITING:
                wanted |= vecmath_ir(name)
    for text in wanted.values():  # only now: linking leaves no reference to a function of `module` valid
        link(module, text)


def reads_integers(function: FunctionType) -> bool:
    """Whether integers of the worker come from data, or go there: then nobody has proved that they stay in 64 bits."""
    return any(name == "to_int" or _INTEGERS.match(name) for name in function.__code__.co_names)


def _refuse_outside_calls(module: llvm.ModuleRef) -> None:
    for function in module.functions:
        name = function.name
        if name == MAY_FAIL:
            raise WorkerError("the worker may raise an exception; it must not")
        if not function.is_declaration or name.startswith("llvm.") or parse_tile(name):
            continue
        if not ALLOWED_CALLS.fullmatch(name):
            raise WorkerError(f"the worker calls {name}, which is not a function of the C mathematics library")
