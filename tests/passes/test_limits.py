# pyright: reportArgumentType=false
"""Comparisons of indices around a reduction's term end its loops, with the oracle's results."""

import numpy as np
import pytest
from shapes import agrees, drawn

import indexlang as il


@pytest.mark.parametrize("n", [7, 33, 67])
@pytest.mark.parametrize(
    "limit",
    [
        "j <= i", "i-3 <= j and j <= i+3", "i-2*j < 5", "3*j-i >= 4", "j < i-100", "j >= i-100", "A[i,j] > 0 and j < i",
        "2*j+3*i <= 70",
    ],
)  # fmt: skip
def test_matrix_times_vector(n: int, limit: str) -> None:
    text = f"Y[i] = sum[j] (A[i,j]*x[j] if {limit} else 0)\nZ[i] = max(-9, max[j] (A[i,j]-x[j] if {limit} else -inf))"
    agrees(text, drawn({"A": (n, n), "x": (n,)}))


@pytest.mark.parametrize("limit", ["j+k <= i", "j <= i and k < j", "k <= i", "j-k >= 2*i-30", "k > 2*j"])
def test_sums_over_two_indices(limit: str) -> None:
    agrees(f"Y[i:37] = sum[j,k] (A[i,j]*A[i,k] if {limit} else 0)", drawn({"A": (37, 41)}))


def test_nothing_but_the_identity_ends_a_loop() -> None:
    agrees(
        "Y[i] = sum[j] (A[i,j] if j <= i else 1)\nZ[i] = argmax[j] (A[i,j] if j > i else -9)", drawn({"A": (40, 40)})
    )


def test_named_extents_end_loops_too() -> None:
    program = il.compile("input A[N,N]\nY[i] = sum[j] (A[i,j] if j >= i else 0)\noutput Y")
    for n in (1, 5, 33, 50, 0):
        a = drawn({"A": (n, n)})["A"].astype(np.float32)
        np.testing.assert_allclose(program(A=a), np.triu(a).sum(1, dtype=np.float64), rtol=1e-4, atol=1e-4)


def test_the_loop_ends_there() -> None:
    program = il.compile("input A[64,64]\ninput x[64]\nY[i] = sum[j] (A[i,j]*x[j] if j <= i else 0)\noutput Y")
    assert " if " not in program.show("nest").split("\n", 1)[1]
