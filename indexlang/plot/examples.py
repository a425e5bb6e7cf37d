"""What a network is shown: pictures and arrays from files, or an example of the data that it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexlang import arguments
from indexlang.arguments import check_is_input
from indexlang.interop.files import read_input
from indexlang.plot.runs import Run
from indexlang.program import Program
from indexlang.text.diagnostics import data_error
from indexlang.text.names import plural
from indexlang.train.data.dataset import Dataset
from indexlang.train.data.fitting import fitted_data
from indexlang.train.data.streams import dataset_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """Values for inputs, each with a batch of at least one; `said` is what a title says of them."""

    arrays: Mapping[str, Array]
    said: str


def from_files(net: Program, paths: Mapping[str, Path]) -> Example:
    """Inputs from pictures and arrays. Raises DataError E0605, E0701, E0702, E0704, E0601."""
    for name in paths:
        check_is_input(name, net.inputs)
    arrays = {name: read_input(path, net.inputs[name]) for name, path in paths.items()}
    return Example(arrays, ", ".join(path.name for path in paths.values()))


def from_data(net: Program, run: Run, number: int) -> Example:
    """Example `number` of the run's data, counted from 0, as it lies there: not shuffled, not augmented.

    cost    the data is read and looked through once
    errors  E0841 where the run does not say what its data was; E0843; those of `dataset_of` and `fitted_data`
    """
    spec = run.config.get("data")
    if not isinstance(spec, str) or not spec:
        advice = "give the inputs: --input NAME=PATH"
        raise data_error("E0841", run=run.name, message="does not say where its data lies", advice=advice)
    inputs = tuple(net.inputs.values())
    found = dataset_of(spec, inputs)
    assert isinstance(found, Dataset), "a text names no stream"
    fitted = fitted_data(found, inputs)
    if not 0 <= number < len(fitted):
        message = f"it has {plural(len(fitted), 'example')}"
        raise data_error("E0843", number=number, data=spec, message=message, advice=f"take 0 to {len(fitted) - 1}")
    arrays = fitted.take(np.array([number]))
    return Example(arrays, ", ".join([found.place(number), *_labels(arrays, found.classes)]))


def completed(net: Program, example: Example, tensor: str) -> dict[str, Array]:
    """All inputs, in order: 0 for those that the tensor does not depend on. Raises DataError E0604."""
    needed = net.inputs_of(tensor)
    for name in needed:
        if name not in example.arrays:
            advice = f"give it with --input {name}=PATH, or take --example 0"
            raise data_error("E0604", tensor=name, advice=advice)
    return arguments.completed(net.inputs, example.arrays)


def _labels(arrays: Mapping[str, Array], classes: tuple[str, ...]) -> list[str]:
    """`label = 7`, with the name of the class where it has another."""
    found: list[str] = []
    for name, array in arrays.items():
        if array.ndim == 1 and array.dtype.kind in "iu":
            value = int(array[0])
            called = classes[value] if 0 <= value < len(classes) else ""
            found.append(f"{name} = {value}" + (f" ({called})" if called not in ("", str(value)) else ""))
    return found
