# pyright: reportArgumentType=false
"""Running sums beside the interpreter: both directions, every fold, ends inside and outside, along rows and columns."""

from typing import Any

import numpy as np
import pytest

import indexlang as il

ALONG = [  # the running index last, first, between others, alone; with factors around, of other types
    ("S[n,i:{i}] = sum[j] (A[n,j] if {test} else 0)", {"A": "nj"}),
    ("S[i:{i},k] = sum[j] (A[j,k] if {test} else 0)", {"A": "jk"}),
    ("S[n,i:{i},k] = 2*B[i]*(sum[j] (A[n,j,k]*W[k] if {test} else 0)) + 1", {"A": "njk", "B": "i", "W": "k"}),
    ("S[i:{i}] = exp(max[j] (A[j] if {test} else -inf))", {"A": "j"}),
    ("S[i:{i},k] = min[j] (A[j,k] if {test} else inf)", {"A": "jk"}),
    ("S[n,i:{i}] = prod[j] (A[n,j] if {test} else 1)", {"A": "nj"}),
    ("S[k,i:{i},n] = sum[j] (A[n,j]*W[k] if {test} else 0)", {"A": "nj", "W": "k"}),
]
TESTS = ["j <= i", "j < i", "i >= j+3", "j < i+5", "j >= i", "j > i", "j >= i+2", "j > i-4"]
SIZES = [(1, 8, 1, 1), (5, 13, 5, 17), (64, 65, 1, 16), (70, 40, 2, 17), (33, 70, 5, 5)]


def _arrays(shapes: dict[str, str], of: dict[str, int], dtype: type) -> dict[str, Any]:
    random = np.random.default_rng(sum(of.values()))
    drawn = {k: random.uniform(0.5, 1.5, [of[c] for c in s]) for k, s in shapes.items()}
    return {k: (a * random.choice((-1, 1), a.shape)).astype(dtype) for k, a in drawn.items()}


@pytest.mark.parametrize(("text", "shapes"), ALONG)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_running_sums_are_what_the_interpreter_gives(text: str, shapes: dict[str, str], dtype: str) -> None:
    kind = np.float32 if dtype == "f32" else np.float64
    for number, test in enumerate(TESTS if dtype == "f32" else TESTS[::2]):
        i, j, n, k = SIZES[number % len(SIZES)] if dtype == "f64" else SIZES[(number + 2) % len(SIZES)]
        arrays = _arrays(shapes, {"i": i, "j": j, "n": n, "k": k}, kind)
        declared = "".join(f"input {name}{list(a.shape)}\n" for name, a in arrays.items())
        net = il.compile(declared + text.replace("{i}", str(i)).replace("{test}", test), dtype=dtype, threads=1)
        assert "# schedule: scan" in net.show("nest"), test
        got, want = np.asarray(net(**arrays)), np.asarray(net.interpret(**arrays))
        tolerance = 1e-5 if dtype == "f32" else 1e-13
        np.testing.assert_allclose(got, want, tolerance, tolerance * max(j, 20), err_msg=f"{test} {i} {j} {n} {k}")


@pytest.mark.parametrize("text", [ALONG[0][0], ALONG[1][0]])
def test_threads_do_not_change_bits_of_running_sums(text: str) -> None:
    arrays = {"A": np.random.default_rng(0).standard_normal((130, 130)).astype(np.float32)}
    text = text.replace("{i}", "130").replace("{test}", "j <= i")
    one, two, three = (np.asarray(il.compile(text, dtype="f32", threads=n)(**arrays)) for n in (1, 2, 3))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, three)


def test_rounding_is_that_of_blocks() -> None:
    """20,000 terms one after the other would lose four digits."""
    a = np.full((1, 20_000), np.float32(0.1))
    got = np.asarray(il.compile("S[n,i:20000] = sum[j] (A[n,j] if j <= i else 0)", dtype="f32")(a))
    want = np.cumsum(a.astype(np.float64), axis=1)
    assert (abs(got - want) / want).max() < 400 * 2**-24


def test_nan_stays_from_where_it_is() -> None:
    a = np.ones((3, 100), np.float32)
    a[1, 40] = np.nan
    got = np.asarray(il.compile("S[n,i:100] = sum[j] (A[n,j] if j <= i else 0)", dtype="f32")(a))
    assert np.isnan(got[1, 40:]).all()
    assert np.isfinite(got[1, :40]).all()
    assert np.isfinite(got[[0, 2]]).all()


def test_the_gradient_of_a_running_sum_runs_backwards() -> None:
    text = "input A[7,50]\ninput W[7,50]\nS[n,i:50] = sum[j] (A[n,j] if j <= i else 0)\nloss = sum W[n,i]*S[n,i]\noutput loss"
    net = il.compile(text, dtype="f64").grad("loss", ["A"])
    assert "# schedule: scan" in net.show("nest")
    random = np.random.default_rng(0)
    a, w = random.standard_normal((7, 50)), random.standard_normal((7, 50))
    np.testing.assert_allclose(net(a, w)["dA"], w[:, ::-1].cumsum(1)[:, ::-1], rtol=1e-12)


def test_other_bounds_are_no_running_sums() -> None:
    for test in ("2*j <= i", "j <= i and j > 2", "i <= 3", "j <= i*i", "j != i", "j <= i+k"):
        net = il.compile(f"input A[20,30]\nS[i:20,k] = sum[j] (A[j,k] if {test} else 0)")
        assert "schedule: scan" not in net.show("nest"), test
