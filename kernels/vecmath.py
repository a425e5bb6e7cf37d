"""The mathematical functions of workers in plain arithmetic, so that LLVM makes vectors of loops that use them.

Two kinds. Short functions are put in place where they are called, and LLVM's vectoriser does the rest. Long ones, and
those that send some lanes to the C library, stay apart: each comes for one number and for whole vectors, and says so
(`vector-function-abi-variant`), so that the vectoriser calls the one for its width. Workers call those for vectors by
name too: `indexlang_exp_f32x16`. A lane never depends on its neighbours: one number gives the same bits alone.

NaN, infinities, zeros and denormals are as in the C library. Errors found are in `docs/trust.md`; the promise, which
`tests/kernels/test_vecmath.py` checks, is 2 units in the last place in f32.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir

from indexlang.kernels import exponentials, logarithms, normal, powers, trigonometry
from indexlang.kernels.machine import machine
from indexlang.kernels.maker import Kind, Maker, f32, f64

_SHORT: dict[str, Callable[..., Any]] = {
    "exp": exponentials.exp,
    "expm1": exponentials.expm1,
    "tanh": exponentials.tanh,
    "sigmoid": exponentials.sigmoid,
    "silu": exponentials.silu,
    "log": logarithms.log,
    "log1p": logarithms.log1p,
    "softplus": logarithms.softplus,
}
_LONG: dict[str, Callable[..., Any]] = {
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "erf": normal.erf,
    "gelu": normal.gelu,
    "pow": powers.power,
}
_KINDS: dict[str, tuple[Callable[[int], Kind], int]] = {"f32": (f32, 4), "f64": (f64, 8)}
_PREFIX = "indexlang_"
_PURE = "nounwind willreturn memory(none)"

_WIDTHS = (2, 4, 8, 16, 32)  # lanes that workers may name

# What a worker calls for -> the name of our function.
REPLACED: dict[str, str] = {
    name: f"{_PREFIX}{function}_{kind}"
    for function in (*_SHORT, *_LONG)
    for kind in _KINDS
    for name in (f"llvm.{function}.{kind}", function + ("f" if kind == "f32" else ""), f"{_PREFIX}{function}_{kind}")
} | {
    name: name
    for function in (*_SHORT, *_LONG)
    for kind in _KINDS
    for name in (f"{_PREFIX}{function}_{kind}x{width}" for width in _WIDTHS)
}


def stays_apart(name: str) -> bool:
    """Whether a function of a module is a long one of ours: not to be put in place where it is called."""
    return name.startswith(_PREFIX) and _is_long(*name.removeprefix(_PREFIX).split("_"))


def _is_long(function: str, kind: str) -> bool:
    """`kind` may end in the width of a vector."""
    return function in _LONG and (function, kind.split("x")[0]) != ("erf", "f32")


@cache
def vecmath_ir(name: str) -> dict[str, str]:
    """LLVM texts that define the function `name` (a value of REPLACED), and those for vectors that it refers to, by name."""
    function, kind, width = _parts(name)
    make, size = _KINDS[kind]
    if not _is_long(function, kind):
        return {name: _defined(name, (_SHORT | _LONG)[function], make(width), "alwaysinline")}
    if width > 1:
        return {name: _defined(name, _LONG[function], make(width), f"noinline {_PURE}")}
    widths = [w for w in (2, 4, 8, 16) if w * size <= max(machine().vector_bytes, 16)]
    arguments = "v" * _arity(function)
    variants = ",".join(f"_ZGV_LLVM_N{w}{arguments}_{name}({name}x{w})" for w in widths)
    attributes = f'noinline {_PURE} "vector-function-abi-variant"="{variants}"'
    vectors = {n: text for w in widths for n, text in vecmath_ir(f"{name}x{w}").items()}
    return {name: _defined(name, _LONG[function], make(1), attributes), **vectors}


def _parts(name: str) -> tuple[str, str, int]:
    """`indexlang_exp_f32x16` -> exp, f32, 16."""
    function, kind = name.removeprefix(_PREFIX).split("_")
    element, _, width = kind.partition("x")
    return function, element, int(width or 1)


def _arity(function: str) -> int:
    return 2 if function == "pow" else 1


def _defined(name: str, build: Callable[..., Any], kind: Kind, attributes: str) -> str:
    module = ir.Module(name)
    arguments = [kind.element] * _arity(_parts(name)[0])
    function = ir.Function(module, ir.FunctionType(kind.element, arguments), name)
    function.attributes.add("noinline")  # the place of the others, which llvmlite does not know
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(build(Maker(builder, kind), *function.args))
    return str(module).replace("noinline", attributes, 1)
