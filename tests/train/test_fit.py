"""`net.fit`: the same as the command, from Python; arrays, streams, validation, what it leaves behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from feeds import REGRESSION, Seen

import indexlang as il
from indexlang.train.events import Begun, EpochDone

RANDOM = np.random.default_rng(0)
DATA = {"X": RANDOM.random((50, 4)), "T": RANDOM.random((50, 2))}


def test_arrays():
    net = il.compile(REGRESSION).init(0)
    seen = Seen()
    before = np.array(net.params["W"])
    history = net.fit(DATA, epochs=3, lr=0.05, batch=16, val=10, watchers=(seen,))
    assert len(history.epochs) == 3
    assert history.epochs[-1].training["loss"] < history.epochs[0].training["loss"]
    assert history.best["loss"] == min(e.validation["loss"] for e in history.epochs)
    assert history.folder is None
    assert not np.array_equal(net.params["W"], before)
    begun = seen.events[0]
    assert isinstance(begun, Begun)
    assert (begun.examples, begun.steps) == (40, 3)
    assert repr(history).startswith("History(3 epochs; best ")


def test_it_goes_on_from_where_the_program_is():
    net = il.compile(REGRESSION, dtype="f64").init(0)
    first = net.fit(DATA, epochs=1, optimizer="sgd", val=0, watchers=())
    second = net.fit(DATA, epochs=1, optimizer="sgd", val=0, watchers=())
    assert second.epochs[0].training["loss"] < first.epochs[0].training["loss"]


def test_batches_of_ones_own():
    net, seen = il.compile(REGRESSION).init(0), Seen()
    batches = [{"X": DATA["X"][k : k + 7], "T": DATA["T"][k : k + 7]} for k in range(0, 28, 7)]
    net.fit(batches, epochs=2, watchers=(seen,))
    assert len(seen.losses) == 8
    net.fit((b for b in batches), epochs=1, watchers=(seen,))
    assert len(seen.losses) == 12
    with pytest.raises(il.DataError, match="E0812"):
        net.fit((b for b in batches), epochs=2, watchers=())


def test_validation_data_of_its_own():
    net = il.compile(REGRESSION).init(0)
    apart = {n: a[:9] for n, a in DATA.items()}
    history = net.fit(DATA, epochs=1, val=apart, watchers=())
    use = net.in_use()
    assert history.epochs[0].validation["loss"] == pytest.approx(
        float(use.proposed(apart, ["loss"])[0]["loss"]), rel=1e-6
    )


def test_a_run_that_is_kept(tmp_path: Path):
    net = il.compile(REGRESSION).init(0)
    history = net.fit(DATA, epochs=2, save=tmp_path / "run", watchers=())
    assert history.folder == tmp_path / "run"
    other = il.compile(REGRESSION)
    other.load_weights(tmp_path / "run" / "last.safetensors")
    assert np.array_equal(other.params["V"], net.params["V"])
    straight = il.compile(REGRESSION).init(0)
    straight.fit(DATA, epochs=4, watchers=())
    resumed = il.compile(REGRESSION).init(9)
    resumed.fit(DATA, epochs=4, save=tmp_path / "run", resume=True, watchers=())
    assert resumed.params["V"].tobytes() == straight.params["V"].tobytes()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"optimiser": "adam"}, "did you mean `optimizer`"),
        ({"optimizer": "adan"}, "did you mean `adam`"),
        ({"loss": "los"}, "did you mean `loss`"),
        ({"epochs": 1.5}, "it is a whole number"),
        ({"resume": True}, "needs `save`"),
        ({"val": 50}, "E0815"),
        ({"augment": "spin"}, "E0814"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], said: str):
    with pytest.raises(il.IndexlangError, match=said):
        il.compile(REGRESSION).fit(DATA, watchers=(), **settings)


def test_labels_out_of_range_are_told_before_the_first_step():
    text = "input X[N, 4]\ninput label[N] : int\ns[N,3] = FC(X)\nloss = CrossEntropy(s, label)\noutput loss"
    seen = Seen()
    with pytest.raises(il.DataError, match="E0810"):
        il.compile(text).fit({"X": DATA["X"], "label": np.arange(50)}, watchers=(seen,))
    assert not seen.events


def test_states_are_left_as_the_run_left_them():
    text = REGRESSION.replace("H[n,j] = tanh(", "Q[n,j] = (").replace("Y[n,j]", "H = BatchNorm(Q, Φ)\nY[n,j]", 1)
    net = il.compile(text).init(0)
    net.fit(DATA, epochs=1, watchers=())
    assert np.all(net.state["Φ.mean"] != 0)
    assert "optim" not in " ".join(net.state)


def test_the_order_of_examples_is_that_of_the_seed():
    orders = []
    for seed in (0, 0, 1):
        seen = Seen()
        il.compile(REGRESSION).init(0).fit(DATA, epochs=1, batch=8, seed=seed, watchers=(seen,))
        orders.append(seen.losses)
    assert orders[0] == orders[1] != orders[2]


def test_epochs_are_told_with_and_without_validation():
    seen = Seen()
    il.compile(REGRESSION).init(0).fit(DATA, epochs=1, val=0, watchers=(seen,))
    done = next(e for e in seen.events if isinstance(e, EpochDone))
    assert done.validation == {}
    assert done.is_best
