"""Number formats of files: what each is called, how many bytes it takes, and how it becomes a numpy array."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A row. `name` as safetensors has it; `code` numpy's, without the byte order; `torch` the storage of torch."""

    name: str
    code: str
    torch: str

    @property
    def size(self) -> int:
        """Bytes of a number in the file."""
        return int(self.code[1:])

    @property
    def width(self) -> int:
        """Bytes of a number once it is read."""
        return 4 if self.name in ("F16", "BF16") else self.size


FORMS = (
    Form("F64", "f8", "DoubleStorage"),
    Form("F32", "f4", "FloatStorage"),
    Form("F16", "f2", "HalfStorage"),
    Form("BF16", "u2", "BFloat16Storage"),
    Form("I64", "i8", "LongStorage"),
    Form("I32", "i4", "IntStorage"),
    Form("I16", "i2", "ShortStorage"),
    Form("I8", "i1", "CharStorage"),
    Form("U64", "u8", ""),
    Form("U32", "u4", ""),
    Form("U16", "u2", ""),
    Form("U8", "u1", "ByteStorage"),
    Form("BOOL", "u1", "BoolStorage"),
)
BY_NAME = {form.name: form for form in FORMS}
BY_STORAGE = {form.torch: form for form in FORMS if form.torch}
BY_CODE = {form.code: form for form in FORMS if form.name not in ("BF16", "BOOL")} | {"b1": BY_NAME["BOOL"]}


def decoded(raw: np.ndarray[Any, np.dtype[np.uint8]], form: Form, order: Literal["<", ">"] = "<") -> Array:
    """Bytes as a flat array in the machine's own order; every float of 16 bits is a float32 exactly.

    order  `<` if the file's numbers begin with their lowest byte, else `>`
    """
    numbers = np.require(raw.view(np.dtype(form.code).newbyteorder(order)), requirements=["A", "W"])
    match form.name:
        case "F16":
            return numbers.astype(np.float32)
        case "BF16":
            return (numbers.astype(np.uint32) << 16).view(np.float32)
        case "BOOL":
            return numbers != 0
        case _:
            return numbers.astype(np.dtype(form.code), copy=False)
