"""Files of weights for tests: good ones in every format, and zip archives and pickles put together by hand."""

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.interop.weights import write_weights

SMALL: dict[str, np.ndarray[Any, Any]] = {
    "conv.W": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "n": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "b": np.array([True, False]),
}


def npz(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]] = SMALL) -> Path:
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return path


def safetensors(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]] = SMALL) -> Path:
    write_weights(path, arrays)
    return path


def safe(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    """A .safetensors file with any header; a text is taken as it is."""
    raw = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def tensor(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def npy(shape: str = "(2,)", descr: str = "'<f4'", data: bytes = b"\0" * 8, order: str = "False") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


# -- pickles by hand: protocol 2, no memo but where it is wanted

STORAGE = b"ctorch\nFloatStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
HOOKS = b"ccollections\nOrderedDict\n)R"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key: str = "0", elements: int = 4, kind: bytes = STORAGE, more: bytes = b"") -> bytes:
    return b"(" + text("storage") + kind + text(key) + text("cpu") + number(elements) + more + b"tQ"


def strided(
    extents: tuple[int, ...] = (4,), strides: tuple[int, ...] = (1,), offset: int = 0, of: bytes = storage()
) -> bytes:
    """A tensor as torch describes it."""
    return REBUILD + b"(" + of + number(offset) + numbers(extents) + numbers(strides) + b"\x89" + HOOKS + b"tR"


def table(items: Mapping[str, bytes]) -> bytes:
    return b"}(" + b"".join(text(name) + value for name, value in items.items()) + b"u"


def pickled(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


def framed(length: int) -> bytes:
    """The opcode that begins a frame of so many bytes."""
    return b"\x95" + struct.pack("<Q", length)


def torch_zip(value: bytes, data: Mapping[str, bytes] | None = None, more: Mapping[str, bytes] | None = None) -> bytes:
    """A file of `torch.save`: `value` is what its pickle describes."""
    stored = {"0": b"\0" * 16} if data is None else data
    members = {"archive/data.pkl": pickled(value), **{f"archive/data/{k}": v for k, v in stored.items()}}
    return zipped({**members, **(more or {})})


MAGIC = pickled(number(0x1950A86A20F9469CFC6C))


def torch_stream(value: bytes, keys: bytes | None = None, data: bytes | None = None, little: bytes = b"\x88") -> bytes:
    """A file of `torch.save` in the older format."""
    machine = table({"little_endian": little})
    keys = b"](" + text("0") + b"e" if keys is None else keys
    data = struct.pack("<Q", 4) + b"\0" * 16 if data is None else data
    return MAGIC + b"".join(map(pickled, (number(1001), machine, value, keys))) + data


GOOD = table({"w": strided()})
