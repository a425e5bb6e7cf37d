"""The opcodes of a pickle, carried out for what a file of weights needs: dictionaries, numbers, texts, tensors.

A pickle is a program for a small machine with a stack, and its opcode REDUCE calls any function of Python: loading one
runs what its author wrote. Here nothing is imported and nothing is called. A name of Python (GLOBAL, STACK_GLOBAL) is
looked up in a short table and stays a name; REDUCE knows what each of them stands for; any other name is refused.

source  the opcodes are those of the standard library's `pickletools`, which parses them and carries out none
"""

import pickletools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from indexlang.interop.weights.archive import Damaged, Refused, shown
from indexlang.interop.weights.forms import BY_STORAGE, Form

LONGEST = 16 << 20
MOST_STEPS = 400_000
LARGEST_KEY = 1 << 53  # keys of a dictionary; larger ones could be chosen to collide


@dataclass(frozen=True, slots=True)
class Name:
    """A name of Python that is known here. It is never looked up there."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of numbers of one form, from element `start` of the numbers stored under `key`."""

    form: Form
    key: str
    elements: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Strided:
    """A tensor as torch describes it: a view of a storage, offset and strides in elements."""

    storage: Storage
    offset: int
    extents: tuple[object, ...]  # as they stand there, not looked at
    strides: tuple[object, ...]


class Mark:
    """What the opcode MARK puts on the stack."""


MARK = Mark()
DICT = Name("collections", "OrderedDict")
TENSOR = Name("torch._utils", "_rebuild_tensor_v2")
OLD_TENSOR = Name("torch._utils", "_rebuild_tensor")
PARAMETER = Name("torch._utils", "_rebuild_parameter")
FORMS = {Name(module, name): form for name, form in BY_STORAGE.items() for module in ("torch", "torch.cuda")}


