"""Batches from an iterable of dicts, and whatever else a caller may give as data."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from indexlang.interop.files import Declared
from indexlang.parameters import as_array
from indexlang.text.diagnostics import data_error
from indexlang.train.data.dataset import Array, Dataset
from indexlang.train.data.fitting import fitted_data
from indexlang.train.data.inputs import check_batch
from indexlang.train.data.reading import read_data

NAME = "the data"


class Stream:
    """Ready batches, as they come: a feed. Each is fitted to the inputs and looked through as `fitted_data` does.

    source  an iterable of dicts of arrays, or a function without arguments that returns one, called for each epoch
    start   of `batches`: a list is entered there; from any other source the first batches are drawn and dropped
    errors  E0812 an iterator in its second epoch; E0813 what is no dict; those of `fitted_data`
    """

    def __init__(self, source: Any, inputs: Sequence[Declared]) -> None:
        check_batch(inputs)
        self._source: Any = source
        self._inputs = tuple(inputs)
        self._spent = False

    @property
    def examples(self) -> int | None:
        """Not known before the end of an epoch."""
        return None

    @property
    def steps(self) -> int | None:
        """Of an epoch, where the source has a length."""
        return len(self._source) if isinstance(self._source, Sized) else None

    def batches(self, epoch: int, start: int = 0) -> Iterator[dict[str, Array]]:
        """Asks the source anew and passes over the first `start` batches. Raises DataError where one does not fit."""
        for number, batch in self._numbered(self._opened(epoch), start):
            yield self._fitted(number, batch)

    def _opened(self, epoch: int) -> Iterable[Any]:
        source: Any = self._source
        if callable(source) and not isinstance(source, Iterable):
            return cast(Callable[[], Iterable[Any]], source)()
        if isinstance(source, Iterator):
            if self._spent:
                raise data_error("E0812", data=NAME, epoch=epoch)
            self._spent = True
        return cast(Iterable[Any], source)

    def _numbered(self, opened: Iterable[Any], start: int) -> Iterator[tuple[int, Any]]:
        if isinstance(opened, Sequence):
            return ((n, opened[n]) for n in range(start, len(opened)))
        if not isinstance(opened, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise data_error("E0816", what=f"a function that returns {_kind(opened)}")
        return islice(enumerate(opened), start, None)

    def _fitted(self, number: int, batch: Any) -> dict[str, Array]:
        if not isinstance(batch, Mapping):
            raise data_error("E0813", number=number, data=NAME, what=_kind(batch))
        dataset = _dataset(f"{NAME}, batch {number}", cast(Mapping[str, Any], batch))
        fitted = fitted_data(dataset, self._inputs)
        return fitted.take(np.arange(len(fitted)))


def dataset_of(value: Any, inputs: Sequence[Declared], folder: Path | None = None) -> Dataset | Stream:
    """What a caller gives as data, not yet fitted.

    value   a Dataset; a word or a path, as for `read_data`; a mapping of anything numpy can view; or batches: an iterable
            of such mappings, or a function that returns one, which become a `Stream`
    errors  E0816, E0608, E0808; those of `read_data`
    """
    match value:
        case Dataset() | Stream():
            return value
        case str() | os.PathLike():
            return read_data(os.fsdecode(cast("str | os.PathLike[str]", value)), inputs, folder)
        case Mapping():
            return _dataset(NAME, cast(Mapping[str, Any], value))
        case _:
            _check_stream(value)
            return Stream(value, inputs)


def _dataset(name: str, arrays: Mapping[str, Any]) -> Dataset:
    return Dataset(name, {str(key): as_array(str(key), value) for key, value in arrays.items()})


def _check_stream(value: Any) -> None:
    """Refuse what cannot give batches, as far as that is seen without drawing one."""
    if isinstance(value, Sequence) and not isinstance(value, bytes) and value:
        first: Any = cast(Sequence[Any], value)[0]
        if not isinstance(first, Mapping):
            raise data_error("E0816", what=f"a {type(cast(Any, value)).__name__} of {_kind(first)}")
        return
    if isinstance(value, np.ndarray | bytes) or not (callable(cast(Any, value)) or isinstance(value, Iterable)):
        raise data_error("E0816", what=_kind(value))


def _kind(value: Any) -> str:
    name = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
