"""Several sums of products in one equation: separated where each is a contraction, with the oracle's results."""

from collections.abc import Iterable

import pytest
from shapes import agrees, drawn

import indexlang as il
from indexlang.passes import separate

SHAPES = {"X": (5, 33), "W": (33, 17), "H": (5, 16), "U": (16, 17), "B": (17,), "V": (33, 16), "Z": (1, 33, 17)}
# equation, and how many tensors are made for its sums
CASES = {
    "a recurrent cell": ("Y[b,j] = relu(sum[i] X[b,i]*W[i,j] + sum[k] H[b,k]*U[k,j] - B[j])", 1),
    "three sums": ("Y[b,j] = (sum[i] X[b,i]*W[i,j])*(sum[k] H[b,k]*U[k,j]) + (sum[i] X[b,i]*W[i,16-j])", 2),
    "one sum twice": ("Y[b,j] = (sum[i] X[b,i]*W[i,j])*(sum[i] X[b,i]*W[i,j]) + B[j]", 0),
    "a sum of another kind": ("Y[b,j] = (sum[i] X[b,i]*W[i,j]) - (max[i] X[b,i])", 1),
    "a sum inside another": ("Y[b,j] = (sum[k] U[k,j]*(sum[i] X[b,i]*V[i,k])) + (sum[k] H[b,k]*U[k,j])", 1),
    "batches of one only": ("Y[b,d:3,j] = (sum[i] X[b,i]*W[i,j])*H[b,d] + (sum[k] H[d,k]*U[k,j])", 1),
    "an equation for each remainder": ("Y[x:10,j] = (sum[i] X[x//2,i]*W[i,j]) + (sum[k] H[x//2,k]*U[k,j])", 2),
    "a remainder without a term": ("Y[x:10,j] = (sum[i] X[x//2,i]*Z[x%2,i,j else 0]) + (sum[k] H[x//2,k]*U[k,j])", 1),
    "few terms": ("Y[b,j] = (sum[i:9] X[b,i]*W[i,j]) + (sum[k:9] H[b,k]*U[k,j])", 0),
    "where it is inside only": ("Y[b,j] = (sum[i] X[b-1,i]*W[i,j]) + (sum[k] H[b-1,k]*U[k,j]) if b > 0 else B[j]", 1),
    "a border": ("Y[b:6,j] = (sum[i] X[b-1,i else 0]*W[i,j]) + (sum[k] H[b-1,k else 0]*U[k,j])", 1),
}


@pytest.fixture(autouse=True)
def small_equations_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separate, "_LEAST_WORK", 0)


@pytest.mark.parametrize("name", CASES)
def test_sums_are_separated_by_structure(name: str) -> None:
    text, count = CASES[name]
    inputs = {n: a for n, a in drawn(SHAPES).items() if f"{n}[" in text}
    agrees(text, inputs)
    simple = _simple(text, inputs)
    assert sum(line.startswith("Y_sum") for line in simple.splitlines()) == count


def _simple(text: str, inputs: Iterable[str]) -> str:
    heads = "".join(f"input {n}{list(SHAPES[n])}\n" for n in inputs)
    return il.compile(heads + text, dtype="f32").show("simple")
