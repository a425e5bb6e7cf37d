"""Every layer, with every option, beside PyTorch: in f64 to 1e-9, in f32 to 1e-4, and as the interpreter means it."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import indexlang as il

pytest.importorskip("torch")
sys.path.append(str(Path(__file__).parent))

import torch
from shown import assert_same_when_shown, typed
from twins import TWINS, Twin

TOLERANCES = {"f64": 1e-9, "f32": 1e-4}


def arguments(row: Twin) -> dict[str, Any]:
    """Inputs of both signs, so that a border of 0 and one of -inf differ; f32 holds them exactly."""
    draw = np.random.default_rng(sum(map(ord, row.title)))
    shapes = {n: e for n, e in row.extents.items() if n not in row.counts}
    floats = {n: np.float64(np.float32(draw.normal(size=e) - 0.5)) for n, e in shapes.items()}
    return {**floats, **{n: np.asarray(draw.integers(0, k, row.extents[n])) for n, k in row.counts.items()}}


def filled(net: il.Program) -> dict[str, np.ndarray]:
    """Parameters and states drawn anew, biases and scales included; variances are positive."""
    draw = np.random.default_rng(1)
    for name, array in net.params.items():
        net.params[name] = (draw.normal(size=array.shape) + 0.1).astype(array.dtype)
    for name, array in net.state.items():
        net.state[name] = (draw.uniform(0.5, 2, size=array.shape)).astype(array.dtype)
    return {**net.params, **net.state}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", TWINS, ids=lambda row: row.title)
def test_a_layer_and_its_twin(row: Twin, dtype: str) -> None:
    net = il.compile(row.program, dtype=dtype, training=row.training)
    given = arguments(row)
    known = filled(net)
    exact = {n: torch.tensor(a, dtype=torch.float64) for n, a in known.items()}
    inputs = {n: torch.tensor(a) for n, a in given.items()}
    wanted = row.twin({**inputs, **exact}).numpy()
    found = net(**given)
    assert found.shape == wanted.shape
    assert found.dtype == dtype.replace("f", "float")
    if dtype == "f64":
        np.testing.assert_allclose(net.interpret(**given), wanted, rtol=1e-9, atol=1e-9)
    tolerance = TOLERANCES[dtype] * (1 if dtype == "f64" else max(1.0, float(np.abs(wanted).max(initial=0.0))))
    np.testing.assert_allclose(found, wanted, rtol=TOLERANCES[dtype], atol=tolerance)


@pytest.mark.parametrize("row", TWINS, ids=lambda row: row.title)
def test_a_layer_as_it_is_shown(row: Twin) -> None:
    assert_same_when_shown(typed(row.program, row.training), row.training)
