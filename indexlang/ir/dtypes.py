"""The number types of tensors and values."""

from enum import Enum
from importlib import import_module
from typing import Any


class DType(Enum):
    """A tensor's storage type; a value read from it is a bool, an int (i64) or a float (f32 or f64)."""

    BOOL = "bool"
    U8 = "u8"
    I32 = "i32"
    INT = "int"
    F32 = "f32"
    F64 = "f64"

    @property
    def numpy(self) -> Any:
        """numpy's dtype. (numpy is imported here, not above: checking a program needs none.)"""
        return import_module("numpy").dtype(_NUMPY[self])

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return _SIZES[self]

    @property
    def is_float(self) -> bool:
        """Whether its values are floats."""
        return self in (DType.F32, DType.F64)

    @property
    def is_int(self) -> bool:
        """Whether its values are whole numbers: bool is neither."""
        return self in (DType.U8, DType.I32, DType.INT)

    @property
    def value(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As the language writes it: `f32`."""
        return self._value_

    @property
    def read(self) -> "DType":
        """The type that an element has as a value: the narrow integers widen to int."""
        return DType.INT if self.is_int else self

    def __str__(self) -> str:
        return self._value_


_NUMPY = {
    DType.BOOL: "bool",
    DType.U8: "uint8",
    DType.I32: "int32",
    DType.INT: "int64",
    DType.F32: "float32",
    DType.F64: "float64",
}
_SIZES = {DType.BOOL: 1, DType.U8: 1, DType.I32: 4, DType.INT: 8, DType.F32: 4, DType.F64: 8}
_WIDTH = (DType.BOOL, DType.INT, DType.F32, DType.F64)
_RANK = {d: _WIDTH.index(d.read) for d in DType}


def named(name: str, default: DType) -> DType | None:
    """The dtype a declaration names (`float` is the program's own), or None."""
    if name == "float":
        return default
    return next((d for d in DType if d.value == name), None)


def joined(*dtypes: DType) -> DType:
    """The type in which values of these types meet: bool < int < f32 < f64."""
    return _WIDTH[max([_RANK[d] for d in dtypes])]
