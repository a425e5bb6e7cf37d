"""The arguments of a call: matched with the inputs, and what they say of named extents and dtypes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir import size
from indexlang.ir.dtypes import DType
from indexlang.ir.equation import Tensor
from indexlang.ir.size import Size
from indexlang.parameters import as_array, converted
from indexlang.summary import TensorInfo
from indexlang.text.diagnostics import data_error
from indexlang.text.names import did_you_mean

Array = NDArray[Any]

_DTYPES = {
    np.dtype(np.bool_): DType.BOOL,
    np.dtype(np.uint8): DType.U8,
    np.dtype(np.int32): DType.I32,
    np.dtype(np.float64): DType.F64,
}


def matched(
    inputs: Sequence[Tensor], args: Sequence[Any], named: Mapping[str, Any], read: Callable[[], Collection[str]]
) -> dict[str, Array]:
    """The arrays by input name. Raises DataError E0604, E0605, E0608.

    read  the inputs that are needed: others may be left out, where those given tell the extents that they would
    """
    names = [t.name for t in inputs]
    if len(args) > len(names):
        raise data_error(
            "E0605",
            kind="input",
            name=f"number {len(names) + 1}",
            advice=f"the inputs are {', '.join(names) or 'none'}",
        )
    given: dict[str, Any] = dict(zip(names, args, strict=False))
    for name, value in named.items():
        check_is_input(name, names)
        if name in given:
            raise data_error("E0605", kind="second input", name=name, advice="give it by position or by name, not both")
        given[name] = value
    if len(given) < len(inputs):
        _check_rest(inputs, given, read())
    return {name: as_array(name, given[name]) for name in names if name in given}


def _check_rest(inputs: Sequence[Tensor], given: Collection[str], read: Collection[str]) -> None:
    told = {n for t in inputs if t.name in given for e in t.extents for n in size.names(e)}
    for t in inputs:
        if t.name not in given and (t.name in read or not told.issuperset(*(size.names(e) for e in t.extents))):
            raise data_error("E0604", tensor=t.name, advice=f"give it by name: `{t.name}=…`")


def check_is_input(name: str, names: Collection[str]) -> None:
    """Raises DataError E0605 for a name that is none of the inputs'."""
    if name not in names:
        advice = did_you_mean(name, names, f"the inputs are {', '.join(names) or 'none'}")
        raise data_error("E0605", kind="input", name=name, advice=advice)


def dtypes_of(arrays: Mapping[str, Array], float_type: DType) -> dict[str, DType]:
    """The dtypes of inputs that the text does not declare."""
    return {name: _dtype(a, float_type) for name, a in arrays.items()}


def _dtype(array: Array, float_type: DType) -> DType:
    if array.dtype.kind == "f":
        return float_type
    found = _DTYPES.get(array.dtype)
    return found if found is not None else DType.INT


def float_type_of(arrays: Mapping[str, Array]) -> DType:
    """float64 if any float input is, or none is a float; else float32."""
    floats = [a for a in arrays.values() if a.dtype.kind == "f"]
    return DType.F64 if not floats or any(a.dtype == np.float64 for a in floats) else DType.F32


def bind_sizes(inputs: Sequence[Tensor], arrays: Mapping[str, Array], known: Mapping[str, int]) -> dict[str, int]:
    """The values that arguments give to named extents. Raises DataError E0601, E0602, E0606."""
    sizes = dict(known)
    places: dict[str, str] = dict.fromkeys(known, "the constants given")
    for t in _given(inputs, arrays):
        array = arrays[t.name]
        if array.ndim != len(t.extents):
            raise _axes_error(t, array)
        for axis, (extent, found) in enumerate(zip(t.extents, array.shape, strict=True)):
            name = _single(extent)
            if name is None:
                continue
            place = f"axis {axis} of `{t.name}`"
            if name in sizes and sizes[name] != found:
                raise data_error(
                    "E0606", name=name, first=sizes[name], first_place=places[name], second=found, second_place=place
                )
            sizes.setdefault(name, found)
            places.setdefault(name, place)
    _check_extents(inputs, arrays, sizes)
    return sizes


def _given(inputs: Sequence[Tensor], arrays: Collection[str]) -> list[Tensor]:
    return [t for t in inputs if t.name in arrays]


def _single(extent: object) -> str | None:
    """The name that an extent is, if it is just one."""
    if isinstance(extent, Size) and len(extent.terms) == 1:
        atoms, factor = extent.terms[0]
        if factor == 1 and len(atoms) == 1 and isinstance(atoms[0], str):
            return atoms[0]
    return None


def _check_extents(inputs: Sequence[Tensor], arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    for t in _given(inputs, arrays):
        wanted = tuple(size.substitute(n, sizes) for n in t.extents)
        for n, m in zip(wanted, arrays[t.name].shape, strict=True):
            if isinstance(n, int) and n != m:
                given = f"[{', '.join(map(str, arrays[t.name].shape))}]"
                shown = f"[{', '.join(map(str, t.extents))}]"
                raise data_error(
                    "E0601", tensor=t.name, wanted=shown, given=given, advice="give an array of these extents"
                )


def _axes_error(t: Tensor, array: Array) -> Exception:
    count = len(t.extents)
    wanted = f"{count} {'axis' if count == 1 else 'axes'} [{', '.join(map(str, t.extents))}]"
    given = f"{array.ndim}: [{', '.join(map(str, array.shape))}]"
    return data_error(
        "E0602",
        tensor=t.name,
        wanted=wanted,
        given=given,
        advice="reshape it, or add an axis of extent 1 with `x[None]`",
    )


def sizes_in(inputs: Mapping[str, TensorInfo], arrays: Mapping[str, Array]) -> dict[str, int]:
    """What arrays say of named extents; an array with other axes than its input is told by the call."""
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        extents = inputs[name].extents
        sizes |= {e: size for e, size in zip(extents, array.shape, strict=False) if isinstance(e, str)}
    return sizes


def completed(inputs: Mapping[str, TensorInfo], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """All inputs, in order: zeros, which may stand for any dtype, where nothing is given and nothing wanted reads it."""
    sizes = sizes_in(inputs, arrays)

    def zeros(info: TensorInfo) -> Array:
        return np.zeros([sizes.get(e, 1) if isinstance(e, str) else e for e in info.extents], np.bool_)

    return {name: arrays[name] if name in arrays else zeros(info) for name, info in inputs.items()}


def ready(inputs: Sequence[Tensor], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays C-contiguous and in the dtypes of the inputs. Raises DataError E0603."""
    return {t.name: converted(t, arrays[t.name]) for t in _given(inputs, arrays)}
