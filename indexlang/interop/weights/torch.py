"""What `torch.save` wrote, without torch: a zip archive with a pickle and storages, or the older single stream.

Tensors are views of storages; offset, extents and strides are compared with the storage before anything is read.
source  torch/serialization.py, `_save` and `_legacy_save`
"""

import io
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import BinaryIO, Literal, cast

import numpy as np

from indexlang.interop.weights.archive import Array, Damaged, Entry, checked_extents, product, shown, taken
from indexlang.interop.weights.forms import decoded
from indexlang.interop.weights.pickles import LONGEST, Limited, Storage, Strided, value_of
from indexlang.interop.weights.zips import Member, contents, head

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
PICKLE = "data.pkl"
REPEATED = 1 << 22  # elements that a tensor may have beyond those of its storage (an expanded scalar)
WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
MOST_WRAPPERS = 8
ORDERS: Mapping[bytes, Literal["<", ">"]] = {b"little": "<", b"big": ">"}
LONGEST_ORDER = 16  # bytes that are looked at

Source = Callable[[str], Array]


def is_archive(members: Mapping[str, Member]) -> bool:
    """Whether the members of a zip file are those that `torch.save` writes: one is a pickle named data.pkl."""
    return any(name.rpartition("/")[2] == PICKLE for name in members)


def zip_entries(file: BinaryIO, members: Mapping[str, Member]) -> Iterator[Entry]:
    """The tensors of an archive that `torch.save` wrote. Raises Damaged, Refused."""
    folder = next(name for name in members if name.rpartition("/")[2] == PICKLE)[: -len(PICKLE)]
    at = {name[len(folder) :]: member for name, member in members.items() if name.startswith(folder)}
    if "constants.pkl" in at:
        raise Damaged("it is a TorchScript program; save the state_dict of its model instead")
    if at[PICKLE].size > LONGEST:
        raise Damaged("its pickle is too long for a table of tensors")
    order = _order(file, at.get("byteorder"))
    value, storages = value_of(Limited(io.BytesIO(contents(file, at[PICKLE]).tobytes()), LONGEST))
    for key, storage in storages.items():
        member = at.get(f"data/{key}")
        if member is None or member.size != storage.elements * storage.form.size:
            raise Damaged(f"it does not have the numbers of its storage `{shown(key)}`, or not as many as it says")

    @lru_cache(maxsize=1)  # tensors that share a storage mostly follow each other
    def flat(key: str) -> Array:
        return decoded(contents(file, at[f"data/{key}"]), storages[key].form, order)

    return (_entry(name, tensor, flat) for name, tensor in state(value).items())


def _order(file: BinaryIO, member: Member | None) -> Literal["<", ">"]:
    """The byte order of the numbers of an archive: that of the machine it was written on, if it tells. Raises Damaged."""
    if member is None:
        return "<"
    said = head(file, member, LONGEST_ORDER)
    if said not in ORDERS:
        raise Damaged(f"it names a byte order that is not known: `{shown(said.decode('latin-1'))}`")
    return ORDERS[said]


def stream_entries(file: BinaryIO, size: int) -> Iterator[Entry]:
    """The tensors of a file in the older format of `torch.save`. Raises Damaged, Refused.

    Five pickles: a number, a version, the machine, the value, the keys of the storages; then each storage with its
    length before it. Numbers begin with their lowest byte, whatever is said of the machine: torch turned them round.
    """
    file.seek(0)
    stream = Limited(file, LONGEST)
    if value_of(stream)[0] != MAGIC:
        raise Damaged("it is a pickle, but not one that `torch.save` wrote")
    version, machine = value_of(stream)[0], value_of(stream)[0]
    value, storages = value_of(stream)
    keys = value_of(stream)[0]
    if version != PROTOCOL or not isinstance(machine, dict) or not isinstance(keys, list):
        raise Damaged("it is of a version of `torch.save` that is not known")
    places = _places(file, size, cast(list[object], keys), storages)

    @lru_cache(maxsize=1)
    def flat(key: str) -> Array:
        storage = storages[key]
        return decoded(taken(file, places[key], storage.elements * storage.form.size), storage.form)

    return (_entry(name, tensor, flat) for name, tensor in state(value).items())


def _places(file: BinaryIO, size: int, keys: list[object], storages: Mapping[str, Storage]) -> dict[str, int]:
    """Where the numbers of each storage begin."""
    places: dict[str, int] = {}
    at = file.tell()
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        if storage is None or storage.key in places or at + 8 > size:
            raise Damaged("it is cut off, or has other storages than it says")
        count = int.from_bytes(taken(file, at, 8).tobytes(), "little")
        places[storage.key] = at + 8
        at += 8 + count * storage.form.size
        if count != storage.elements or at > size:
            raise Damaged("it is cut off, or has other storages than it says")
    if len(places) != len(storages):
        raise Damaged("it is cut off, or has other storages than it says")
    return places


def state(value: object) -> dict[str, Strided]:
    """The tensors of a state_dict by name; of a checkpoint that holds one among other things, that one (Damaged)."""
    for _ in range(MOST_WRAPPERS):
        if not isinstance(value, dict):
            break
        table = cast(dict[object, object], value)
        found = {name: item for name, item in table.items() if isinstance(name, str) and isinstance(item, Strided)}
        inside = [name for name, item in table.items() if isinstance(item, dict)]
        if found or not table:
            return found
        named = [name for name in WRAPPERS if name in inside] or inside
        if not named or (named is inside and len(inside) > 1):
            keys = ", ".join(shown(str(name)) for name in list(table)[:5])
            raise Damaged(f"it is no state_dict: a dictionary of {keys}")
        value = table[named[0]]
    raise Damaged("it holds no state_dict")


def _entry(name: str, tensor: Strided, flat: Source) -> Entry:
    storage, extents = tensor.storage, checked_extents(name, tensor.extents)
    strides, offset = checked_extents(name, tensor.strides), tensor.offset + storage.start
    inside = len(strides) == len(extents) and tensor.offset >= 0
    last = offset + sum((n - 1) * by for n, by in zip(extents, strides, strict=True)) if inside else -1
    if not inside or (0 not in extents and last >= storage.elements):
        raise Damaged(f"`{shown(name)}` leaves its storage")
    if product(extents) > max(storage.elements, REPEATED):
        raise Damaged(f"`{shown(name)}` claims more numbers than its storage holds")

    def read() -> Array:
        if 0 in extents:
            return decoded(np.zeros(0, np.uint8), storage.form).reshape(extents)
        numbers = flat(storage.key)[offset:]
        steps = tuple(by * numbers.itemsize for by in strides)
        view: Array = np.lib.stride_tricks.as_strided(numbers, extents, steps, writeable=False)
        return view.copy()

    return Entry(name, storage.form, extents, read)
