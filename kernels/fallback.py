"""Workers through numba: source that `lower` does not know, and what it is compared with. Loaded only for these.

numba's passes are made for all of Python and take ten times as long. Types and words of ours become types and intrinsics of
numba, whose code is the same.
"""

import inspect
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
from numba import types
from numba.core import compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu_options import FastMathOptions
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.core.typeconv.castgraph import Conversion
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.cpython import numbers
from numba.extending import intrinsic, lower_builtin, lower_cast, models, register_model

from indexlang.kernels import kinds
from indexlang.kernels.kinds import Address, Kind, KindError, Literal, Word
from indexlang.kernels.lanes import Lanes, joined, spread
from indexlang.kernels.lang import Pointer, read_element, write_element
from indexlang.kernels.lower_values import CONTEXT
from indexlang.kernels.optimizer import WRITING, emitted, parsed
from indexlang.kernels.toolchain import MAY_FAIL, WorkerError, finished, reads_integers

# void worker(int64 start, int64 stop, int64* args)
_ARGUMENTS = (types.int64, types.int64, types.CPointer(types.int64))
_SHARED = {
    kinds.int64: types.int64,
    kinds.int32: types.int32,
    kinds.uint8: types.uint8,
    kinds.float32: types.float32,
    kinds.float64: types.float64,
    kinds.boolean: types.boolean,
    kinds.void: types.void,
}
_OURS = {there: here for here, there in _SHARED.items()}


def compile_function(function: FunctionType, symbol: str) -> bytes:
    """Object code of the Python function `function` as a worker named `symbol` (see `toolchain.compile_worker`)."""
    return emitted(optimized(function, symbol))


def optimized(function: FunctionType, symbol: str) -> llvm.ModuleRef:
    """The worker's LLVM module after optimisation."""
    names = {name: _intrinsic(v) if isinstance(v, Word) else v for name, v in function.__globals__.items()}
    with WRITING, global_compiler_lock:
        native, libraries = _lower(FunctionType(function.__code__, names, function.__name__))
        module = llvm.parse_assembly(_entry(native, symbol))
        for library in libraries:
            module.link_in(library, preserve=True)
        text = str(module)
    return finished(parsed(text), symbol)


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
        with _wrapping() if reads_integers(function) else nullcontext():
            result = compiler.compile_extra(typing, target, function, _ARGUMENTS, types.none, flags, {})
    except Exception as trouble:
        raise WorkerError(f"the worker does not compile: {trouble}") from trouble
    library: Any = result.library
    linked = [other._get_module_for_linking() for other in dict.fromkeys(library._linking_libraries)]
    return result.fndesc.llvm_func_name, [library._final_module, *linked]


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
        declare void @{MAY_FAIL}()
        define void @{symbol}(i64 %start, i64 %stop, ptr %args) {{
            %result = alloca ptr
            %error = alloca ptr
            %status = call i32 @"{native}"(ptr %result, ptr %error, i64 %start, i64 %stop, ptr %args)
            %good = icmp eq i32 %status, 0
            br i1 %good, label %done, label %failed
        failed:
            call void @{MAY_FAIL}()
            br label %done
        done:
            ret void
        }}"""


# -- our types and words as numba's


class _Ours(types.Type):
    """A type that numba does not have."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        super().__init__(repr(kind))

    def can_convert_from(self, typingctx, other):
        """A number is repeated in a vector of its type."""
        is_element = isinstance(self.kind, Lanes) and _OURS.get(other) == self.kind.element
        return Conversion.safe if is_element else None


@register_model(_Ours)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, fe_type.kind.llvm)


def _numbas(kind: Kind) -> Any:
    match kind:
        case Literal():
            return types.literal(kind.literal_value)
        case Address():
            return types.CPointer(_numbas(kind.dtype))
        case _:
            return _SHARED.get(kind) or _Ours(kind)


def _ours(kind: Any) -> Kind:
    if isinstance(kind, _Ours):
        return kind.kind
    if isinstance(kind, types.IntegerLiteral):
        return Literal(kind.literal_value)
    if isinstance(kind, types.CPointer):
        return Address(_ours(kind.dtype))
    if kind not in _OURS:
        raise TypingError(f"{kind} is no type of a worker")
    return _OURS[kind]


@cache
def _intrinsic(word: Word) -> Any:
    """The word for numba: the same code, under its types."""

    def define(typing, *given):
        try:
            ours, generate = word.define(CONTEXT, *map(_ours, given))
        except KindError as wrong:
            raise TypingError(str(wrong)) from None

        def code(context, builder, _, args):
            value = generate(CONTEXT, builder, ours, args)
            return context.get_dummy_value() if ours.return_type == kinds.void else value

        return signature(_numbas(ours.return_type), *map(_numbas, ours.args)), code

    function: Any = define
    function.__name__ = word.name
    function.__signature__ = inspect.signature(word.define)
    return intrinsic(prefer_literal=word.literals)(function)


_infer: Any = infer_global


@_infer(operator.getitem)
class _TypeOfRead(AbstractTemplate):
    def generic(self, args, kws):
        pointer, index = args
        if isinstance(pointer, _Ours) and isinstance(pointer.kind, Pointer) and isinstance(index, types.Integer):
            return signature(_numbas(pointer.kind.element), pointer, types.int64)
        return None


@_infer(operator.setitem)
class _TypeOfWrite(AbstractTemplate):
    def generic(self, args, kws):
        pointer, index, _ = args
        is_output = isinstance(pointer, _Ours) and isinstance(pointer.kind, Pointer) and pointer.kind.use == "output"
        if is_output and isinstance(index, types.Integer):
            return signature(types.none, pointer, types.int64, _numbas(pointer.kind.element))  # pyright: ignore
        return None


@lower_builtin(operator.getitem, _Ours, types.int64)
def _read(context, builder, signature, args):
    kind = signature.args[0].kind
    return read_element(CONTEXT, builder, kind.element(kind, kinds.int64), args)


@lower_builtin(operator.setitem, _Ours, types.int64, types.Any)
def _write(context, builder, signature, args):
    kind = signature.args[0].kind
    write_element(CONTEXT, builder, kinds.void(kind, kinds.int64, kind.element), args)
    return context.get_dummy_value()


@lower_cast(types.Float, _Ours)
@lower_cast(types.Integer, _Ours)
def _repeated(context, builder, fromty, toty, value):
    return spread(builder, value, toty.kind.width)


def _operator(symbol: Callable[..., Any], name: str, whole: str) -> None:
    """Arithmetic on vectors: `name` on floats, `whole` on integers."""

    @_infer(symbol)
    class _Type(AbstractTemplate):
        def generic(self, args, kws):
            if not any(isinstance(a, _Ours) for a in args):
                return None
            try:
                kind = joined(*map(_ours, args))
            except KindError as wrong:
                raise TypingError(str(wrong)) from None
            return None if kind is None else signature(_Ours(kind), *(_Ours(kind) for _ in args))

    @lower_builtin(symbol, *[_Ours] * (1 if name == "fneg" else 2))
    def _lower(context, builder, signature, args):
        if signature.return_type.kind.kind == "i64":
            return getattr(builder, whole)(*args)
        return builder.fneg(*args) if name == "fneg" else getattr(builder, name)(*args, flags=("contract",))


for _symbol, _build, _whole in (
    (operator.add, "fadd", "add"),
    (operator.sub, "fsub", "sub"),
    (operator.mul, "fmul", "mul"),
    (operator.truediv, "fdiv", ""),
    (operator.neg, "fneg", "neg"),
):
    _operator(_symbol, _build, _whole)
