"""Functions that keep the axes of a pack: one form for every rank, states and results with the caller's axes."""

import numpy as np
import pytest

import indexlang as il

MOMENTUM = """
def momentum(W[I...], g[I...], rate, Φ, beta m = 0.5):
    state V[I...] = 0
    H = m*V + g
    V <- H
    return W - rate*H
"""
SHAPES = {"": (), "[5]": (5,), "[2,3]": (2, 3), "[1,7]": (1, 7), "[2,3,4,5]": (2, 3, 4, 5), "[0,3]": (0, 3)}


@pytest.mark.parametrize("shape", SHAPES)
def test_states_have_the_axes_of_the_argument(shape: str):
    text = f"input G{shape}\nparam W{shape} = 1\n{MOMENTUM}W <- momentum(W, G, 0.1, optim.W)\nS = W\noutput S"
    net = il.compile(text, dtype="f64", training=True)
    assert net.state["optim.W.V"].shape == SHAPES[shape]
    g = np.random.default_rng(0).random(SHAPES[shape])
    v, w = np.zeros_like(g), np.ones_like(g)
    for _ in range(3):
        net(G=g)
        v = 0.5 * v + g
        w = w - 0.1 * v
        np.testing.assert_allclose(net.params["W"], w, rtol=1e-15)
        np.testing.assert_allclose(net.state["optim.W.V"], v, rtol=1e-15)


def test_two_ranks_in_one_text():
    text = f"""
input G[2,3]
input h[4]
param W[2,3] = 1
param c[4] = 0
{MOMENTUM}
W <- momentum(W, G, 1, optim.W)
c <- momentum(c, h, 1, optim.c)
S = sum W[i,j]*G[i,j]
output S
"""
    net = il.compile(text, dtype="f64", training=True)
    net(G=np.ones((2, 3)), h=np.arange(4.0))
    assert np.array_equal(net.params["W"], np.zeros((2, 3)))
    assert np.array_equal(net.params["c"], -np.arange(4.0))
    assert il.compile(net.show("typed"), dtype="f64", training=True).show("typed") == net.show("typed")


def test_axes_that_stand_before_the_pack():
    text = """
def rows(X[B,I...]):
    tensor R[B,I...]
    R = 2*X
    return R
input X[3,4,5]
Y = rows(X)
output Y
"""
    x = np.random.default_rng(0).random((3, 4, 5))
    assert np.array_equal(il.compile(text, dtype="f64")(X=x), 2 * x)


def test_extents_that_differ_are_told():
    text = f"input G[3]\nparam W[4] = 0\n{MOMENTUM}W <- momentum(W, G, 1, optim.W)\noutput G2\nG2[i] = G[i]"
    found = il.check(text)
    assert [d.code for d in found if d.severity.value == "error"], found


def test_a_pack_that_is_seen_as_one_axis_stays_so():
    text = "def total(L[I...]):\n    s = sum[i] L[i]\n    return s\ninput X[2,3]\ny = total(X)\noutput y"
    assert float(il.compile(text, dtype="f64")(X=np.ones((2, 3)))) == 6
