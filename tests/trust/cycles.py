"""Compile and run, again and again, in one process: `python tests/trust/cycles.py COUNT WARM KIND`.

Prints by how many bytes the process has grown over COUNT cycles, after WARM others. Each cycle is a program of its own,
which nothing refers to afterwards. Of KIND `same` its kernels are those of the cycle before; of `new` they are others,
with new equations, which have to be compiled.
"""

import gc
import sys
from pathlib import Path

import numpy as np

import indexlang as il

TEXT = """
input X[N,8]
param W[8,4] ~ xavier
H[n,j] = relu(sum[k] X[n,k]*W[k,j] + {0})
y = sum[n,j] H[n,j]*H[n,j] + {0}
output y
"""
PAGE = 4096


def resident() -> int:
    """Bytes of this process that lie in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def cycle(number: int) -> None:
    found = il.compile(TEXT.format(f"{number + 2}.5"), dtype="f64", threads=1)(np.ones((5, 8)))
    assert np.isfinite(found)


def main(count: int, warm: int, kind: str) -> int:
    for number in range(warm):
        cycle(number if kind == "new" else 0)
    before = resident()
    for number in range(warm, warm + count):
        cycle(number if kind == "new" else 0)
    print(resident() - before)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
