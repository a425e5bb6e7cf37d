"""What a run gives back: arrays by name, or one array, in memory of our own or of the caller's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir.equation import Program, Role, Tensor
from indexlang.text.diagnostics import data_error
from indexlang.text.names import did_you_mean

Array = NDArray[Any]


class Results(Mapping[str, Array]):
    """Several outputs: `r["s"]`, `r.s`, or unpacked in order with `r.values()`."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __getattr__(self, name: str) -> Array:
        try:
            return self.__dict__["_arrays"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        inside = ", ".join(f"{n}: {a.dtype}[{', '.join(map(str, a.shape))}]" for n, a in self._arrays.items())
        return f"Results({inside})"


def wanted(program: Program, want: Sequence[str] | None) -> tuple[str, ...]:
    """The tensors that a run is to give, each once. Raises DataError E0605 for what is not computed."""
    if want is None:
        return program.outputs
    names = asked(want)
    for name in names:
        if name not in program.by_name or program.tensor(name).role is not Role.COMPUTED:
            known = [t.name for t in program.with_role(Role.COMPUTED)]
            raise data_error(
                "E0605",
                kind="computed tensor",
                name=name,
                advice=did_you_mean(name, known, f"there are {', '.join(known)}"),
            )
    return tuple(dict.fromkeys(names))


def asked(want: Sequence[str]) -> tuple[str, ...]:
    """The names that a caller asks for: several, or one as it is."""
    return (want,) if isinstance(want, str) else tuple(want)


def places(names: Sequence[str], out: Mapping[str, Array] | Array | None) -> Mapping[str, Array]:
    """Where the caller wants results: by name, or an array for the only one. Raises DataError E0605, E0608."""
    if out is None:
        return {}
    if not isinstance(out, Mapping):
        if len(names) == 1:
            return {names[0]: out}
        advice = f"give a dict: out={{'{names[0]}': …}}" if names else "leave `out` away: there are no results"
        raise data_error("E0608", tensor="out", message="it does not say which result goes where", advice=advice)
    for name in out:
        if name not in names:
            advice = did_you_mean(name, names, f"there are {', '.join(names)}")
            raise data_error("E0605", kind="result", name=name, advice=advice)
    return out


def result(tensor: Tensor, given: Array | None, arrays: Mapping[str, Array]) -> Array:
    """The array that a tensor is written into: the one given, if it fits (E0601, E0608), or a fresh one."""
    shape = tuple(int(n) for n in tensor.extents)  # type: ignore[arg-type]
    if given is None:
        return np.empty(shape, tensor.dtype.numpy)
    right = isinstance(given, np.ndarray) and given.shape == shape and given.dtype == tensor.dtype.numpy  # pyright: ignore[reportUnnecessaryIsInstance]
    if not right or not given.flags.c_contiguous or not given.flags.writeable:
        raise data_error(
            "E0601",
            tensor=tensor.name,
            wanted=f"a writeable C-contiguous {tensor.dtype} array {list(shape)}",
            given="another array for `out`",
            advice="make it with np.empty",
        )
    if any(np.shares_memory(given, a) for a in arrays.values()):
        raise data_error(
            "E0608",
            tensor=tensor.name,
            message="the array for `out` overlaps an input",
            advice="give memory of its own",
        )
    return given
