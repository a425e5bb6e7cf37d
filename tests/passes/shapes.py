# pyright: reportArgumentType=false
"""Texts whose compiled results are compared: with the oracle, between float types, bit for bit between thread counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import indexlang as il

Array = np.ndarray


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {name: random.standard_normal(shape) for name, shape in shapes.items()}


def outputs(text: str, inputs: Mapping[str, Array], threads: int, **options: Any) -> dict[str, Array]:
    """Compiled; the second run finds memory full of the first one's values."""
    program = il.compile(text, threads=threads, **options)
    program(**inputs)
    found = program(**inputs)
    return dict(found) if isinstance(found, il.Results) else {next(iter(program.outputs)): np.asarray(found)}


def agrees(text: str, inputs: Mapping[str, Array], wanted: Mapping[str, Any] | None = None, **options: Any) -> None:
    """f64 and f32 on 1, 2 and 3 threads; `wanted` stands for the oracle where that would take long."""
    if wanted is None:
        program = il.compile(text, dtype="f64", **options)
        found = program.interpret(**inputs)
        wanted = found if isinstance(found, il.Results) else {next(iter(program.outputs)): found}
    for dtype, tolerance in (("f64", 1e-11), ("f32", 3e-5)):
        given = {n: a.astype(np.float32) if dtype == "f32" and a.dtype.kind == "f" else a for n, a in inputs.items()}
        one, two, three = (outputs(text, given, n, dtype=dtype, **options) for n in (1, 2, 3))
        for name, value in wanted.items():
            assert one[name].tobytes() == two[name].tobytes() == three[name].tobytes(), name
            scale = max(float(np.abs(value).max(initial=0)), 1.0)
            np.testing.assert_allclose(one[name], value, rtol=tolerance, atol=tolerance * scale, err_msg=name)
