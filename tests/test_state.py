"""`state` and `<-`: values that live from one training run to the next."""

import numpy as np
import pytest

import indexlang as il

MEAN = """
input X[N]
state mean = 0
state steps : int = 0
mean <- mean + 0.5*(1/N * sum X[i] - mean)
steps <- steps + 1
Y[i] = X[i] - mean
"""


def test_a_run_reads_what_the_run_before_left() -> None:
    net = il.compile(MEAN, dtype="f64", training=True)
    x = np.arange(4.0)
    for want in (0, 0.75, 1.125):
        np.testing.assert_allclose(net(x), x - want)
    assert net.state["mean"] == pytest.approx(1.3125)
    assert net.state["steps"] == 3


def test_outside_of_training_nothing_changes() -> None:
    net = il.compile(MEAN, dtype="f64")
    for _ in range(2):
        np.testing.assert_array_equal(net(np.arange(4.0)), np.arange(4.0))
    assert net.state["mean"] == 0


def test_all_next_values_follow_from_the_values_before() -> None:
    net = il.compile("state a = 1\nstate b = 2\na <- b\nb <- a + b\nY = a", dtype="f64", training=True)
    pairs = []
    for _ in range(4):
        net()
        pairs.append((float(net.state["a"]), float(net.state["b"])))
    assert pairs == [(2, 3), (3, 5), (5, 8), (8, 13)]


def test_a_param_may_take_a_next_value() -> None:
    """A step written by hand: W moves against the gradient of (W x - t)^2."""
    text = "input x\ninput t\nparam W = 0\nerror = W*x - t\nloss = error^2\nW <- W - 0.1*2*error*x\noutput loss"
    net = il.compile(text, dtype="f64", training=True)
    losses = [float(net(1.0, 3.0)) for _ in range(30)]
    assert losses[0] == 9
    assert losses[-1] < 1e-4
    assert net.params["W"] == pytest.approx(3, abs=0.01)


def test_another_size_of_the_batch_keeps_the_state() -> None:
    net = il.compile(MEAN, dtype="f64", training=True)
    net(np.ones(3))
    net(np.ones(7))
    assert net.state["steps"] == 2
    assert net.state["mean"] == pytest.approx(0.75)


def test_the_oracle_tells_what_the_next_run_gives_and_changes_nothing() -> None:
    net = il.compile(MEAN, dtype="f64", training=True)
    for n in (2, 5):
        x = np.arange(n) + 1.0
        told = net.interpret(x)
        np.testing.assert_allclose(net.interpret(x), told)
        np.testing.assert_allclose(net(x), told)


def test_parameters_drawn_anew_are_seen_by_what_follows_from_them_alone() -> None:
    net = il.compile(
        "input X[8]\nparam W[8, 8]\nV[j] = 2*(sum[i] W[i,j])\nY[j] = V[j]*X[j]\nZ[j] = V[j] + X[j]", dtype="f64"
    )
    for seed in (0, 1, 0):
        np.testing.assert_allclose(net.init(seed)(np.ones(8)).Y, 2 * net.params["W"].sum(0))
