"""Generated source, run as the Python that it is: no compiler in between, and every address checked.

A pointer knows the memory that it points into, so a read or write outside a tensor is an error here, as is a write
through an input. Memory starts as NaN, and tensors share an arena as in a real run. Every iteration of a parallel
nest is run by itself, the last first: none may lean on another.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from indexlang.emit.guard import check_source
from indexlang.emit.kernel import Arg
from indexlang.ir import ops
from indexlang.ir.equation import Program
from indexlang.kernels.contract import parse_tile
from indexlang.run.places import room, tensor_bytes
from indexlang.run.plan import Plan, Step

Array = np.ndarray
_KINDS = {"f32": np.float32, "f64": np.float64, "i64": np.int64, "i32": np.int32, "u8": np.uint8, "bool": np.bool_}
_NONE = 2**63 - 1
_LANES = re.compile(r"(lanes|strided|reversed|spread|ramp|floats)_(f32|f64|i64)x(\d+)")


class Outside(Exception):
    """A kernel reads or writes what is not its tensor's."""


class Refused(Exception):
    """A run-time check has failed."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """An address: flat memory, a position in it, and whether it may be written."""

    memory: Array
    at: int
    is_output: bool

    def __getitem__(self, k: int) -> Any:
        return self.memory[self._place(k, 1)]

    def __setitem__(self, k: int, value: Any) -> None:
        if not self.is_output:
            raise Outside("a write through an input")
        self.memory[self._place(k, 1)] = value

    def run(self, k: int, count: int, step: int) -> Array:
        """`count` elements from k on, `step` apart, as a view."""
        first = self._place(k, 1)
        self._place(k + (count - 1) * step, 1)
        return self.memory[first : first + (count - 1) * step + 1 : max(step, 1)]

    def _place(self, k: int, count: int) -> int:
        place = self.at + int(k)
        if not 0 <= place <= len(self.memory) - count:
            raise Outside(f"element {place} of {len(self.memory)}")
        return place


def run(plan: Plan, given: Mapping[str, Array]) -> dict[str, Array]:
    """The outputs of a plan."""
    program = plan.program
    memory = {n: np.ascontiguousarray(a).reshape(-1) for n, a in given.items()}
    memory |= _arena(plan, plan.kept, plan.kept_bytes) | _arena(plan, plan.places, plan.arena)
    out = {n: _fresh(program, n) for n in program.outputs if n not in memory and program.tensor(n).view is None}
    memory |= out
    starts = {n: (memory[host], at // memory[host].itemsize) for n, (host, at) in plan.views.items() if host in memory}
    starts |= {n: (flat, 0) for n, flat in memory.items()}
    for step in (*plan.once, *plan.steps):
        _run_step(step, starts)
    return {n: memory[n].reshape(_shape(program, n)) for n in program.outputs if n in memory}


def _run_step(step: Step, starts: Mapping[str, tuple[Array, int]]) -> None:
    fail, status = np.full(1, _NONE, np.int64), np.zeros(1024, np.int64)
    args = [_argument(a, step, starts, fail, status) for a in step.kernel.args]
    check_source(step.kernel.source)
    space: dict[str, Any] = {"__builtins__": {"__import__": _import, "range": range}}
    exec(compile(step.kernel.source, "<kernel>", "exec"), space)
    worker = space[step.kernel.symbol]
    with np.errstate(all="ignore"):
        if step.nest.serial:
            worker(0, step.iterations, args)
        else:
            for n in reversed(range(step.iterations)):
                worker(n, n + 1, args)
    if fail[0] != _NONE:
        raise Refused(step.nest.title)


def _argument(
    arg: Arg, step: Step, starts: Mapping[str, tuple[Array, int]], fail: Array, status: Array
) -> int | tuple[Array, int]:
    match arg.kind:
        case "tensor":
            memory, at = starts[arg.name]
            return memory, at + step.moved.get(arg.name, 0) // memory.itemsize
        case "table":
            return np.array(step.nest.tables[arg.name], np.int64), 0
        case "int":
            return arg.value
        case "fail":
            return fail, 0
        case _:
            return status, 0


def _arena(plan: Plan, places: Mapping[str, int], size: int) -> dict[str, Array]:
    """Tensors at their places in one block of memory, which is all NaN, with the copies that threads have."""
    program = plan.program
    block = np.full(size, 0xFF, np.uint8)
    out: dict[str, Array] = {}
    for name, at in places.items():
        kind = program.tensor(name).dtype.numpy
        copies = (plan.copies.get(name, 1) - 1) * room(program, name)
        out[name] = block[at : at + copies + tensor_bytes(program, name)].view(kind)
    return out


def _fresh(program: Program, name: str) -> Array:
    kind = program.tensor(name).dtype.numpy
    raw = np.full(math.prod(_shape(program, name)) * np.dtype(kind).itemsize, 0xFF, np.uint8)
    return raw.view(kind)


def _shape(program: Program, name: str) -> tuple[int, ...]:
    return tuple(int(n) for n in program.tensor(name).extents)  # type: ignore[arg-type]


# -- the names that generated source imports


def _import(name: str, globals: Any = None, locals: Any = None, wanted: tuple[str, ...] = (), level: int = 0) -> Any:
    """`from indexlang.kernels.lang import shift` gives the function of this file."""
    match name:
        case "numpy":
            return SimpleNamespace(float32=np.float32, float64=np.float64, int64=_int64)
        case "math":
            return math
        case _:
            return SimpleNamespace(**{n: _named(n) for n in wanted})


def _named(name: str) -> Any:
    lanes = _LANES.fullmatch(name)
    if lanes:
        return _lanes(lanes[1], _KINDS[lanes[2]], int(lanes[3]))
    return _tile(name) if name.startswith("tile_") else NAMES[name]


def _lanes(what: str, kind: Any, width: int) -> Any:
    """Vectors are numpy arrays here."""
    match what:
        case "lanes":
            return lambda p, k: p.run(k, width, 1).copy()
        case "reversed":
            return lambda p, k: p.run(k - width + 1, width, 1)[::-1].copy()
        case "strided":
            return lambda p, k, step: np.array([p[k + n * step] for n in range(width)], kind)
        case "spread":
            return lambda x: np.full(width, x, kind)
        case "ramp":
            return lambda start, step: start + step * np.arange(width)
        case _:
            return lambda x: np.asarray(x).astype(kind)


def _put(p: Pointer, k: int, value: Array) -> None:
    if not p.is_output:
        raise Outside("a write through an input")
    p.run(k, len(value), 1)[:] = value


def _int64(x: Any) -> int:
    return int(x)


def _pointers() -> Iterator[tuple[str, Any]]:
    for name, kind in _KINDS.items():
        for use in ("input", "output", "pointer"):
            yield f"{use}_{name}", _pointer_function(np.dtype(kind), use != "input")
    for name in ("f32", "f64"):
        yield f"scratch_{name}", _scratch_function(_KINDS[name])


def _pointer_function(kind: np.dtype[Any], is_output: bool) -> Any:
    def pointer(address: tuple[Array, int]) -> Pointer:
        memory, at = address
        assert memory.dtype == kind, f"{memory.dtype} as {kind}"
        return Pointer(memory, at, is_output)

    return pointer


def _scratch_function(kind: Any) -> Any:
    return lambda count: Pointer(np.full(count, np.nan, kind), 0, True)


def _shift(p: Pointer, n: int) -> Pointer:
    return Pointer(p.memory, p.at + int(n), p.is_output)


def _stream(p: Pointer, k: int, row: Pointer, count: int) -> None:
    _put(p, k, row.run(0, int(count), 1).copy())


def _turn(row: Pointer, side: int, p: Pointer, k: int, step: int, rows: int, columns: int) -> None:
    for r in range(rows):
        for c in range(columns):
            row[c * side + r] = p[k + r * step + c]


def _max2(a: Any, b: Any) -> Any:
    if isinstance(a, Array) or isinstance(b, Array):
        return np.maximum(a, b)
    return a if a != a or (b == b and a > b) else b


def _min2(a: Any, b: Any) -> Any:
    if isinstance(a, Array) or isinstance(b, Array):
        return np.minimum(a, b)
    return a if a != a or (b == b and a < b) else b


def _atomic_min(p: Pointer, k: int, value: int) -> None:
    p[k] = min(int(p[k]), value)


def _functions() -> Iterator[tuple[str, Any]]:
    named = {**{op.name: op for op in ops.FUNCTIONS.values()}, "pow": ops.POW, "uniform": ops.UNIFORM}
    for name, op in named.items():
        for kind in ("f32", "f64"):
            yield f"{name}_{kind}", _in_kind(op.value, _KINDS[kind])


def _in_kind(function: Any, kind: Any) -> Any:
    return lambda *args: kind(function(*args))


def _floordiv(a: Any, b: Any) -> Any:
    if _is_float(a) or _is_float(b):
        return np.floor(a / b)
    return 0 if b == 0 else int(a) // int(b)


def _mod(a: Any, b: Any) -> Any:
    if _is_float(a) or _is_float(b):
        return a - b * np.floor(a / b)
    return 0 if b == 0 else int(a) % int(b)


def _is_float(x: Any) -> bool:
    return isinstance(x, np.floating | float)


def _relu(x: Any) -> Any:
    if isinstance(x, Array):
        return np.where(x < 0, np.zeros_like(x), x)
    return type(x)(0) if x < 0 else x


def _sign(x: Any) -> Any:
    if isinstance(x, Array):
        return np.where(x != x, x, np.sign(x))
    return x if x != x else type(x)((x > 0) * 1 - (x < 0) * 1)


def _to_int(x: Any) -> int:
    return int(ops.TO_INT.value(x))


def _tile(name: str) -> Any:
    """The contraction tile as its formula says, in plain numpy."""
    tile = parse_tile(name)
    assert tile is not None, name
    rows, width = tile.rows, tile.vectors * tile.lanes

    def call(out: Pointer, out_row: int, a: Pointer, a_row: int, a_step: int, w: Pointer, w_step: int,
             offsets: Pointer, segments: int, run: int, columns: int, adds: int, ahead: int) -> None:  # fmt: skip
        taken = min(int(columns), width)
        for r in range(rows):
            to = out.run(r * out_row, taken, 1)
            total = to.copy() if adds else np.zeros(taken, out.memory.dtype)
            for s in range(segments):
                for t in range(run):
                    total += a[r * a_row + offsets[2 * s] + t * a_step] * w.run(
                        offsets[2 * s + 1] + t * w_step, taken, 1
                    )
            to[:] = total

    return call


NAMES: dict[str, Any] = {
    **dict(_pointers()),
    **dict(_functions()),
    "put": _put,
    "running_sum": lambda c, v: c + np.cumsum(v, dtype=v.dtype),
    "running_prod": lambda c, v: c * np.cumprod(v, dtype=v.dtype),
    "running_max": lambda c, v: np.maximum(c, np.maximum.accumulate(v)),
    "running_min": lambda c, v: np.minimum(c, np.minimum.accumulate(v)),
    "last_lane": lambda v: v[-1],
    "quotient_f32": lambda a, b: a / b,
    "quotient_f64": lambda a, b: a / b,
    "shift": _shift,
    "stream": _stream,
    **dict.fromkeys(("turn_f32", "turn_f64"), _turn),
    "streams_end": lambda: None,
    "plus": lambda a, b: a + b,
    "times": lambda a, b: a * b,
    "max2": _max2,
    "min2": _min2,
    "atomic_min": _atomic_min,
    "relu": _relu,
    "sign": _sign,
    "absolute": abs,
    "floordiv": _floordiv,
    "mod": _mod,
    "to_int": _to_int,
    **{
        f"lanes_{op.name}": op.value
        for op in (ops.LT, ops.LE, ops.GT, ops.GE, ops.EQ, ops.NE, ops.AND, ops.OR, ops.NOT)
    },
    "lanes_choose": lambda m, a, b: np.where(m, a, b),
}
