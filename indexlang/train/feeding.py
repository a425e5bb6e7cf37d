"""What a caller gives as data → batches for training and for validation, with every mistake told first."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from indexlang.program import Program
from indexlang.summary import TensorInfo
from indexlang.text.diagnostics import data_error
from indexlang.train.config import Config
from indexlang.train.data.augment import augmentation
from indexlang.train.data.dataset import Dataset
from indexlang.train.data.feeds import Batches, Feed, Whole
from indexlang.train.data.fitting import fitted_data, label_range
from indexlang.train.data.splitting import split
from indexlang.train.data.streams import Stream, dataset_of

_LOOKED_AT = 4 * 1024 * 1024  # bytes of a column that tell one data set from another


@dataclass(frozen=True)
class Prepared:
    """Data that fits a program.

    digest  of the data, as far as it can be told from its first examples: a run goes on with the same only
    """

    feed: Feed
    validation: Feed | None
    digest: str


def prepared(net: Program, data: Any, held_out: Any, config: Config) -> Prepared:
    """Batches of data for a program in training.

    held_out  a share, a number of examples, or data of its own; 0 or None: nothing is held out
    errors    DataError E0821 without data; E08xx, E06xx, E07xx: what cannot be read, does not fit, or has labels out of
              range
    """
    if isinstance(data, str) and not data:
        raise data_error("E0821", message="there is no data to train on",
                         advice='give some: --data digits, or a line `data = "digits"` in the TOML file')  # fmt: skip
    inputs = tuple(net.inputs.values())
    found = dataset_of(data, inputs)
    apart = _apart(held_out, inputs, net)
    if isinstance(found, Stream):
        return Prepared(found, _whole(apart, config), "")
    fitted = _checked(found, inputs, net)
    training, validation = fitted, apart
    if apart is None and held_out:
        training, validation = split(fitted, held_out, config.seed)
    feed = Batches(training, config.batch, config.seed, augmentation(config.augment, inputs))
    return Prepared(feed, _whole(validation, config), _digest(fitted))


def _whole(dataset: Dataset | None, config: Config) -> Feed | None:
    return None if dataset is None else Whole(dataset, config.batch)


def _apart(held_out: Any, inputs: Sequence[TensorInfo], net: Program) -> Dataset | None:
    """Validation data of its own."""
    if held_out is None or isinstance(held_out, int | float):
        return None
    found = dataset_of(held_out, inputs)
    if isinstance(found, Stream):
        raise data_error("E0821", message="validation data cannot be a stream", advice="give arrays by name")
    return _checked(found, inputs, net)


def _checked(found: Dataset, inputs: Sequence[TensorInfo], net: Program) -> Dataset:
    fitted = fitted_data(found, inputs)
    for name, classes in net.index_limits.items():
        label_range(fitted, name, classes)
    return fitted


def _digest(dataset: Dataset) -> str:
    """Of as many first examples as make a few megabytes."""
    digest = hashlib.sha256(f"{len(dataset)} {sorted(dataset.columns)}".encode())
    for name, column in sorted(dataset.columns.items()):
        size = max(prod(column.shape[1:]) * column.dtype.itemsize, 1)
        block = column[: max(_LOOKED_AT // size, 1)]
        digest.update(f"{name} {column.shape} {column.dtype}".encode() + np.ascontiguousarray(block).tobytes())
    return digest.hexdigest()[:16]


__all__ = ["Prepared", "prepared"]
