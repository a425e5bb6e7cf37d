"""The number types of tensors and values."""

from enum import Enum

import numpy as np


class DType(Enum):
    """A tensor's storage type; a value read from it is a bool, an int (i64) or a float (f32 or f64)."""

    BOOL = "bool"
    U8 = "u8"
    I32 = "i32"
    INT = "int"
    F32 = "f32"
    F64 = "f64"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        return _NUMPY[self]

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        return self in (DType.F32, DType.F64)

    @property
    def is_int(self) -> bool:
        return self in (DType.U8, DType.I32, DType.INT)

    @property
    def value(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._value_

    @property
    def read(self) -> "DType":
        """The type that an element has as a value: the narrow integers widen to int."""
        return DType.INT if self.is_int else self

    def __str__(self) -> str:
        return self._value_


_NUMPY = {
    DType.BOOL: np.dtype(np.bool_),
    DType.U8: np.dtype(np.uint8),
    DType.I32: np.dtype(np.int32),
    DType.INT: np.dtype(np.int64),
    DType.F32: np.dtype(np.float32),
    DType.F64: np.dtype(np.float64),
}
_WIDTH = (DType.BOOL, DType.INT, DType.F32, DType.F64)


def named(name: str, default: DType) -> DType | None:
    """The dtype a declaration names (`float` is the program's own), or None."""
    if name == "float":
        return default
    return next((d for d in DType if d.value == name), None)


def joined(*dtypes: DType) -> DType:
    """The type in which values of these types meet: bool < int < f32 < f64."""
    return max((d.read for d in dtypes), key=_WIDTH.index)
