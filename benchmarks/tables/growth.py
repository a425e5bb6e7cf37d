"""How time grows: with the batch, with threads, with the number of equations to compile."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.case import Setting, ready
from benchmarks.report import Row
from benchmarks.tables.convolutions import CONVOLUTIONS, Convolution, forward
from benchmarks.timing import interleaved

LAYERS = ("3x3 28, 128", "1x1 14, 1024-256", "3x3 56, 144, depthwise")
CHAIN = """
import numpy as np, sys, time, indexlang as il
n = int(sys.argv[1])
text = f"input L_0[4, 8]\\nparam W[8, 8]\\nfor l in 1..{n}:\\n    L_{{l}}[b,j] = relu(sum W[i,j]*L_{{l-1}}[b,i])\\noutput L_{n}\\n"
start = time.perf_counter()
il.compile(text)(np.ones((4, 8), np.float32))
print(time.perf_counter() - start)
"""


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    for c in (c for c in CONVOLUTIONS if c.name in LAYERS):
        if wanted(f"{c.name}, batch 1 to 64"):
            one, many = (_time(replace(c, batch=b), setting) for b in (1, 64))
            yield Row(table, f"{c.name}, batch 1 to 64", many, {"64 times one": 64 * one})
        if wanted(f"{c.name}, threads 1 to 2"):
            one, two = (_time(replace(c, batch=16), replace(setting, threads=t)) for t in (1, 2))
            yield Row(table, f"{c.name}, threads 1 to 2", two, {"one thread": one})
    if wanted("compile 10 to 1000 equations"):
        few, some, many = (_compile(n) for n in (10, 100, 1000))
        line = {"in a line with 10 and 100": few + (some - few) * 11}
        yield Row(table, "compile 10 to 1000 equations", many, line, "s")


def _time(c: Convolution, setting: Setting) -> float:
    case = replace(forward(c), peers={})
    return interleaved({"ours": ready(case, {}, setting).ours}, setting.rounds)["ours"]


def _compile(equations: int) -> float:
    with TemporaryDirectory() as cache:
        environment = {**os.environ, "INDEXLANG_CACHE": cache}
        command = [sys.executable, "-c", CHAIN, str(equations)]
        root = Path(__file__).parents[2]
        ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=root)
    return float(ended.stdout)
