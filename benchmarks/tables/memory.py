"""Peak memory of a forward pass over its weights and input, in a process of its own, measured by the system (Linux)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import indexlang as il
from benchmarks.case import Setting
from benchmarks.report import Row
from indexlang.ir.equation import Role
from indexlang.ir.expr import reads

EXAMPLES = Path(__file__).parents[2] / "examples"
MIB = 1 << 20
CASES: dict[str, tuple[str, dict[str, int], tuple[int, ...], str]] = {
    "AlexNet, batch 1": ("alexnet.idx", {}, (1, 227, 227, 3), "Input"),
    "AlexNet, batch 16": ("alexnet.idx", {}, (16, 227, 227, 3), "Input"),
    "ResNet-50, batch 1": ("models/resnet.idx", {"depth": 50}, (1, 224, 224, 3), "Input"),
    "ResNet-50, batch 16": ("models/resnet.idx", {"depth": 50}, (16, 224, 224, 3), "Input"),
}


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """In MiB; what is packed of the weights counts, the weights themselves do not."""
    if not Path("/proc/self/clear_refs").exists():
        setting.skipped["memory"] = "this system has no /proc/self/clear_refs"
        return
    for name in filter(wanted, CASES):
        command = [sys.executable, "-m", "benchmarks.tables.memory", name, str(setting.threads)]
        environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed goes back to the system
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
        yield Row(table, name, found["peak"] / MIB, {"largest pair": found["pair"] / MIB}, "MiB")


def measure(name: str, threads: int) -> dict[str, int]:
    """In this process: the rise of the resident memory while a run takes its memory anew."""
    file, constants, shape, image = CASES[name]
    net = il.load(EXAMPLES / file, constants=constants, threads=threads)
    picture = np.random.default_rng(0).random(shape, np.float32)
    net(**{image: picture})  # kernels are made and loaded
    for _, made in net._sized._executables._values.values():  # their memory is not: the next run takes it again
        made._frames.clear()
        made._fixed = None
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    net(**{image: picture})
    return {"peak": _status("VmHWM") - before, "pair": largest_pair(net.bound(B=shape[0]))}


def largest_pair(net: il.Program) -> int:
    """The most bytes of a result and one computed tensor that it reads, over all equations."""
    program = net._typed
    computed = {t.name for t in program.tensors if t.role is Role.COMPUTED}
    size = {t.name: net.tensors[t.name].bytes for t in program.tensors if t.name in net.tensors}
    most = 0
    for e in program.equations:
        read = {r.tensor for r in reads(e.body)} & computed - {e.target}
        most = max(most, size[e.target] + max((size[n] for n in read), default=0))
    return most


def _status(field: str) -> int:
    """A line of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
