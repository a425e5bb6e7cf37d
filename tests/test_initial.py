"""First values of parameters: one stream of numpy's a tensor, whatever the blocks and threads."""

import hashlib

import numpy as np
import pytest

import indexlang as il

TEXT = """
input X[3]
param U[{rows},2] ~ uniform(-2, 3)
param N[{rows},2] ~ normal(1, 2)
Y[i] = X[i]
"""


def streams(name: str) -> np.random.Generator:
    digest = hashlib.sha256(f"7 {name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


@pytest.mark.parametrize("threads", ["1", "2", "3"])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("rows", [1, 13, 131072, 131073, 786437])
def test_blocks_of_one_stream(rows: int, dtype: str, threads: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INDEXLANG_THREADS", threads)
    params = il.compile(TEXT.format(rows=rows), dtype=dtype).init(7).params
    kind = np.dtype({"f32": "f4", "f64": "f8"}[dtype])
    uniform = streams("U").random((rows, 2), kind) * kind.type(5) + kind.type(-2)  # pyright: ignore
    normal = streams("N").standard_normal((rows, 2), kind) * kind.type(2) + kind.type(1)  # pyright: ignore
    assert params["U"].tobytes() == uniform.tobytes()
    assert params["N"].tobytes() == normal.tobytes()


def test_a_sum_whose_length_has_a_name_is_as_long_as_the_parameter() -> None:
    text = "input X[b,{i}]\nparam W[i:4,c:3] ~ he\ns[b,c] = sum X[b,i]*W[i,c]"
    named, plain = (il.compile(text.format(i=i)).init(5).params["W"] for i in ("i", "i:4"))
    np.testing.assert_array_equal(named, plain)


def test_a_length_that_nothing_tells_is_asked_for() -> None:
    text = "input X[b,i]\nparam W[9,c:3]\ns[b,c] = sum X[b,i]*W[2*i,c]"
    with pytest.raises(il.DataError) as caught:
        _ = il.compile(text).params["W"]
    assert [d.code for d in caught.value.diagnostics] == ["E0610"]
    assert il.compile(text, constants={"i": 5}).params["W"].shape == (9, 3)
