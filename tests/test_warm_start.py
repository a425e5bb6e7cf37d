"""No process imports numba for the words of kernels, whether it finds them in the cache or compiles them."""

import os
import subprocess
import sys
from pathlib import Path

TEXT = """
import sys
import numpy as np
import indexlang as il
net = il.compile('''
input X[7,40]
param W[40,20]
Y[b,j] = gelu(sum W[i,j]*X[b,i]) + sin(X[b,0])^2.5
p[b,k] = exp(Y[b,k]) / sum[m] exp(Y[b,m])
output p
''')
print(sorted({'numba', 'scipy'} & set(sys.modules)), float(net(np.ones((7, 40), 'f4')).sum()))
print(sorted({'numba', 'scipy.linalg', 'numba.np.arraymath'} & set(sys.modules)))
"""


def run(cache: Path) -> list[str]:
    env = {**os.environ, "INDEXLANG_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", TEXT], capture_output=True, text=True, env=env, check=True)
    return done.stdout.splitlines()


def test_what_is_imported(tmp_path: Path):
    cache = tmp_path / "cache"
    cold, warm = run(cache), run(cache)
    assert cold == warm  # numba is for what `lower` does not know
    assert warm[1] == "[]"
