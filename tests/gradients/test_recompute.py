"""Less memory for more time: the same bits, by a smaller arena."""

import numpy as np
import pytest

import indexlang as il
from indexlang import pipeline
from indexlang.run.machine import target

NORMALISED = """
input X[B, 16, 16, 8]
N0 = Conv(X, Φ0, width 3, pad 1, features 16)
N1 = relu(BatchNorm(N0))
N2 = Conv(N1, Φ1, width 3, pad 1, features 16)
N3 = relu(BatchNorm(N2))
M = MaxPool(N3, width 2)
N4 = Conv(M, Φ2, width 3, pad 1, features 16)
loss = sum N4[b,x,y,j]^2
"""
FUNCTIONS = """
input X[B, 64, 64]
param V[64, 64]
A[b,i,j] = sum V[k,j]*X[b,i,k]
C[b,i,j] = sum V[k,j]*gelu(A[b,i,k])
D[b,i,j] = gelu(C[b,i,j])
E[b,i,j] = sum V[k,j]*D[b,i,k]
F[b,i,j] = softplus(E[b,i,j])
G[b,i,j] = sum V[k,j]*F[b,i,k]
loss = sum G[b,j,i]^2
"""


@pytest.mark.parametrize("text", [NORMALISED, FUNCTIONS], ids=["batch norm", "functions"])
def test_the_same_bits_in_less_memory(text: str):
    net = il.compile(text, dtype="f64", training=True)
    kept, again = net.grad("loss"), net.grad("loss", recompute=True)
    extents = [4, *(int(str(n)) for n in net.inputs["X"].extents[1:])]
    x = np.random.default_rng(0).standard_normal(extents)
    a, b = kept(X=x), again(X=x)
    assert list(a) == list(b)
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert _arena(again) < _arena(kept)
    assert "_again" in str(again)
    assert str(il.compile(str(again), dtype="f64", training=True)) == str(again)


def test_what_takes_long_or_is_small_is_kept():
    net = il.compile("input X[B,99]\nparam W[99,99]\nY[b,j] = sigmoid(sum X[b,i]*W[i,j])\nloss = sum Y[b,j]^2")
    assert str(net.grad("loss", recompute=True)) == str(net.grad("loss"))


def _arena(program: il.Program) -> int:
    bound = program.bound(B=4)
    return pipeline.plan(bound._typed, bound._typed.outputs, target()).arena
