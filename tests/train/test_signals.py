"""Signals of layers: sizes, dead and saturated units, updates; compared with numpy and finite slopes."""

from typing import Any

import numpy as np
import pytest
from feeds import Batches, Seen

import indexlang as il
from indexlang.train.events import Signals, StepDone
from indexlang.train.loop import Loop
from indexlang.train.signals import SignalProbe
from indexlang.train.step import Recipe, training_step

NET = """
input X[N, 4]
input T[N, 2]
param W[4, 6]
param V[6, 2]
param C[6] = 0
H[n,j] = {function}(sum W[i,j]*X[n,i] + C[j])
K[n,j] = 3*H[n,j]
Y[n,j] = sum V[i,j]*K[n,i]
unused[n,j] = 2*X[n,j]
loss = 1/N * sum[n,j] (Y[n,j] - T[n,j])^2
output loss
"""
SLOPES = {
    "relu": lambda x: (x > 0).astype(float),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "sigmoid": lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
    "sin": lambda x: np.abs(np.cos(x)),
}
VALUES = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sin": np.sin,
}


def size(a: Any) -> float:
    return float(np.sqrt(np.mean(np.square(a))))


@pytest.mark.parametrize("function", SLOPES)
def test_signals_are_those_of_numpy(function: str):
    net = il.compile(NET.format(function=function), dtype="f64").init(2)
    net.params["W"] = 4 * np.array(net.params["W"])
    net.params["C"] = np.array([0.0, 0.0, -50.0, 0.0, 0.0, 0.0])  # a relu that is dead
    before = {n: np.array(a) for n, a in net.params.items()}
    feed, seen = Batches(steps=3), Seen()
    step = training_step(net, Recipe("loss", "sgd", rate=0.01))
    Loop("t", step, feed, 1, net.in_use(), watchers=(seen,), probe=SignalProbe(net, step, 3)).run()
    first = next(e for e in seen.events if isinstance(e, Signals))
    assert [s.name for s in first.layers] == ["H", "K", "Y"]
    batch = next(feed.batches(1))
    x, t = batch["X"] @ before["W"] + before["C"], batch["T"]
    h = VALUES[function](x)
    y = 3 * h @ before["V"]
    dy = 2 * (y - t) / len(t)
    dk = dy @ before["V"].T
    found = {s.name: s for s in first.layers}
    for name, value, gradient in (("H", h, 3 * dk), ("K", 3 * h, dk), ("Y", y, dy)):
        assert found[name].activation == pytest.approx(size(value), rel=1e-12)
        assert found[name].gradient == pytest.approx(size(gradient), rel=1e-12)
    assert found["H"].saturated == np.mean(SLOPES[function](x) < 0.01)
    assert found["K"].saturated == 0
    assert found["H"].dead == pytest.approx(1 / 6 if function == "relu" else 0)
    dx = 3 * dk * (SLOPES[function](x) if function != "sin" else np.cos(x))
    changes = [batch["X"].T @ dx, dx.sum(axis=0)]
    moved = 0.01 * np.sqrt(sum(np.sum(c**2) for c in changes))
    whole = np.sqrt(np.sum(before["W"] ** 2) + np.sum(before["C"] ** 2))
    assert found["H"].update == pytest.approx(moved / whole, rel=1e-9)
    assert np.isnan(found["K"].update)


def test_when_it_is_measured():
    """The first step, and the last of each epoch; measuring changes no bit of the run."""
    losses = []
    for watched in (False, True):
        net, feed, seen = il.compile(NET.format(function="relu")).init(2), Batches(np.float32, steps=3), Seen()
        step = training_step(net, Recipe("loss", "adam", rate=0.01))
        probe = SignalProbe(net, step, 3) if watched else None
        Loop("t", step, feed, 2, net.in_use(), watchers=(seen,), probe=probe).run()
        losses.append(seen.losses)
    assert losses[0] == losses[1]
    assert [e.step for e in seen.events if isinstance(e, Signals)] == [1, 3, 6]
    assert len([e for e in seen.events if isinstance(e, StepDone)]) == 6


def test_dropout_is_measured_with_the_draw_of_the_step():
    """A layer's size under dropout is that of the step's own draw: its loss is the loss of the step."""
    text = NET.format(function="relu").replace("K[n,j] = 3*H[n,j]", "K = Dropout(H, drop 0.5)")
    net, feed, seen = il.compile(text, dtype="f64").init(2), Batches(steps=3), Seen()
    step = training_step(net, Recipe("loss", "sgd", rate=0.0001))
    probe = SignalProbe(net, step, 3)
    losses: list[float] = []
    before = probe.before

    def looked(s: Any, given: Any) -> Any:
        probe._training.follow(s.program)
        probe._training.begin(s.program.seed, s.program.runs)
        found, _ = probe._program.proposed({n: a for n, a in given.items() if n in probe._program.inputs}, ["loss"])
        losses.append(float(found["loss"]))
        return before(s, given)

    probe.before = looked  # type: ignore[method-assign]
    Loop("t", step, feed, 1, net.in_use(), watchers=(seen,), probe=probe).run()
    assert losses == [seen.losses[0], seen.losses[2]]
