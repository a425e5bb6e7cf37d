"""Whole steps of training beside PyTorch: loss, gradients, and the update of all parameters by momentum.

The first losses are compared before anything is timed. The rate is so small that the numbers stay the same in kind
however many rounds there are.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import indexlang as il
from benchmarks import alexnet as lecture
from benchmarks import family, lenet, peers
from benchmarks.case import Setting
from benchmarks.report import Row
from benchmarks.timing import interleaved
from indexlang.train.step import Recipe, training_step

TESTS = Path(__file__).parents[2] / "tests"
RATE = 1e-6
Run = Callable[[], Any]


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """The table `training`."""
    torch = peers.torch_with(setting)
    if torch is None:
        return
    for name in filter(wanted, CASES):
        runs = CASES[name](torch, setting.threads)
        times = interleaved(runs, setting.rounds, 5.0)
        yield Row(table, name, times.pop("indexlang"), times)


def ours(net: il.Program, batch: dict[str, Any]) -> Run:
    """A step of the program on one batch."""
    step = training_step(net, Recipe("loss", "momentum", rate=RATE))
    count = [0]

    def run() -> float:
        count[0] += 1
        found, take = step.program.proposed(step.inputs(batch, count[0], 1000), step.wanted())
        take()
        return float(found["loss"])

    return run


def stepped(torch: Any, weights: list[Any], value: Callable[[], Any]) -> Run:
    """A step of PyTorch."""
    optimizer = torch.optim.SGD(weights, RATE, momentum=0.9)

    def run() -> float:
        optimizer.zero_grad()
        found = value()
        found.backward()
        optimizer.step()
        return float(found.detach())

    return run


def alexnet(torch: Any, threads: int) -> dict[str, Run]:
    """The lecture's AlexNet, batch 16."""
    lines = [line for line in lecture.FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("output")]
    text = "\n".join(lines).replace(' from "cat.jpg"', "") + "\n" + lecture.LOSS
    return _beside(torch, il.compile(text, dtype="f32", threads=threads), lecture, "Input", (16, 227, 227, 3), 1000)


def small(torch: Any, threads: int) -> dict[str, Run]:
    """LeNet, batch 128."""
    net = il.compile(lenet.TEXT, dtype="f32", threads=threads).init(0)
    return _beside(torch, net, lenet, "Image", (128, 28, 28, 1), 10)


def _beside(torch: Any, net: il.Program, same: Any, name: str, shape: tuple[int, ...], classes: int) -> dict[str, Run]:
    """A step of ours and of `same`, a module that has the network in PyTorch with our parameters."""
    rng = np.random.default_rng(0)
    image, label = rng.random(shape, np.float32), rng.integers(0, classes, shape[0])
    runs: dict[str, Run] = {}
    for told, layout in peers.formats(torch).items():
        p, x, y = same.parameters(torch, net, layout), peers.tensor(torch, image, layout), torch.from_numpy(label)
        runs[told] = stepped(torch, list(p.values()), lambda p=p, x=x, y=y: same.loss(torch, p, x, y))
    return checked({"indexlang": ours(net, {name: image, "label": label}), **runs})


def resnet18(torch: Any, threads: int) -> dict[str, Run]:
    """torchvision's ResNet-18 in training, batch 16, whose batch norms see the batch."""
    net, twins = family.network(torch, "resnet18", threads, training=True)
    rng, entropy = np.random.default_rng(0), torch.nn.functional.cross_entropy
    image, label = rng.standard_normal((16, 224, 224, 3), np.float32), rng.integers(0, 1000, 16)
    runs: dict[str, Run] = {}
    for name, layout in peers.formats(torch).items():
        m, x, y = twins[layout], peers.tensor(torch, image, layout), torch.from_numpy(label)
        runs[name] = stepped(torch, list(m.parameters()), lambda m=m, x=x, y=y: entropy(m(x), y))
    return checked({"indexlang": ours(net, {next(iter(net.inputs)): image, "label": label}), **runs})


def twin(kind_name: str) -> Callable[[Any, int], dict[str, Run]]:
    """A network of examples/train, batch 128, beside its twin."""

    def case(torch: Any, threads: int) -> dict[str, Run]:
        sys.path.insert(0, str(TESTS))
        from train import network_twins as twins

        kind = getattr(twins, kind_name)
        net = il.load(twins.FOLDER / kind.file, threads=threads).init(0)
        rng = np.random.default_rng(0)
        image, label = rng.random((128, 8, 8, 1), np.float32), rng.integers(0, 10, 128)
        runs: dict[str, Run] = {}
        for name, layout in (("torch", torch.contiguous_format), ("torch channels-last", torch.channels_last)):
            made = twins.twin_of(net.in_training(), kind).to(memory_format=layout)
            x = torch.from_numpy(image).permute(0, 3, 1, 2).contiguous(memory_format=layout)
            y = torch.from_numpy(label)
            runs[name] = stepped(
                torch, list(made.parameters()), lambda m=made, x=x, y=y: torch.nn.functional.cross_entropy(m(x), y)
            )
        return checked({"indexlang": ours(net, {"Image": image, "label": label}), **runs})

    return case


def checked(runs: dict[str, Run]) -> dict[str, Run]:
    """The same runs, once their first losses agree."""
    losses = {name: run() for name, run in runs.items()}
    first = losses["indexlang"]
    assert all(abs(value - first) < 1e-3 * abs(first) for value in losses.values()), losses
    return runs


CASES = {
    "CNN, batch 128": twin("CNN"),
    "ResNet, batch 128": twin("ResNet"),
    "LeNet, batch 128": small,
    "AlexNet, batch 16": alexnet,
    "ResNet-18, batch 16": resnet18,
}
