"""The loop: what is told, resumed runs bit for bit, lost numbers named, failed writes survived."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from feeds import Batches, Seen

import indexlang as il
from indexlang.interop import disk
from indexlang.train import checkpoint, keep
from indexlang.train.events import Begun, Ended, EpochDone, StepDone
from indexlang.train.keep import CHECKPOINT, Folder
from indexlang.train.loop import Loop
from indexlang.train.step import Recipe, training_step

# batch norm has states, dropout draws random tensors anew at each run
NETWORK = """
input X[N, 4]
input T[N, 2]
param V[6, 2]
F[N,6] = FC(X)
H[N,6] = Dropout(relu(BatchNorm(F)), drop 0.3)
Y[n,j] = sum V[i,j]*H[n,i]
loss = 1/N * sum[n,j] (Y[n,j] - T[n,j])^2
distance = 1/N * sum[n,j] abs(Y[n,j] - T[n,j])
output Y, loss, distance
"""


def a_loop(net: il.Program, epochs: int, folder: Path | None = None, threads: int | None = None, **more: Any) -> Loop:
    feed = Batches(np.float32, last=3)
    step = training_step(net, Recipe("loss", "adam", "cosine", rate=0.05, clip=1.0))
    if folder is not None:
        more["keeper"] = Folder(folder, "digest", more.pop("warn", print))
    return Loop("test", step, feed, epochs, net.in_use(), validation=feed, **more)


def values(net: il.Program) -> dict[str, bytes]:
    return {n: a.tobytes() for kept in (net.params, net.state) for n, a in kept.items()}


def test_what_is_told():
    seen = Seen()
    net = il.compile(NETWORK).init(1)
    assert a_loop(net, 2, watchers=(seen,)).run()
    begun, *_, ended = seen.events
    steps = [e for e in seen.events if isinstance(e, StepDone)]
    epochs = [e for e in seen.events if isinstance(e, EpochDone)]
    assert begun == Begun("test", 2, 5, 35, 12 + 24 + 6 + 6 + 6)
    assert [(e.epoch, e.step, e.of_epoch, e.examples) for e in steps[3:7]] == [
        (1, 4, 4, 8), (1, 5, 5, 3), (2, 6, 1, 8), (2, 7, 2, 8)]  # fmt: skip
    assert list(steps[0].metrics) == ["loss", "distance"]
    mean = sum(e.examples * e.metrics["loss"] for e in steps[:5]) / 35
    assert epochs[0].training["loss"] == pytest.approx(mean, rel=1e-12)
    assert isinstance(ended, Ended)
    assert ended.best_epoch in (1, 2)
    assert ended.best["loss"] == min(e.validation["loss"] for e in epochs)


def test_validation_is_the_program_out_of_training():
    """Means over all examples, not over batches; no dropout, and the states of batch norm in place of a batch's."""
    seen = Seen()
    net = il.compile(NETWORK).init(1)
    loop = a_loop(net, 1, watchers=(seen,))
    loop.run()
    whole = Batches(np.float32, last=3).all()
    use = net.in_use()
    use.follow(loop.step.program)
    wanted = use.proposed(whole, ["loss"])[0]["loss"]
    found = next(e.validation["loss"] for e in seen.events if isinstance(e, EpochDone))
    assert found == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("stop", [1, 4, 5, 6, 11])
def test_a_run_that_goes_on_ends_with_the_same_bits(stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    straight, seen = il.compile(NETWORK).init(5), Seen()
    a_loop(straight, 3, watchers=(seen,)).run()

    class Killed(Exception): ...

    class Killer:
        def on(self, event: object) -> None:
            if isinstance(event, StepDone) and event.step == stop:
                raise Killed

    monkeypatch.setattr("indexlang.train.loop.CHECKPOINT_SECONDS", 0.0)  # after every step
    broken = il.compile(NETWORK).init(5)
    with pytest.raises(Killed):
        a_loop(broken, 3, tmp_path, watchers=(Killer(),)).run()
    resumed, rest = il.compile(NETWORK).init(77), Seen()
    loop = a_loop(resumed, 3, tmp_path, watchers=(rest,))
    if stop > 1:
        loop.position = checkpoint.restore(tmp_path / CHECKPOINT, loop.step.program, "digest")
        assert loop.position.step == stop - 1
    else:
        resumed.init(5)
        loop = a_loop(resumed, 3, tmp_path, watchers=(rest,))
    loop.run()
    resumed.follow(loop.step.program)
    assert rest.losses == seen.losses[stop - 1 :]
    ends = [next(e for e in reversed(s.events) if isinstance(e, EpochDone)) for s in (seen, rest)]
    assert ends[0].training == ends[1].training
    assert ends[0].validation == ends[1].validation
    assert resumed.params["V"].tobytes() == straight.params["V"].tobytes()


@pytest.mark.parametrize("threads", [2, 3])
def test_bits_do_not_depend_on_threads(threads: int):
    found = []
    for n in (1, threads):
        net = il.compile(NETWORK, threads=n).init(5)
        loop = a_loop(net, 2)
        loop.run()
        found.append(values(loop.step.program))
    assert found[0] == found[1]


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path):
    net = il.compile(NETWORK).init(5)
    a_loop(net, 1, tmp_path).run()
    loop = a_loop(il.compile(NETWORK), 1)
    with pytest.raises(il.DataError, match="E0822"):
        checkpoint.restore(tmp_path / CHECKPOINT, loop.step.program, "other")