class Limited:
    """A stream of at most `limit` bytes of `file`: a length that a pickle claims never becomes an allocation."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = self._left = limit

    def read(self, count: int) -> bytes:
        """At most `count` bytes, fewer at the limit: the reader takes that for the end of the file."""
        return self._counted(self._file.read(max(min(count, self._left), 0)))

    def readline(self) -> bytes:
        """A line, cut off at the limit."""
        return self._counted(self._file.readline(self._left))

    def tell(self) -> int:
        """How many bytes were read."""
        return self._limit - self._left

    def _counted(self, raw: bytes) -> bytes:
        self._left -= len(raw)
        return raw


def value_of(stream: Limited) -> tuple[object, Mapping[str, Storage]]:
    """What the next pickle of `stream` describes, and the storages that it names, by key.

    cost    at most 400,000 opcodes; every value is as large as its text
    errors  Refused: a name that is not known here. Damaged: anything else.
    """
    machine = Machine()
    try:
        frame = 0  # where the last one ends
        for count, (opcode, argument, at) in enumerate(pickletools.genops(cast(Any, stream))):
            if count == MOST_STEPS:
                raise Damaged("its pickle is too long for a table of tensors")
            if at is not None and at < frame and not _in_frame(opcode.name, stream.tell(), frame):
                raise Damaged("its pickle has a frame that does not end where it says")
            if opcode.name == "FRAME":
                frame = stream.tell() + cast(int, argument)
            if opcode.name == "STOP":
                return machine.result(), machine.storages
            step(machine, opcode.name, argument)
    except (ValueError, OverflowError, MemoryError, Warning):  # of pickletools, at what is no pickle
        raise Damaged("it is damaged or cut off: its pickle cannot be read") from None
    raise Damaged("it is cut off: its pickle does not end")


def _in_frame(name: str, end: int, frame: int) -> bool:
    """Whether an opcode that ends at `end` may stand in a frame: frames hold whole opcodes, and none is in another (PEP 3154)."""
    return end == frame or (end < frame and name not in ("FRAME", "STOP"))


@dataclass(slots=True)
class Machine:
    """The stack, the memo, and the storages that were named."""

    stack: list[object] = field(default_factory=list[object])
    memo: dict[int, object] = field(default_factory=dict[int, object])
    storages: dict[str, Storage] = field(default_factory=dict[str, Storage])

    def push(self, value: object) -> None:
        """Put a value down."""
        self.stack.append(value)

    def pop(self) -> object:
        """Take the last value. Raises Damaged where there is none above the last mark."""
        if not self.stack or self.stack[-1] is MARK:
            raise Damaged("its pickle takes more than it has put down")
        return self.stack.pop()

    def top(self) -> object:
        """The last value, which stays. Raises Damaged."""
        value = self.pop()
        self.push(value)
        return value

    def marked(self) -> list[object]:
        """Everything above the last mark, taken off with it."""
        at = len(self.stack) - 1
        while at >= 0 and self.stack[at] is not MARK:
            at -= 1
        if at < 0:
            raise Damaged("its pickle takes more than it has put down")
        found = self.stack[at + 1 :]
        del self.stack[at:]
        return found

    def keep(self, at: int) -> None:
        """Remember the last value under the number `at`."""
        self.memo[at] = self.top()

    def kept(self, at: int) -> object:
        """The value remembered under `at`. Raises Damaged where nothing was."""
        if at not in self.memo:
            raise Damaged("its pickle speaks of a value that it has not made")
        return self.memo[at]

    def result(self) -> object:
        """The only value that is left. Raises Damaged where there are more, or none."""
        value = self.pop()
        if self.stack:
            raise Damaged("its pickle ends with values left over")
        return value


def step(machine: Machine, name: str, argument: Any) -> None:
    """Carry out one opcode."""
    if name in VALUES:
        machine.push(argument)
    elif name in CONSTANTS:
        machine.push(CONSTANTS[name]())
    elif name in STEPS:
        STEPS[name](machine, argument)
    elif name in CALLS:
        raise Refused(_spelled(argument) if isinstance(argument, str) else f"the opcode {name}")
    else:
        raise Damaged(f"its pickle holds what no tensor needs (opcode {name})")


# -- opcodes

VALUES = frozenset((
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
))  # fmt: skip
CONSTANTS: Mapping[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: MARK,
}
CALLS = frozenset(("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID"))


def _nothing(machine: Machine, _: Any) -> None:
    """Version and framing say nothing about the value."""


def _global(machine: Machine, argument: str) -> None:
    module, _, name = argument.partition(" ")
    machine.push(_known(module, name))


def _stack_global(machine: Machine, _: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(_known(str(module), str(name)))


def _known(module: str, name: str) -> Name:
    found = Name(module, name)
    if found in FORMS or found in REBUILT:
        return found
    raise Refused(_spelled(f"{module} {name}"))


def _spelled(name: str) -> str:
    return shown(name.replace(" ", "."))


def _reduce(machine: Machine, _: Any) -> None:
    arguments, called = machine.pop(), machine.pop()
    if not isinstance(called, Name) or called not in REBUILT or not isinstance(arguments, tuple):
        raise Refused("a call of what is no function of torch")
    machine.push(REBUILT[called](cast(tuple[object, ...], arguments)))


def _build(machine: Machine, _: Any) -> None:
    """A state_dict carries versions of its modules as an attribute; they say nothing about the tensors."""
    state, built = machine.pop(), machine.top()
    if not isinstance(built, dict) or not isinstance(state, dict):
        raise Refused("the state of an object")


def _persistent(machine: Machine, _: Any) -> None:
    """What torch leaves out of a pickle: `('storage', type, key, device, elements)`, older files with a view."""
    given = _parts(machine.pop())
    match given[:5]:
        case ("storage", Name() as kind, str(key), str(), int(elements)) if kind in FORMS and elements >= 0:
            storage = Storage(FORMS[kind], key, elements)
        case ("module", *_):
            raise Refused("the source of a module")
        case _:
            raise Damaged("its pickle speaks of a storage in a way that is not known")
    if machine.storages.setdefault(key, storage) != storage:
        raise Damaged(f"its pickle says two things about the storage `{shown(key)}`")
    machine.push(_viewed(storage, given[5:]))


def _parts(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise Damaged("its pickle has a single value where several belong")
    return cast(tuple[object, ...], value)


def _viewed(storage: Storage, view: tuple[object, ...]) -> Storage:
    match view:
        case () | (None,):
            return storage
        case ((str(), int(start), int(elements)),) if 0 <= start <= start + elements <= storage.elements:
            return Storage(storage.form, storage.key, storage.elements, start)
        case _:
            raise Damaged("its pickle speaks of a part of a storage that it does not have")


def _put_items(machine: Machine, items: list[object]) -> None:
    target = machine.top()
    if not isinstance(target, dict) or len(items) % 2:
        raise Damaged("its pickle puts items into what is no dictionary")
    _fill(cast(dict[object, object], target), items[::2], items[1::2])


def _fill(target: dict[object, object], keys: Sequence[object], values: Sequence[object]) -> None:
    for key, value in zip(keys, values, strict=True):
        if not isinstance(key, str) and not (isinstance(key, int) and abs(key) < LARGEST_KEY):
            raise Damaged("its pickle has a dictionary whose keys are no names")
        if key in target:
            raise Damaged(f"it has `{shown(str(key))}` twice")
        target[key] = value


def _setitem(machine: Machine, _: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _put_items(machine, [key, value])


def _dict(machine: Machine, _: Any) -> None:
    items = machine.marked()
    machine.push({})
    _put_items(machine, items)


def _append(machine: Machine, items: list[object]) -> None:
    target = machine.top()
    if not isinstance(target, list):
        raise Damaged("its pickle appends to what is no list")
    cast(list[object], target).extend(items)


def _drop(machine: Machine, _: Any) -> None:
    machine.pop()


def _drop_marked(machine: Machine, _: Any) -> None:
    machine.marked()


def _tuple(count: int) -> Callable[[Machine, Any], None]:
    def made(machine: Machine, _: Any) -> None:
        parts = [machine.pop() for _ in range(count)]
        machine.push(tuple(reversed(parts)))

    return made


STEPS: Mapping[str, Callable[[Machine, Any], None]] = {
    "PROTO": _nothing,
    "FRAME": _nothing,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "BINPERSID": _persistent,
    "SETITEM": _setitem,
    "SETITEMS": lambda machine, _: _put_items(machine, machine.marked()),
    "DICT": _dict,
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: _append(machine, machine.marked()),
    "LIST": lambda machine, _: machine.push(machine.marked()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.marked())),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "POP": _drop,
    "POP_MARK": _drop_marked,
    "DUP": lambda machine, _: machine.push(machine.top()),
    "PUT": lambda machine, at: machine.keep(at),
    "BINPUT": lambda machine, at: machine.keep(at),
    "LONG_BINPUT": lambda machine, at: machine.keep(at),
    "MEMOIZE": lambda machine, _: machine.keep(len(machine.memo)),
    "GET": lambda machine, at: machine.push(machine.kept(at)),
    "BINGET": lambda machine, at: machine.push(machine.kept(at)),
    "LONG_BINGET": lambda machine, at: machine.push(machine.kept(at)),
}


# -- what the known names stand for


def _ordered(arguments: tuple[object, ...]) -> object:
    """`OrderedDict()` or `OrderedDict([(key, value), …])`."""
    found: dict[object, object] = {}
    first = arguments[0] if arguments else cast(object, [])
    if len(arguments) > 1 or not isinstance(first, list):
        raise Damaged("its pickle makes a dictionary in a way that is not known")
    for pair in cast(list[object], first):
        both = cast(Sequence[object], pair)
        if not isinstance(pair, tuple | list) or len(both) != 2:
            raise Damaged("its pickle puts items into what is no dictionary")
        _fill(found, both[:1], both[1:])
    return found


def _tensor(arguments: tuple[object, ...]) -> object:
    """`_rebuild_tensor_v2(storage, offset, extents, strides, …)`; what follows is about gradients."""
    match arguments:
        case (Storage() as storage, int(offset), extents, strides, *_):
            return Strided(storage, offset, _parts(extents), _parts(strides))
        case _:
            raise Damaged("its pickle describes a tensor in a way that is not known")


def _parameter(arguments: tuple[object, ...]) -> object:
    match arguments:
        case (Strided() as tensor, *_):
            return tensor
        case _:
            raise Damaged("its pickle describes a parameter in a way that is not known")


REBUILT: Mapping[Name, Callable[[tuple[object, ...]], object]] = {
    DICT: _ordered,
    TENSOR: _tensor,
    OLD_TENSOR: _tensor,
    PARAMETER: _parameter,
}
