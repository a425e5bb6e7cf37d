"""Equations that read and write much and compute little: 64 pictures of 56x56 with 64 channels, or long rows."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Setting, measured
from benchmarks.report import Row

SIZES = {"B": 64, "S": 56, "J": 64}
SMALL = {"B": 2, "S": 8, "J": 3}
ROWS, FEW_ROWS = {"N": 8192, "K": 1000}, {"N": 5, "K": 7}


def _f() -> Any:
    from torch.nn import functional

    return functional


def _pictures(name: str, text: str, peer: Callable[..., Any], more: str = "", planes: tuple[str, ...] = ("X",)) -> Case:
    return Case(name, text, f"X[B,S,S,J] {more}".strip(), SIZES, SMALL, {"torch": peer}, planes, _free)


def _rows(name: str, text: str, peer: Callable[..., Any], more: str = "", **others: Callable[..., Any]) -> Case:
    return Case(name, text, f"A[N,K] {more}".strip(), ROWS, FEW_ROWS, {"torch": peer, **others}, flops=_free)


def _free(**sizes: int) -> int:
    return 0  # only memory counts


def _cat(x: Any, r: Any) -> Any:
    import torch

    return torch.cat((x, r), 1)


SOFTMAX = "Y[n,k] = exp(A[n,k] - max[m] A[n,m]) / sum[l] exp(A[n,l] - max[m] A[n,m])"
NORM = "m[n] = 1/K * sum[k] A[n,k]\nv[n] = 1/K * sum[k] (A[n,k]-m[n])^2\nY[n,k] = G[k]*(A[n,k]-m[n])/sqrt(v[n]+0.00001) + H[k]\noutput Y"
POOLED = "Y[b,x:S//2,y:S//2,j] ="
CASES = (
    _pictures("relu", "Y[b,x,y,j] = relu(X[b,x,y,j])", lambda x: x.relu()),
    _pictures("batch norm, inference", "Y[b,x,y,j] = G[j]*(X[b,x,y,j] - M[j])/sqrt(V[j]^2 + 1) + H[j]",
              lambda x, m, v, g, h: _f().batch_norm(x, m, v * v, g, h, eps=1.0), "M[J] V[J] G[J] H[J]"),
    _pictures("residual add and relu", "Y[b,x,y,j] = relu(X[b,x,y,j] + R[b,x,y,j])", lambda x, r: (x + r).relu_(),
              "R[B,S,S,J]", ("X", "R")),
    _pictures("concatenation", "Y[b,x,y,J1+J2] = X[b,x,y,J1] ; R[b,x,y,J2]", _cat, "R[B,S,S,J]", ("X", "R")),
    _pictures("max pool 3, stride 2", f"{POOLED} max[dx:3,dy:3] X[b,2*x+dx-1,2*y+dy-1,j else -inf]", lambda x: _f().max_pool2d(x, 3, 2, 1)),
    _pictures("max pool 2", f"{POOLED} max[dx:2,dy:2] X[b,2*x+dx,2*y+dy,j]", lambda x: _f().max_pool2d(x, 2)),
    _pictures("average pool 2", f"{POOLED} 1/4 * sum[dx:2,dy:2] X[b,2*x+dx,2*y+dy,j]", lambda x: _f().avg_pool2d(x, 2)),
    _pictures("mean of each picture", "Y[b,j] = 1/(S*S) * sum[x,y] X[b,x,y,j]", lambda x: x.mean((2, 3))),
    _pictures("mean of each channel", "Y[j] = 1/(B*S*S) * sum[b,x,y] X[b,x,y,j]", lambda x: x.mean((0, 2, 3))),
    _rows("softmax", SOFTMAX, lambda a: a.softmax(1)),
    _rows("layer norm", NORM, lambda a, g, h: _f().layer_norm(a, a.shape[1:], g, h), "G[K] H[K]"),
    _rows("transpose", "Y[k,n] = A[n,k]", lambda a: a.T.contiguous(), numpy=lambda a: np.ascontiguousarray(a.T)),
    _rows("sum of everything", "Y = sum[n,k] A[n,k]", lambda a: a.sum(), numpy=lambda a: a.sum()),
)  # fmt: skip


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    return map(partial(measured, table, setting=setting), filter(lambda case: wanted(case.name), CASES))
