"""Random tensors: the same bits for any number of threads, any batch split, and the moments that they promise."""

import numpy as np
import pytest

import indexlang as il

TEXT = """
input X[B,N]
T[B,N] ~ bernoulli(0.3)
U[B,N] ~ uniform(-1, 2)
G[B,N] ~ normal(1, 0.5)
Y[b,n] = X[b,n] + T[b,n]
output Y, T, U, G
"""


def drawn(threads: int, dtype: str, rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    net = il.compile(TEXT, dtype=dtype, threads=threads).init(seed)
    return dict(net(np.zeros((rows, 1031), dtype={"f32": "f4", "f64": "f8"}[dtype])).items())


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_the_same_bits_for_any_number_of_threads(dtype: str) -> None:
    one, two, three = (drawn(n, dtype, 37) for n in (1, 2, 3))
    for name in one:
        assert one[name].tobytes() == two[name].tobytes() == three[name].tobytes()


def test_a_row_is_the_same_however_many_follow() -> None:
    few, many = drawn(2, "f32", 3), drawn(2, "f32", 8)
    for name in few:
        np.testing.assert_array_equal(few[name], many[name][:3])


def test_seeds_and_tensors_differ() -> None:
    a, b = drawn(1, "f64", 4, 0), drawn(1, "f64", 4, 1)
    assert (a["U"] != b["U"]).all()
    assert abs(np.corrcoef(a["U"].ravel(), a["G"].ravel())[0, 1]) < 0.05


def test_moments() -> None:
    a = drawn(2, "f32", 100)
    count = a["T"].size
    assert set(np.unique(a["T"])) == {0, 1}
    for name, mean, deviation in (("T", 0.3, np.sqrt(0.21)), ("U", 0.5, np.sqrt(9 / 12)), ("G", 1, 0.5)):
        x = a[name].astype(np.float64)
        assert abs(x.mean() - mean) < 5 * deviation / np.sqrt(count)
        assert abs(x.std() / deviation - 1) < 5 / np.sqrt(count)
    assert a["U"].min() >= -1
    assert a["U"].max() < 2


def test_the_oracle_draws_the_same() -> None:
    net = il.compile(TEXT, dtype="f64")
    x = np.zeros((2, 5))
    slow, compiled = net.interpret(x), net(x)
    for name in net.outputs:
        np.testing.assert_allclose(compiled[name], slow[name], rtol=1e-12)
