"""Optimisers and schedules: the numbers of PyTorch's, step by step, and heads that are refused."""

from collections.abc import Callable
from math import cos, pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from feeds import REGRESSION, Batches, Seen

import indexlang as il
from indexlang.text.diagnostics import IndexlangError
from indexlang.train.loop import Loop
from indexlang.train.rules import optimizer, schedule
from indexlang.train.step import Recipe, Step, training_step

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop")
RATE, DECAY, EPOCHS = 0.02, 0.01, 10


def theirs(torch: Any, name: str, tensors: list[Any]) -> Any:
    o = torch.optim
    make: dict[str, Callable[[], Any]] = {
        "sgd": lambda: o.SGD(tensors, RATE, weight_decay=DECAY),
        "momentum": lambda: o.SGD(tensors, RATE, momentum=0.9, weight_decay=DECAY),
        "nesterov": lambda: o.SGD(tensors, RATE, momentum=0.9, nesterov=True, weight_decay=DECAY),
        "adam": lambda: o.Adam(tensors, RATE, weight_decay=DECAY),
        "adamw": lambda: o.AdamW(tensors, RATE, weight_decay=DECAY),
        "rmsprop": lambda: o.RMSprop(tensors, RATE, weight_decay=DECAY),
    }
    return make[name]()


def losses_of_torch(torch: Any, net: il.Program, name: str, feed: Batches, clip: float | None) -> list[float]:
    p = {n: torch.tensor(np.array(net.params[n]), requires_grad=True) for n in net.params}
    steps, out = theirs(torch, name, list(p.values())), []
    for epoch in range(EPOCHS):
        for batch in feed.batches(epoch):
            x, t = torch.tensor(batch["X"]), torch.tensor(batch["T"])
            steps.zero_grad()
            y = torch.tanh(x @ p["W"]) @ p["V"] + p["C"] + p["g"]
            loss = ((y - t) ** 2).sum() / len(x)
            loss.backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(list(p.values()), clip)
            steps.step()
            out.append(loss.item())
    return out


def losses_of_ours(net: il.Program, recipe: Recipe, feed: Batches) -> list[float]:
    seen = Seen()
    Loop("test", training_step(net, recipe), feed, EPOCHS, net.in_use(), watchers=(seen,)).run()
    return seen.losses


@pytest.mark.parametrize("clip", [None, 0.2])
@pytest.mark.parametrize(("dtype", "within"), [("f64", 1e-12), ("f32", 2e-6)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_are_those_of_torch(name: str, dtype: str, within: float, clip: float | None):
    torch = pytest.importorskip("torch")
    net = il.compile(REGRESSION, dtype=dtype).init(3)
    feed = Batches(np.float64 if dtype == "f64" else np.float32, last=3)
    wanted = losses_of_torch(torch, net, name, feed, clip)
    found = losses_of_ours(net, Recipe("loss", name, rate=RATE, decay=DECAY, clip=clip), feed)
    assert len(found) == 50
    assert np.max(np.abs(np.subtract(found, wanted))) < within
    assert sum(found[-5:]) < sum(found[:5])


def test_adam_loses_no_digits_in_its_first_step():
    """The first step of Adam is the rate, whatever the gradient: 1 - 0.999 as f32 would be off by 5e-5."""
    net = il.compile("input X[N]\nparam w = 2\nloss = 1/N * sum[n] (w*X[n])^2\noutput loss")
    step = training_step(net, Recipe("loss", "adam", rate=1.0))
    advance(step, {"X": np.ones(3, np.float32)}, 1)
    assert abs(float(net.params["w"]) - 1.0) < 3e-7


def advance(step: Step, batch: dict[str, Any], t: int, steps: int = 10) -> dict[str, float]:
    results, take = step.program.proposed(step.inputs(batch, t, steps), step.wanted())
    take()
    return {n: float(a) for n, a in results.items()}


# rates of the steps 1 … 8 of 8, the first 2 of which warm up, for a rate of 0.8
SCHEDULES = {
    "constant": lambda t: 0.8 * min(1, t / 2),
    "step": lambda t: 0.8 * min(1, t / 2) * (1 if t <= 4 else 0.1 if t <= 6 else 0.01),
    "cosine": lambda t: 0.8 * (t / 2 if t <= 2 else 0.5 + 0.5 * cos(pi * (t - 3) / 6)),
    "warmup": lambda t: 0.8 * (t / 2 if t <= 2 else (8 - t + 1) / 6),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_follow_the_schedule(name: str):
    net = il.compile(REGRESSION, dtype="f64").init(0)
    step = training_step(net, Recipe("loss", "sgd", name, rate=0.8, warm=2))
    batch = next(Batches().batches(1))
    rates = [advance(step, batch, t, 8)[step.rate] for t in range(1, 9)]
    assert rates == pytest.approx([SCHEDULES[name](t) for t in range(1, 9)], rel=1e-12)


def test_an_optimizer_of_the_users(tmp_path: Path):
    file = tmp_path / "signs.idx"
    file.write_text(
        "def half(x) = x/2\n"
        "def signs(W[I...], g[I...], rate, Φ, beta b = 0.5):\n"
        "    state V[I...] = 0\n    H = b*V + half(g)\n    V <- H\n    return W - rate*sign(H)\n"
    )
    net = il.compile(REGRESSION, dtype="f64").init(0)
    before = {n: np.array(a) for n, a in net.params.items()}
    step = training_step(net, Recipe("loss", str(file), rate=0.25, options={"beta": 0.9}))
    advance(step, next(Batches().batches(1)), 1)
    for name, old in before.items():
        assert np.allclose(np.abs(net.params[name] - old), 0.25)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(W[I...], g[I...], speed, Φ):\n    state V[I...] = 0\n    V <- g*speed\n    return W - V", "speed"),
        ("def f(W, g) = W - g", "no optimizer"),
        ("x = 1", "no optimizer"),
    ],
)
def test_a_file_that_is_no_optimizer(tmp_path: Path, text: str, said: str):
    file = tmp_path / "mine.idx"
    file.write_text(text + "\n")
    with pytest.raises(IndexlangError, match=said):
        optimizer(str(file))


def test_unknown_names_say_what_there_is():
    with pytest.raises(il.DataError, match="did you mean `adam`"):
        optimizer("adan")
    with pytest.raises(il.DataError, match="did you mean `cosine`"):
        schedule("cosin")
    with pytest.raises(il.DataError, match="no schedule `sgd`"):
        schedule("sgd")
    net = il.compile(REGRESSION)
    with pytest.raises(il.DataError, match="beta"):
        training_step(net, Recipe("loss", "adam", options={"beta": 0.5}))


def test_a_program_without_parameters():
    net = il.compile("input X[N]\nloss = sum[n] X[n]^2\noutput loss")
    with pytest.raises(il.ProgramError, match="nothing to train"):
        training_step(net, Recipe("loss"))


def test_a_text_that_trains_a_parameter_by_itself():
    """The optimiser takes care of the others only."""
    text = REGRESSION.replace("output loss", "if training:\n    g <- g + 1\noutput loss")
    net = il.compile(text, dtype="f64").init(0)
    c = np.array(net.params["C"])
    step = training_step(net, Recipe("loss", "sgd"))
    advance(step, next(Batches().batches(1)), 1)
    assert float(net.params["g"]) == 1.1
    assert not np.array_equal(net.params["C"], c)
