# pyright: reportArgumentType=false
"""Reductions limited by a comparison of two indices: computed in linear time, with the oracle's results."""

import numpy as np
import pytest
from shapes import agrees, drawn

import indexlang as il


def schedules(text: str) -> str:
    return il.compile(text).show("nest")


@pytest.mark.parametrize("n", [1, 2, 9, 31, 32, 33, 61, 97, 128])
@pytest.mark.parametrize("limit", ["j <= i", "j < i", "j >= i", "j > i", "j <= i+3", "j < i-2", "j >= i-5", "i+40 < j"])
def test_sums_on_either_side(n: int, limit: str) -> None:
    agrees(f"Y[b,i:{n}] = sum[j] (A[b,j] if {limit} else 0)", drawn({"A": (3, n)}))


@pytest.mark.parametrize(("i", "j"), [(0, 12), (12, 0), (5, 70), (70, 12), (1, 33), (40, 41)])
@pytest.mark.parametrize("limit", ["j <= i", "j >= i", "j <= i+11", "j >= i-11", "j < i-50", "j > i-200"])
def test_other_ranges_than_the_result(i: int, j: int, limit: str) -> None:
    agrees(f"Y[i:{i}] = sum[j] (A[j] if {limit} else 0)", drawn({"A": (j,)}))


@pytest.mark.parametrize(
    "text",
    [
        "Y[b,i:37] = max[j] (A[b,j] if j <= i else -inf)",
        "Y[b,i:37] = min[j] (A[b,j] if j >= i else inf)",
        "Y[b,i:37] = prod[j] (A[b,j] if j < i else 1)",
        "Y[i:37,b] = sum[j] (A[b,j] if j <= i else 0)",
        "Y[i:37] = sum[b,j] (A[b,j] if j <= i else 0)",
        "Y[b,i:37] = A[b,i] - (sum[j] (A[b,j] if j <= i else 0))/(i+1)",
        "Y[b,i:37] = sum[j] (A[b,j] if j <= i and A[b,j] > 0 else 0)",
        "Y[b,i:37] = (sum[j] (A[b,j] if j <= i else 0)) * (max[j] (A[b,j] if j < i+2 else -inf))",
        "Y[b,i:37] = (sum[j] (A[b,j] if j <= i else 0)) - (sum[j] (A[b,j] if j >= i else 0))",
        "Y[b,i:37] = sum[j] (exp(A[b,j] - m) if j <= i else 0) + max[k] A[b,k]\nm = max[b,k] A[b,k]\noutput Y",
        "Y[b,i:37] = sum[j] ((sum[k:5] A[b,k]*A[k,j]) if j <= i else 0)",
        "Y[(b,i:37)] = sum[j] (A[b,j] if i >= j else 0)",
        "Y[b,i:37] = sum[j] (A[b,j] if 2*j <= i else 0)",
        "Y[b,i:37] = sum[j] (A[b,j]*A[b,i] if j <= i else 0)",
        "Y[b,i:37] = sum[j] (A[b,j] if j <= i and i-5 < j else 0)",
        "Y[b,i:37] = sum[j:44] (A[b,j-3 else 2] if j <= i else 0)",
        "l = sum[b,i] Y[b,i]^2\nY[b,i:37] = sum[j] (A[b,j] if j <= i else 0)\nG = d(l)/d(A)\noutput G",
    ],
)
def test_kinds_of_scans(text: str) -> None:
    agrees(text, drawn({"A": (5, 37)}))


def test_special_values_stay_where_they_count() -> None:
    a = drawn({"A": (64,)})["A"].astype(np.float32)
    a[7], a[40] = np.nan, np.inf
    text = "Y[i:64] = max[j] (A[j] if j <= i else -inf)\nZ[i:64] = sum[j] (A[j] if j > i else 0)"
    found = il.compile(text)(A=a)
    np.testing.assert_array_equal(found["Y"], np.maximum.accumulate(a))
    wanted = [a[i + 1 :].astype(np.float64).sum() for i in range(64)]
    np.testing.assert_allclose(found["Z"], wanted, rtol=1e-4, atol=1e-4)


def test_whole_numbers() -> None:
    agrees("input A[50] : int\nY[i:50] = sum[j] (A[j] if j <= i else 0)\noutput Y", {"A": np.arange(50)})


def test_long_scans_round_like_pairwise_sums() -> None:
    a = np.random.default_rng(1).random(1 << 20).astype(np.float32)
    wanted = a.astype(np.float64).cumsum()
    for threads in (1, 2):
        found = np.asarray(il.compile(f"Y[i:{a.size}] = sum[j] (A[j] if j <= i else 0)", threads=threads)(A=a))
        assert np.abs(found / wanted - 1).max() < 1e-6


def test_long_sums_beside_scans_are_in_stages() -> None:
    text = "input A[40]\ninput B[100000]\nY[i:40] = (sum[j] (A[j] if j <= i else 0)) + sum[k] B[k]"
    program = il.compile(text)
    assert "Y_part" in program.show("simple")
    a, b = (drawn({"A": (40,), "B": (100000,)})[n].astype(np.float32) for n in "AB")
    np.testing.assert_allclose(program(A=a, B=b), a.cumsum() + b.astype(np.float64).sum(), rtol=1e-5, atol=1e-3)


def test_named_extents() -> None:
    program = il.compile("input A[B,N]\nY[b,i:N] = sum[j] (A[b,j] if j <= i else 0)\noutput Y")
    for shape in ((1, 1), (2, 40), (3, 33), (2, 0), (1, 3000)):
        a = drawn({"A": shape})["A"].astype(np.float32)
        np.testing.assert_allclose(program(A=a), a.astype(np.float64).cumsum(1), rtol=1e-4, atol=1e-4)


def test_a_gradient_is_a_scan_in_the_other_direction() -> None:
    head = "input A[5,640]\n"
    text = "Y[b,i:640] = sum[j] (A[b,j] if j <= i else 0)\nl = sum[b,i] Y[b,i]^2\nG = d(l)/d(A)\noutput G"
    assert schedules(head + text).count("schedule: scan") == 2
