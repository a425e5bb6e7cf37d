"""The example networks beside their twins in PyTorch: loss, gradients, running estimates and first steps of training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
from train.network_twins import (
    CNN,
    FOLDER,
    MLP,
    TWINS,
    ResNet,
    Twin,
    program,
    random_batch,
    torch_steps,
    twin_of,
    value_and_grad,
    values,
)

import indexlang as il
from indexlang.train.config import Config, changed, read_config
from indexlang.train.fit import prepare

TOLERANCE = {"rtol": 0, "atol": 1e-9}
ROWS = [(kind, size) for kind in TWINS for size in (1, 3, 17) if kind is not ResNet or size > 1]


def stirred(kind: type[Twin]) -> il.Program:
    """The program with parameters and states of all signs, none at its start: thresholds and gammas count."""
    net = program(kind).init(5)
    rng = np.random.default_rng(7)
    for kept in (net.params, net.state):
        for name in kept:
            kept[name] = kept[name] + 0.1 * rng.random(kept[name].shape) - (0.03 if "variance" not in name else 0)
    return net


@pytest.mark.parametrize(("kind", "size"), ROWS, ids=lambda v: v.__name__ if isinstance(v, type) else str(v))
def test_loss_and_gradients_are_those_of_the_twin(kind: type[Twin], size: int) -> None:
    net = stirred(kind)
    image, label = random_batch(size)
    twin = twin_of(net, kind)
    value, gradients = net.value_and_grad("loss")(Image=image, label=label)
    wanted, theirs = value_and_grad(twin, image, label)
    np.testing.assert_allclose(value, wanted, **TOLERANCE)
    assert gradients.keys() == theirs.keys()
    for name in theirs:
        assert np.abs(theirs[name]).max() > 1e-6  # else the comparison would say nothing
        np.testing.assert_allclose(gradients[name], theirs[name], **TOLERANCE, err_msg=name)


def test_running_estimates_are_those_of_the_twin() -> None:
    net = stirred(ResNet)
    image, label = random_batch(7)
    twin = twin_of(net, ResNet)
    net(Image=image, label=label)
    value_and_grad(twin, image, label)
    theirs = values(twin)
    for name in net.state:
        np.testing.assert_allclose(net.state[name], theirs[name], **TOLERANCE, err_msg=name)


@pytest.mark.parametrize("kind", TWINS, ids=lambda k: k.__name__)
def test_values_come_back_as_they_went(kind: type[Twin]) -> None:
    net = stirred(kind)
    back = values(twin_of(net, kind))
    for name, array in {**net.params, **net.state}.items():
        np.testing.assert_array_equal(back[name], array, err_msg=name)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", [MLP, CNN], ids=lambda k: k.__name__)
def test_steps_with_momentum(kind: type[Twin], decay: float) -> None:
    """Five steps written out, beside torch_steps: what it trains are the program's parameters."""
    net = stirred(kind)
    batches = [random_batch(3 + n, n) for n in range(5)]
    rates = [0.05, 0.04, 0.03, 0.02, 0.01]
    twin = twin_of(net, kind)
    theirs = torch_steps(twin, batches, "momentum", lr=rates, weight_decay=decay)

    step = net.value_and_grad("loss")
    speed = {n: np.zeros_like(w) for n, w in net.params.items()}
    losses = []
    for rate, (image, label) in zip(rates, batches, strict=True):
        value, gradients = step(Image=image, label=label)
        losses.append(value)
        for name, gradient in gradients.items():
            speed[name] = 0.9 * speed[name] + gradient + decay * net.params[name]
            net.params[name] = net.params[name] - rate * speed[name]
    np.testing.assert_allclose(losses, theirs, **TOLERANCE)
    for name, array in values(twin).items():
        np.testing.assert_allclose(net.params[name], array, **TOLERANCE, err_msg=name)


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop"])
def test_torch_steps_knows_every_optimizer(name: str) -> None:
    """On one batch, again and again, the loss falls; and by the clipped way it falls less."""
    net = program(MLP).init(1)
    batches = [random_batch(17)] * 10
    losses = torch_steps(twin_of(net, MLP), batches, name, lr=1e-3)
    assert losses[-1] < losses[0]
    if name == "sgd":
        clipped = torch_steps(twin_of(net, MLP), batches, name, lr=1e-3, clip=1e-3)
        assert losses[-1] < clipped[-1] < clipped[0] == losses[0]


def fifty_steps(kind: type[Twin], dtype: str) -> tuple[list[float], list[float]]:
    """Losses of ours and of torch, from the same weights, on the data, order, optimiser and schedule of its settings."""
    config = replace(changed(Config(), read_config(FOLDER / Path(kind.file).with_suffix(".toml")), "test"), dtype=dtype)
    net, single = (il.load(FOLDER / kind.file, dtype=d).init(1) for d in (dtype, "f32"))
    for name, array in single.params.items():  # the same first weights in both float types
        net.params[name] = array.astype(net.params[name].dtype)
    run = prepare(net, "digits", 360, config, "test")
    twin, feed = twin_of(net.in_training(), kind), run.data.feed
    batches = [b for epoch in (1, 2, 3) for b in feed.batches(epoch)][:50]
    losses, rates = [], []
    for t, batch in enumerate(batches, 1):
        found, take = run.step.program.proposed(run.step.inputs(batch, t, 20 * len(batches)), run.step.wanted())
        take()
        losses.append(float(found["loss"]))
        rates.append(float(found[run.step.rate]))
    theirs = torch_steps(twin, [(b["Image"], b["label"]) for b in batches], config.optimizer, lr=rates)
    assert len(losses) == len(theirs) == 50
    return losses, theirs


@pytest.mark.parametrize("kind", TWINS, ids=lambda k: k.__name__)
def test_fifty_steps_of_training_are_those_of_torch(kind: type[Twin]) -> None:
    """To 1e-9 in float64. In float32 to 1e-4; Adam on batch norm magnifies roundings, so there as well as torch does."""
    pytest.importorskip("sklearn")
    ours, exact = fifty_steps(kind, "f64")
    np.testing.assert_allclose(ours, exact, **TOLERANCE)
    ours, theirs = fifty_steps(kind, "f32")
    usual = np.max(np.abs(np.subtract(theirs, exact)))
    assert np.max(np.abs(np.subtract(ours, exact))) < max(1e-4, 3 * usual)
    if kind is not ResNet:
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
