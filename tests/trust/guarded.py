"""A process in which every tensor ends, or begins, at a page that may not be touched: what reads or writes there dies.

python guarded.py f32|f64 named|literal FIRST STEP     runs the members FIRST, FIRST+STEP, … of each shape; prints each before it runs
python guarded.py model NAME SIDE        runs a model of examples/models on a picture of that side, with random parameters
python guarded.py overrun                runs a kernel for one iteration too many, to show that the pages work
"""

import ctypes
import json
import mmap
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from guard_shapes import SHAPES, Shape

import indexlang as il
from indexlang.nest import turns
from indexlang.nest.moves import block, stream, winograd
from indexlang.run import execute, machine
from indexlang.run.places import room, tensor_bytes

PAGE = mmap.PAGESIZE
SIDES = ("behind", "before")
DTYPES = {"f32": np.float32, "f64": np.float64, "int": np.int64, "u8": np.uint8, "bool": np.bool_}
Array = np.ndarray
TAKEN_APART = winograd.LEAST_PRODUCTS, winograd.LEAST_CHANNELS, winograd.GAIN
IN_TURNS = turns.LARGE, turns.SMALL
ORDINARY = block._LEAST_WORK, block._NEAR
_libc = ctypes.CDLL(None, use_errno=True)


class Room:
    """Memory of `size` bytes flush with a guard page `behind` or `before` it; what is around it inside holds 0xFF."""

    def __init__(self, size: int, side: str) -> None:
        pages = -(-max(size, 1) // PAGE)
        self.memory = mmap.mmap(-1, (pages + 2) * PAGE)
        whole = np.frombuffer(self.memory, np.uint8)
        base = whole.ctypes.data
        self.inside = whole[PAGE : (pages + 1) * PAGE]
        self.inside[:] = 0xFF
        self.start = pages * PAGE - size if side == "behind" else 0
        self.size = size
        for at in (base, base + (pages + 1) * PAGE):
            if _libc.mprotect(ctypes.c_void_p(at), PAGE, 0):
                raise OSError(ctypes.get_errno(), "mprotect")

    @property
    def bytes(self) -> Array:
        return self.inside[self.start : self.start + self.size]

    def surroundings_are_whole(self) -> bool:
        around = (self.inside[: self.start], self.inside[self.start + self.size :])
        return all(bool((part == 0xFF).all()) for part in around)


class Guarded:
    """Arrays and arenas of one run, each tensor with pages of its own."""

    def __init__(self, side: str, plan: Any) -> None:
        self.side, self.program, self.copies = side, plan.program, plan.copies
        self.rooms: dict[object, Room] = {}

    def room(self, key: object, size: int) -> Room:
        if key not in self.rooms:
            self.rooms[key] = Room(size, self.side)
        return self.rooms[key]

    def array(self, name: str, like: Array) -> Array:
        room = self.room(name, like.nbytes)
        room.bytes[:] = np.ascontiguousarray(like).reshape(-1).view(np.uint8)
        return np.ndarray(like.shape, like.dtype, room.bytes.data if like.nbytes else b"")

    def placed(self, arena: Array, places: Mapping[str, int]) -> dict[str, int]:
        """In place of `execute._placed`: a room for each tensor of an arena."""
        at = arena.ctypes.data
        more = {n: (copies - 1) * room(self.program, n) for n, copies in self.copies.items()}
        rooms = {n: self.room((at, n), tensor_bytes(self.program, n) + more.get(n, 0)) for n in places}
        return {n: room.inside.ctypes.data + room.start for n, room in rooms.items()}


def inputs(shape: Shape, program: Any, extents: Mapping[str, int], seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    below = shape.below or {}
    out: dict[str, Array] = {}
    for name, info in program.inputs.items():
        sides = [int(n) for n in info.extents]
        if name in below:
            limit = extents.get(below[name]) or int(below[name])
            out[name] = rng.integers(0, limit, sides).astype(np.uint8 if limit == 256 else np.int64)
        else:
            out[name] = rng.standard_normal(sides).astype(DTYPES[str(info.dtype)])
    return out


def run(shape: Shape, title: str, text: str, extents: Mapping[str, int], how: tuple[str, bool]) -> set[str]:
    """One member, ordinarily and between guard pages; the schedules that it had."""
    small = shape.schedule == "block"  # small extents are to go where large ones do: into blocks, in panels of columns
    block._LEAST_WORK, block._NEAR = (0, 0) if small else ORDINARY
    few = shape.schedule == "windows"
    winograd.LEAST_PRODUCTS, winograd.LEAST_CHANNELS, winograd.GAIN = (0, 0, 0.0) if few else TAKEN_APART
    turns.LARGE, turns.SMALL = (1, 1 << 20) if few else IN_TURNS
    program = il.compile(text, dtype=how[0], constants=dict(extents) if how[1] else None)
    return run_program(program, title, inputs(shape, program, extents, len(title)))


def run_program(program: il.Program, title: str, given: Mapping[str, Array]) -> set[str]:
    """A program, ordinarily and between guard pages; the schedules that it had."""
    typed, arrays = program._bind((), given)
    made = program._executable(typed, program._with_updates(typed, typed.outputs))
    arrays = {**arrays, **program._kept(typed)}
    plain = {n: execute_result(typed, n) for n in typed.outputs}
    made.run(arrays, plain, 1, object())
    original = execute._placed
    for side in SIDES:
        made._fixed = None
        guarded = Guarded(side, made.plan)
        own = {n: guarded.array(n, a) for n, a in arrays.items()}
        found = {n: guarded.array(n, a) for n, a in plain.items()}
        for a in filter(np.size, found.values()):
            a.reshape(-1).view(np.uint8)[:] = 0xFF
        execute._placed = guarded.placed
        made._frames.clear()  # a frame that is there has its addresses already
        try:
            made.run(own, found, 1, object())
        finally:
            execute._placed = original
        for name in typed.outputs:
            assert found[name].tobytes() == plain[name].tobytes(), f"{title}: {name} differs, {side}"
        for name in arrays:
            assert own[name].tobytes() == arrays[name].tobytes(), f"{title}: {name} was written, {side}"
        for key, own_room in guarded.rooms.items():
            assert own_room.surroundings_are_whole(), f"{title}: beside {key}, {side}"
    taken = {"turns"} if made.plan.copies else set[str]()
    return taken | {s.nest.schedule for s in (*made.plan.once, *made.plan.steps)}


def execute_result(typed: Any, name: str) -> Array:
    t = typed.tensor(name)
    return np.zeros(tuple(int(n) for n in t.extents), t.dtype.numpy)


def overrun() -> None:
    """y[i] = 2*x[i] with one iteration too many."""
    program = il.compile("input x[8]\ny[i] = 2*x[i]\noutput y\n", dtype="f64")
    typed, arrays = program._bind((np.ones(8),), {})
    made = program._executable(typed, typed.outputs)
    made._main.table[:, 1] += int(sys.argv[2])
    guarded = Guarded("behind", made.plan)
    own = {n: guarded.array(n, a) for n, a in arrays.items()}
    made.run(own, {"y": guarded.array("y", np.zeros(8))}, 1, object())
    print("survived", flush=True)


def model(name: str, side: int) -> set[str]:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from models.catalogue import BY_NAME

    chosen = BY_NAME[name]
    constants = {"side": side, "normalise": 0, **chosen.constants}
    program = il.load(chosen.path, constants=constants, dtype="f32", threads=1).init(0)
    random = np.random.default_rng(0)
    image = {n: random.standard_normal((1, side, side, 3), np.float32) for n in program.inputs}
    return run_program(program, name, image)


def members(named: bool, first: int, step: int) -> list[tuple[Shape, str, str, dict[str, int]]]:
    """Of each shape the members first, first + step, …, at least one; extents by name, or as numbers of the text."""
    every = [(s, list(s.texts())) for s in SHAPES]
    found = [(s, *m) for s, own in every for m in own[first % len(own) :: step]]
    return found if named else [(s, t, _literal(text, e), e) for s, t, text, e in found]


def _literal(text: str, extents: Mapping[str, int]) -> str:
    return "".join(f"{n} = {v}\n" for n, v in extents.items()) + text


def main() -> None:
    if sys.argv[1] == "overrun":
        overrun()
        return
    if sys.argv[1] == "model":
        print(json.dumps({sys.argv[2]: sorted(model(sys.argv[2], int(sys.argv[3])))}), flush=True)
        return
    dtype, named, first, step = sys.argv[1], sys.argv[2] == "named", int(sys.argv[3]), int(sys.argv[4])
    if dtype == "f64":  # what is small is written past the caches too
        machine._LARGE, stream._LIGHT = 0, 1 << 20
    schedules: dict[str, set[str]] = {}
    for shape, title, text, extents in members(named, first, step):
        print(title, flush=True)
        schedules.setdefault(shape.name, set()).update(run(shape, title, text, extents, (dtype, named)))
    print(json.dumps({name: sorted(found) for name, found in schedules.items()}), flush=True)


if __name__ == "__main__":
    main()
