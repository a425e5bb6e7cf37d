"""Seconds of whole processes: with an empty cache, and again with all kernels there."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.case import Setting
from benchmarks.report import Row

ROOT = Path(__file__).parents[2]
ALEXNET = str(ROOT / "examples" / "alexnet.idx")
ONE_LINE = """
import numpy as np, time, indexlang as il
a = np.ones((8, 8), np.float32)
start = time.perf_counter()
il.compile("C[i,k] = sum A[i,j]*B[j,k]")(a, a)
print(time.perf_counter() - start)
"""
STEP = """
import numpy as np, indexlang as il, sys
from benchmarks import alexnet
from indexlang.train.step import Recipe, training_step
lines = [l for l in alexnet.FILE.read_text(encoding="utf-8").splitlines() if not l.startswith("output")]
net = il.compile("\\n".join(lines).replace(' from "cat.jpg"', "") + "\\n" + alexnet.LOSS, dtype="f32")
step = training_step(net, Recipe("loss", "momentum", rate=1e-6))
batch = {"Input": np.ones((16, 227, 227, 3), np.float32), "label": np.arange(16)}
found, take = step.program.proposed(step.inputs(batch, 1, 1000), step.wanted())
"""
CASES: dict[str, list[str]] = {
    "run alexnet.idx": ["-m", "indexlang", "run", ALEXNET],
    "a step of training AlexNet, batch 16": ["-c", STEP],
}
LINE = "one line, after import"


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Each twice, the cache being empty before the first."""
    for name, command in CASES.items():
        if wanted(name):
            with TemporaryDirectory() as cache:
                for state in ("empty cache", "warm"):
                    start = perf_counter()
                    _run(command, cache)
                    yield Row(table, f"{name}, {state}", perf_counter() - start, unit="s")
    if wanted(LINE):
        with TemporaryDirectory() as cache:
            for state in ("empty cache", "warm"):
                yield Row(table, f"{LINE}, {state}", float(_run(["-c", ONE_LINE], cache)), unit="s")


def _run(command: list[str], cache: str) -> str:
    environment = {**os.environ, "INDEXLANG_CACHE": cache}
    ended = subprocess.run(
        [sys.executable, *command], check=True, capture_output=True, text=True, env=environment, cwd=ROOT
    )
    return ended.stdout
