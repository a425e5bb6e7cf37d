"""Parameters and states: looked up and assigned by name."""

import hashlib
from collections.abc import Iterator, MutableMapping
from itertools import count
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir.equation import Tensor
from indexlang.ir.size import Size
from indexlang.run.lasting import Lasting
from indexlang.text.diagnostics import data_error
from indexlang.text.names import did_you_mean

Array = NDArray[Any]

_versions = count(1)  # one count for all, so that no two states of parameters have the same


class Parameters(MutableMapping[str, Array]):
    """Arrays by name. What is read is read-only; assignment checks extents and dtype, and copies.

    version  changes with every assignment
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors
        self.arrays: dict[str, Array] = {}
        self.version = 0
        self._lasting: Lasting | None = None
        self._lock = Lock()

    def __getitem__(self, name: str) -> Array:
        self._known(name)
        return self.arrays[name]

    def __setitem__(self, name: str, value: Any) -> None:
        tensor = self._known(name)
        array = fitted(tensor, value)
        self.put(name, array.copy() if array is value or array.base is not None else array)

    def put(self, name: str, array: Array) -> None:
        """Take an array over as it is."""
        with self._lock:
            array.setflags(write=False)
            self.arrays[name] = array
            self.version = next(_versions)
            self._lasting = None

    @property
    def lasting(self) -> Lasting:
        """The arrays as they are now: the same object until the next assignment."""
        with self._lock:
            if self._lasting is None:
                self._lasting = Lasting(dict(self.arrays))
            return self._lasting

    def __delitem__(self, name: str) -> None:
        raise data_error(
            "E0609", message=f"`{name}` cannot be removed: the program reads it", advice="assign other values"
        )

    def __contains__(self, name: object) -> bool:
        return name in self.tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def __repr__(self) -> str:
        inside = ", ".join(f"{n}[{', '.join(map(str, t.extents))}]" for n, t in self.tensors.items())
        return f"Parameters({inside})"

    def _known(self, name: str) -> Tensor:
        if name not in self.tensors:
            advice = did_you_mean(name, self.tensors, f"there are {', '.join(self.tensors) or 'none'}")
            raise data_error("E0605", kind="parameter", name=name, advice=advice)
        return self.tensors[name]


def fitted(tensor: Tensor, value: Any) -> Array:
    """`value` as an array of the tensor's dtype, C-contiguous. Raises DataError E0601, E0602, E0603, E0608."""
    array = as_array(tensor.name, value)
    if array.ndim != len(tensor.extents):
        wanted = f"{len(tensor.extents)} axes {_listed(tensor.extents)}"
        raise data_error("E0602", tensor=tensor.name, wanted=wanted, given=f"{array.ndim}", advice="reshape it")
    if any(not isinstance(n, Size) and n != m for n, m in zip(tensor.extents, array.shape, strict=True)):
        raise data_error(
            "E0601",
            tensor=tensor.name,
            wanted=_listed(tensor.extents),
            given=_listed(array.shape),
            advice="give an array of these extents",
        )
    return converted(tensor, array)


def converted(tensor: Tensor, array: Array) -> Array:
    """The array in the tensor's dtype. Floats do not become ints, nor numbers bools (E0603)."""
    wanted = tensor.dtype.numpy
    if array.dtype == wanted:
        return np.ascontiguousarray(array).reshape(array.shape)
    kind, into = array.dtype.kind, wanted.kind
    into = "i" if into == "u" else into
    allowed = {"b": "bif", "i": "if", "u": "if", "f": "f"}.get(kind, "")
    narrow = into == "i" and wanted.itemsize < 8 and kind in "iu" and array.size and not _fits(array, wanted)
    if (
        into not in allowed
        or narrow
        or (kind == "u" and array.dtype.itemsize == 8 and into == "i" and not _fits(array, wanted))
    ):
        given = f"an array of {array.dtype}" + (" with values outside its range" if narrow else "")
        raise data_error(
            "E0603",
            tensor=tensor.name,
            wanted=tensor.dtype.value,
            given=given,
            advice=f"convert it, as in `x.astype('{wanted}')`",
        )
    return np.ascontiguousarray(array.astype(wanted)).reshape(array.shape)


def _fits(array: Array, dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return not array.size or bool(int(array.min()) >= limits.min and int(array.max()) <= limits.max)


def as_array(name: str, value: Any) -> Array:
    """Anything numpy can view. Raises DataError E0608, E0603 for complex numbers."""
    try:
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            value = np.from_dlpack(value)
        array = np.asarray(value)
    except Exception as problem:
        raise data_error(
            "E0608", tensor=name, message=f"numpy cannot view it ({problem})", advice="give an array of numbers"
        ) from None
    if array.dtype.kind == "c":
        raise data_error(
            "E0603",
            tensor=name,
            wanted="real numbers",
            given=f"an array of {array.dtype}",
            advice="give the real and the imaginary part as two tensors",
        )
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        what = "an array of objects" if array.dtype.kind == "O" else f"an array of {array.dtype}"
        raise data_error(
            "E0608",
            tensor=name,
            message=f"it is {what}, not of bools, ints or floats",
            advice="convert it to a float array",
        )
    return array


def _listed(extents: Any) -> str:
    return "[" + ", ".join(str(n) for n in extents) + "]"


def run_key(seed: int, run: int) -> Array:
    """The key of the random tensors of one run: 62 bits of a hash, as a scalar."""
    digest = hashlib.sha256(f"indexlang run {seed} {run}".encode()).digest()
    return np.array(int.from_bytes(digest[:8], "little") >> 2, np.int64)
