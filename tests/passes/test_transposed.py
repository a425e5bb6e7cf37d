"""Transpositions go through blocks: the numbers at every edge of a block, whatever is read across it."""

from typing import Any

import numpy as np
import pytest

import indexlang as il

ROWS = {
    "alone": "Y[j,i] = A[i,j]",
    "a map of it": "Y[j,i] = 2*A[i,j] + B[j,i]",
    "several": "Y[j,i] = A[i,j] - A[i,j]*C[i,j] + D[i,j]",
    "under a condition": "Y[j,i] = A[i,j] if i > 2*j else C[i,j]",
    "of ints": "Y[j,i] = N[i,j]",
    "between other axes": "Y[j,k,i] = E[i,k,j]",
}
SIZES = ((1, 1), (0, 3), (63, 65), (64, 64), (129, 2), (31, 127))


def given(m: int, n: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(m + n)
    shapes = {"A": (m, n), "B": (n, m), "C": (m, n), "D": (m, n), "E": (m, 3, n)}
    return {k: random.standard_normal(s) for k, s in shapes.items()} | {"N": random.integers(-9, 9, (m, n))}


@pytest.mark.parametrize("text", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_numbers(text: str, dtype: str) -> None:
    net = il.compile("input N[I,J] : int\n" + text + "\noutput Y" if "N" in text else text, dtype=dtype)
    for m, n in SIZES:
        arrays: dict[str, Any] = {k: v for k, v in given(m, n).items() if f"{k}[" in text.split("=")[1]}
        arrays = {k: v if k == "N" else v.astype(dtype.replace("f", "float")) for k, v in arrays.items()}
        np.testing.assert_allclose(
            net(**arrays), net.interpret(**arrays), rtol=0, atol=4e-6 if dtype == "f32" else 1e-14
        )
