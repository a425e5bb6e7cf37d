"""safetensors: eight bytes that say how long the header is, a header in JSON, and the numbers.

The header is compared with the file before anything is allocated: every dtype is known, every tensor has the bytes that
its extents need, and together they fill the file without gap or overlap, as the format asks.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from indexlang.interop.weights.archive import Array, Damaged, Entry, checked_extents, product, shown, taken
from indexlang.interop.weights.forms import BY_CODE, BY_NAME, Form, decoded

LONGEST_HEADER = 4 << 20
PREFIX = 8
METADATA = "__metadata__"


def entries(file: BinaryIO, size: int) -> Iterator[Entry]:
    """The tensors of a .safetensors file of `size` bytes. Raises Damaged."""
    if size < PREFIX:
        raise Damaged("it is cut off, or not a .safetensors file")
    length = int.from_bytes(taken(file, 0, PREFIX).tobytes(), "little")
    if length > min(size - PREFIX, LONGEST_HEADER):
        raise Damaged("it is damaged, or not a .safetensors file: its header cannot be as long as it says")
    header = _header(taken(file, PREFIX, length).tobytes())
    start, end = PREFIX + length, 0
    for begin, stop, name, form, extents in sorted(_rows(header), key=lambda row: row[:3]):
        if begin != end:
            raise Damaged(f"`{shown(name)}` overlaps another tensor, or leaves a gap behind it")
        end = stop
        yield Entry(name, form, extents, _reader(file, start + begin, form, extents))
    if start + end != size:
        raise Damaged(f"its header speaks of {start + end} bytes, but it has {size}")


def write(path: Path, arrays: Mapping[str, Array], notes: Mapping[str, str] | None) -> None:
    """Write the tensors, the widest numbers first, with notes in the header. Raises OSError, ValueError.

    Into this very file: what the package itself writes goes by way of a file with a name of its own, which a kill leaves behind.
    """
    order = sorted(arrays.items(), key=lambda item: (-item[1].itemsize, item[0]))
    header: dict[str, Any] = {} if notes is None else {METADATA: dict(notes)}
    end = 0
    for name, a in order:
        header[name] = {"dtype": _form(a).name, "shape": a.shape, "data_offsets": (end, end + a.nbytes)}
        end += a.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % PREFIX)  # so that every number lies at a multiple of its size
    with path.open("wb") as file:
        file.write(len(text).to_bytes(PREFIX, "little") + text)
        for _, a in order:
            lowest_first = np.ascontiguousarray(a, a.dtype.newbyteorder("<"))
            file.write(lowest_first.reshape(-1).view(np.uint8).data)


def _form(a: Array) -> Form:
    form = BY_CODE.get(a.dtype.str[1:])
    if form is None:
        raise ValueError(f"numbers of type {a.dtype} cannot be written")
    return form


def _header(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):  # the UnicodeDecodeError is a ValueError
        raise Damaged("it is damaged, or not a .safetensors file: its header is no JSON") from None
    if not isinstance(header, dict):
        raise Damaged("it is damaged: its header is no table of tensors")
    _check_metadata(header.get(METADATA))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return header  # pyright: ignore[reportUnknownVariableType]


def _check_metadata(found: object) -> None:
    """The format allows texts by name there, or null. Raises Damaged."""
    texts = cast(dict[object, object], found).values() if isinstance(found, dict) else ()
    if not isinstance(found, dict | None) or not all(isinstance(text, str) for text in texts):
        raise Damaged(f"it is damaged: its {METADATA} is no table of texts")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. A name given twice would hide a tensor."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Damaged(f"its header has two tensors named `{shown(twice)}`")
    return found


def _rows(header: dict[str, Any]) -> Iterator[tuple[int, int, str, Form, tuple[int, ...]]]:
    for name, about in header.items():
        if name == METADATA:
            continue
        match about:
            case {"dtype": str(dtype), "shape": shape, "data_offsets": [int(begin), int(stop)]}:
                pass
            case _:
                raise Damaged(f"the header of `{shown(name)}` does not say dtype, shape and place")
        if dtype not in BY_NAME:
            raise Damaged(f"`{shown(name)}` holds {shown(dtype)}; {', '.join(BY_NAME)} can be read")
        extents, form = checked_extents(name, shape), BY_NAME[dtype]
        if begin < 0 or stop - begin != product(extents) * form.size:
            raise Damaged(f"`{shown(name)}` does not have the bytes that its extents need")
        yield begin, stop, name, form, extents


def _reader(file: BinaryIO, at: int, form: Form, extents: tuple[int, ...]) -> Any:
    def read() -> Array:
        return decoded(taken(file, at, product(extents) * form.size), form).reshape(extents)

    return read