def test_a_damaged_checkpoint_changes_nothing(tmp_path: Path):
    a_loop(il.compile(NETWORK).init(5), 1, tmp_path).run()
    file = tmp_path / CHECKPOINT
    whole = file.read_bytes()
    loop = a_loop(il.compile(NETWORK).init(9), 1)
    before = values(loop.step.program)
    for cut in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(il.DataError, match="E0704"):
            checkpoint.restore(file, loop.step.program, "digest")
    assert values(loop.step.program) == before


def test_a_disk_that_is_full_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    warned: list[str] = []
    failing = [True]

    def synced(path: Path) -> None:
        if failing and path.suffix == ".part":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "_synced", synced)
    net = il.compile(NETWORK).init(5)
    loop = a_loop(net, 2, tmp_path, warn=warned.append)
    assert loop.run()
    assert warned
    assert "no space left" in warned[0]
    assert not (tmp_path / CHECKPOINT).exists()
    assert not list(tmp_path.iterdir())
    failing.clear()
    assert a_loop(net, 1, tmp_path, warn=warned.append).run()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([keep.BEST, keep.CHECKPOINT, keep.LAST])


BROKEN = """
input X[N, 4]
param W[4] = 1
E[n] = log(sum W[i]*X[n,i])
loss = 1/N * sum[n] E[n]
output loss
"""


def lost(text: str, x: np.ndarray[Any, Any], rate: float = 0.1) -> il.NumericalError:
    class Feed(Batches):
        def batches(self, epoch: int, start: int = 0) -> Any:
            yield from ({"X": x} for _ in range(start, self.steps))

    net = il.compile(text, dtype="f64").init(0)
    with pytest.raises(il.NumericalError) as error:
        Loop("test", training_step(net, Recipe("loss", "sgd", rate=rate)), Feed(), 3, net.in_use()).run()
    return error.value


def test_a_lost_number_is_named_at_its_equation():
    x = np.ones((3, 4))
    x[2] = -1
    said = lost(BROKEN, x).diagnostics[0]
    assert said.code == "E1001"
    assert said.message.startswith("step 1: `E[2]` is NaN")
    assert said.line == 4


def test_a_mask_of_minus_infinity_is_not_blamed():
    text = BROKEN.replace("E[n] = ", "M[n] = max[i:0] X[n,i]\nE[n] = exp(M[n]) + ")
    assert "`E[0]`" in lost(text, -np.ones((3, 4))).diagnostics[0].message


def test_data_and_updates_are_blamed_where_it_is_theirs():
    x = np.ones((3, 4))
    x[1, 2] = np.nan
    assert "`X[1,2]` is NaN, and the data has it" in lost(BROKEN, x).diagnostics[0].message
    said = lost("input X[N, 4]\nparam w = 1\nloss = sum[n,i] (w*X[n,i])^4\noutput loss", 1e30 * np.ones((3, 4)), 1e200)
    assert "`w` is" in said.diagnostics[0].message
    assert "the update of step" in said.diagnostics[0].message


def test_a_step_that_loses_a_number_changes_nothing():
    net = il.compile(BROKEN, dtype="f64").init(0)
    before = net.params["W"].tobytes()

    class Feed(Batches):
        def batches(self, epoch: int, start: int = 0) -> Any:
            yield {"X": -np.ones((2, 4))}

    with pytest.raises(il.NumericalError):
        Loop("test", training_step(net, Recipe("loss", "sgd")), Feed(), 1, net.in_use()).run()
    assert net.params["W"].tobytes() == before
