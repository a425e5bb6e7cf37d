"""What the program's inputs want of data: a batch axis, extents of an example, a dtype."""

from collections.abc import Sequence
from math import prod

import numpy as np

from indexlang.interop.files import Declared
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Role, Tensor
from indexlang.parameters import as_array, converted
from indexlang.text.diagnostics import DataError, data_error
from indexlang.train.data.dataset import extents

Extent = int | str | None
BATCH = "declare it as `input {name}[B, …]`, or make it a constant or a param"


def tensor_of(info: Declared) -> Tensor:
    """The input as the tensor that `parameters.converted` knows; extents do not matter there."""
    return Tensor(info.name, (), DType(info.dtype), Role.INPUT)


def is_float(info: Declared) -> bool:
    """Whether the input holds floats."""
    return DType(info.dtype).is_float


def suits(info: Declared, dtype: np.dtype[np.generic]) -> bool:
    """Whether numbers of `dtype` can stand for the input's: as in `parameters.converted`, but for their values."""
    try:
        converted(tensor_of(info), as_array(info.name, np.empty(0, dtype)))
    except DataError:
        return False
    return True


def check_batch(inputs: Sequence[Declared]) -> str:
    """The named extent that is the first axis of all inputs, and no other axis.

    Raises DataError E0807, or E0804 for a program without inputs.
    """
    names: dict[str, str] = {}
    for info in inputs:
        first = info.extents[0] if info.extents else None
        if not isinstance(first, str) or not first.isidentifier():
            said = f"its first extent is {first}" if info.extents else "it has no axes"
            raise _no_batch(info, said, BATCH.format(name=info.name))
        if first in info.extents[1:]:
            raise _no_batch(info, f"`{first}` is another axis too", "give the other axis another name")
        other = next(iter(names), first)
        if other != first:
            said = f"its first extent is {first}, but that of `{names[other]}` is {other}"
            raise _no_batch(info, said, f"name both {other}")
        names.setdefault(first, info.name)
    if not names:
        raise data_error(
            "E0804",
            data="the data",
            input="",
            message="the program has no inputs",
            advice="declare one: `input x[B, 8]`",
        )
    return next(iter(names))


def element(info: Declared, given: tuple[int, ...]) -> tuple[int, ...] | None:
    """The extents that an example of extents `given` gets to be one of the input's, or None where it cannot.

    The same number of elements in the same order: axes of extent 1 come or go, or one of the two is a vector
    (row-major). A named extent of the input takes any extent.
    """
    wanted = tuple(info.extents[1:])
    for shape in (given, (*given, 1), given[:-1] if given[-1:] == (1,) else given):
        if _agree(wanted, shape):
            return shape
    fixed = tuple(n for n in wanted if isinstance(n, int))
    if len(fixed) < len(wanted) or prod(fixed) != prod(given):
        return None
    same = [n for n in fixed if n != 1] == [n for n in given if n != 1]
    return fixed if same or len(fixed) <= 1 or len(given) <= 1 else None


def bind(info: Declared, shape: tuple[int, ...], sizes: dict[str, tuple[int, str]]) -> None:
    """Let `shape` give the input's named extents their values. Raises DataError E0805 where two inputs disagree."""
    for name, found in zip(info.extents[1:], shape, strict=True):
        if not isinstance(name, str) or not name.isidentifier():
            continue
        size, first = sizes.setdefault(name, (found, info.name))
        if size != found:
            given = f"its column has {found} for {name}, and that of `{first}` has {size}"
            wanted = extents(info.extents)
            raise data_error("E0805", input=info.name, wanted=wanted, given=given, advice="give columns that agree")


def _agree(wanted: Sequence[Extent], given: tuple[int, ...]) -> bool:
    return len(wanted) == len(given) and all(
        not isinstance(n, int) or n == m for n, m in zip(wanted, given, strict=True)
    )


def _no_batch(info: Declared, message: str, advice: str) -> DataError:
    shown = extents(info.extents)
    return data_error("E0807", input=info.name, extents=shown, message=message, advice=advice)
