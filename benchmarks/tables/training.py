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
from benchmarks import peers
from benchmarks.alexnet import FILE, LOSS, loss, parameters
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
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("output")]
    net = il.compile("\n".join(lines).replace(' from "cat.jpg"', "") + "\n" + LOSS, dtype="f32", threads=threads)
    rng = np.random.default_rng(0)
    image, label = rng.random((16, 227, 227, 3), np.float32), rng.integers(0, 1000, 16)
    runs: dict[str, Run] = {}
    for name, layout in (("torch", torch.contiguous_format), ("torch channels-last", torch.channels_last)):
        p = parameters(torch, net, layout)
        x = torch.from_numpy(image).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        y = torch.from_numpy(label)
        runs[name] = stepped(torch, list(p.values()), lambda p=p, x=x, y=y: loss(torch, p, x, y))
    return checked({"indexlang": ours(net, {"Input": image, "label": label}), **runs})


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


CASES = {"CNN, batch 128": twin("CNN"), "ResNet, batch 128": twin("ResNet"), "AlexNet, batch 16": alexnet}
