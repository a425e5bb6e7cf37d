"""Equations that no library has: each beside the best of torch (eager and compiled), JAX and numpy, and a loop by hand."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Setting, measured
from benchmarks.report import Row
from benchmarks.tables import loops


def _case(
    name: str, text: str, inputs: str, flops: Callable[..., int], torch: Any, numpy: Any, numba: Any, **sizes: int
) -> Case:
    small = {letter: _SMALL[letter] for letter in sizes}
    return Case(
        name,
        text,
        inputs,
        sizes,
        small,
        {"torch": torch, "compile": torch, "jax": numpy, "numpy": numpy, "numba": numba},
        flops=flops,
    )


_SMALL = {"B": 2, "N": 12, "S": 8, "J": 3, "M": 4, "C": 5, "K": 3, "R": 5}


def _shifts(a: Any, k: int) -> Iterator[tuple[int, int, Any]]:
    """All windows' elements at once: the array moved by each offset."""
    n, m = a.shape[0] - k + 1, a.shape[1] - k + 1
    return ((dx, dy, a[dx : dx + n, dy : dy + m]) for dx in range(k) for dy in range(k))


# -- sums and maxima of windows


def _windows_torch(a: Any, u: Any, v: Any) -> Any:
    from torch.nn import functional

    return functional.conv2d(a[None, None], (u[:, None] * v)[None, None])[0, 0]


def _windows_numpy(a: Any, u: Any, v: Any) -> Any:
    n, m = a.shape[0] - len(u) + 1, a.shape[1] - len(v) + 1
    tall = sum(u[d] * a[d : d + n] for d in range(len(u)))
    return sum(v[d] * tall[:, d : d + m] for d in range(len(v)))


def _max_plus_torch(a: Any, w: Any) -> Any:
    import torch

    out = None
    for dx, dy, moved in _shifts(a, w.shape[0]):
        term = moved + w[dx, dy]
        out = term if out is None else torch.maximum(out, term)
    return out


def _max_plus_numpy(a: Any, w: Any) -> Any:
    k = w.shape[0]
    out = np.full((a.shape[0] - k + 1, a.shape[1] - k + 1), -np.inf, np.float32)
    for dx, dy, moved in _shifts(a, k):
        np.maximum(out, moved + w[dx, dy], out=out)
    return out


def _soft_torch(a: Any) -> Any:
    return a.unfold(0, 5, 1).unfold(1, 5, 1).logsumexp((-1, -2))


def _soft_numpy(a: Any) -> Any:
    most = _max_plus_numpy(a, np.zeros((5, 5), np.float32))
    return most + np.log(sum(np.exp(moved - most) for _, _, moved in _shifts(a, 5)))


def _bilateral_torch(a: Any) -> Any:
    centre = a[2:-2, 2:-2]
    weights = [(-((moved - centre) ** 2)).exp() for _, _, moved in _shifts(a, 5)]
    return sum(w * moved for w, (_, _, moved) in zip(weights, _shifts(a, 5), strict=True)) / sum(weights)


def _bilateral_numpy(a: Any) -> Any:
    centre = a[2:-2, 2:-2]
    total, weights = np.zeros_like(centre), np.zeros_like(centre)
    for _, _, moved in _shifts(a, 5):
        w = np.exp(-np.square(moved - centre))
        weights += w
        total += w * moved
    return total / weights


# -- filters that differ from place to place


def _dynamic_torch(x: Any, f: Any) -> Any:
    from torch.nn import functional

    return _moved_filters(functional.pad(x, (0, 0, 1, 1, 1, 1)), x.shape[1], f)


def _dynamic_numpy(x: Any, f: Any) -> Any:
    return _moved_filters(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), x.shape[1], f)


def _moved_filters(p: Any, s: int, f: Any) -> Any:
    return sum(f[:, :, :, d, e, None] * p[:, d : d + s, e : e + s] for d in range(3) for e in range(3))


def _placed_torch(x: Any, w: Any) -> Any:
    n, m, k, _, i, j = w.shape
    rows = x.unfold(1, k, 1).unfold(2, k, 1).permute(1, 2, 0, 4, 5, 3).reshape(n, m, -1, k * k * i)
    return (rows @ w.reshape(n, m, k * k * i, j)).permute(2, 0, 1, 3).contiguous()


def _placed_numpy(x: Any, w: Any) -> Any:
    n, m, k, _, i, j = w.shape
    seen = np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))  # b, x, y, i, dx, dy
    rows = seen.transpose(1, 2, 0, 4, 5, 3).reshape(n, m, -1, k * k * i)
    return np.ascontiguousarray((rows @ w.reshape(n, m, k * k * i, j)).transpose(2, 0, 1, 3))


# -- attention


def _attention_torch(q: Any, k: Any, v: Any) -> Any:
    width = k.shape[1] - q.shape[1] + 1
    keys, values = k.unfold(1, width, 1), v.unfold(1, width, 1)  # b, x, c, d
    p = (q[:, :, None] @ keys).softmax(-1)
    return (p * values).sum(-1)


def _attention_numpy(q: Any, k: Any, v: Any) -> Any:
    n, width = q.shape[1], k.shape[1] - q.shape[1] + 1
    s = np.stack([np.einsum("bxc,bxc->bx", q, k[:, d : d + n]) for d in range(width)], -1)
    e = np.exp(s - s.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return sum(p[:, :, d, None] * v[:, d : d + n] for d in range(width))


def _relative_torch(q: Any, k: Any, r: Any) -> Any:
    n = q.shape[0]
    scores = (q @ r.T).contiguous()  # scores[i, i-j+n-1] belongs to j
    return q @ k.T + scores.as_strided((n, n), (2 * n + 1, 1), 0).flip(1)


def _relative_numpy(q: Any, k: Any, r: Any) -> Any:
    n = q.shape[0]
    scores = q @ r.T
    step = scores.strides[1]
    return q @ k.T + np.lib.stride_tricks.as_strided(scores, (n, n), ((2 * n + 1) * step, step))[:, ::-1]


# -- products


def _bilinear(x: Any, w: Any, z: Any) -> Any:
    k, i, j = w.shape
    return ((z @ w.reshape(k * i, j).T).reshape(-1, k, i) * x[:, None]).sum(-1)


def _tropical_torch(a: Any, b: Any) -> Any:
    import torch

    return torch.cat([(part[:, :, None] + b).amax(1) for part in a.split(16)])


def _tropical_numpy(a: Any, b: Any) -> Any:
    return np.stack([(row[:, None] + b).max(0) for row in a])


def _hyper_torch(a: Any, b: Any, c: Any) -> Any:
    import torch

    wide = (t.repeat_interleave(k, 0).repeat_interleave(k, 1) for t, k in ((b, 2), (c, 4)))
    return torch.cat((a, *wide), 2)


def _hyper_numpy(a: Any, b: Any, c: Any) -> Any:
    return np.concatenate((a, b.repeat(2, 0).repeat(2, 1), c.repeat(4, 0).repeat(4, 1)), 2)


def _steps(n: int, of: Any) -> Any:
    at = of.arange(n, dtype=of.float32)
    return (at[:, None] - at) ** 2


def _distance_torch(f: Any) -> Any:
    import torch

    step = _steps(f.shape[0], torch)
    rows = torch.cat([(part[:, :, None] + f).amin(1) for part in step.split(16)])
    return torch.cat([(part[:, :, None] + step).amin(1) for part in rows.split(16)])


def _distance_numpy(f: Any) -> Any:
    step = _steps(f.shape[0], np)
    rows = np.stack([(row[:, None] + f).min(0) for row in step])
    return np.stack([(row[:, None] + step).min(0) for row in rows])


ATTENTION = (
    "S[b,x,d] = sum[c] Q[b,x,c]*K[b,x+d,c]\nP[b,x,d] = exp(S[b,x,d] - max[m] S[b,x,m])\n"
    "Y[b,x,c] = (sum[d] P[b,x,d]*V[b,x+d,c]) / sum[d] P[b,x,d]\noutput Y"
)
HYPER = "tensor Y[S,S,3*J]\nY[x,y,j:J] = A[x,y,j]\nY[x:S,y:S,J+j] = D[x//2,y//2,j]\nY[x:S,y:S,2*J+j] = E[x//4,y//4,j]"
DISTANCE = "R[x:N,v] = min[u] (F[u,v] + (x-u)^2)\nD[x,y:N] = min[v] (R[x,v] + (y-v)^2)\noutput D"
BILATERAL = (
    "w[x:N-4,y:N-4,dx:5,dy:5] = exp(-(A[x+dx,y+dy] - A[x+2,y+2])^2)\n"
    "Y[x,y] = (sum[dx,dy] w[x,y,dx,dy]*A[x+dx,y+dy]) / sum[dx,dy] w[x,y,dx,dy]\noutput Y"
)
CASES = (
    _case("windows with two weights", "Y[x,y] = sum[dx,dy] U[dx]*V[dy]*A[x+dx,y+dy]", "A[N,N] U[5] V[5]",
          lambda N: 2 * 10 * N * N, _windows_torch, _windows_numpy, loops.windows, N=1024),
    _case("max-plus convolution", "Y[x,y] = max[dx,dy] (A[x+dx,y+dy] + W[dx,dy])", "A[N,N] W[5,5]",
          lambda N: 2 * 25 * N * N, _max_plus_torch, _max_plus_numpy, loops.max_plus, N=1024),
    _case("dynamic filters", "Y[b,x,y,j] = sum[dx,dy] F[b,x,y,dx,dy]*X[b,x+dx-1,y+dy-1,j else 0]", "X[B,S,S,J] F[B,S,S,3,3]",
          lambda B, S, J: 18 * B * S * S * J, _dynamic_torch, _dynamic_numpy, loops.dynamic, B=4, S=64, J=64),
    _case("local attention", ATTENTION, "Q[B,N,C] K[B,N+16,C] V[B,N+16,C]",
          lambda B, N, C: 4 * 17 * B * N * C, _attention_torch, _attention_numpy, loops.attention, B=4, N=1024, C=64),
    _case("bilinear forms", "Y[n,k] = sum[i,j] X[n,i]*W[k,i,j]*Z[n,j]", "X[N,M] W[K,M,M] Z[N,M]",
          lambda N, K, M: 2 * N * K * M * (M + 1), _bilinear, _bilinear, loops.bilinear, N=1024, K=32, M=64),
    _case("tropical product", "Y[i,k] = max[j] (A[i,j] + B[j,k])", "A[N,N] B[N,N]",
          lambda N: 2 * N**3, _tropical_torch, _tropical_numpy, loops.tropical, N=512),
    _case("hypercolumns", HYPER, "A[S,S,J] D[S//2,S//2,J] E[S//4,S//4,J]",
          lambda S, J: 0, _hyper_torch, _hyper_numpy, loops.hypercolumns, S=256, J=32),
    _case("running sums by a mask", "Y[n,i:N] = sum[j] (A[n,j] if j <= i else 0)", "A[N,N]",
          lambda N: N * N, lambda a: a.cumsum(1), lambda a: a.cumsum(1), loops.running_sum, N=512),
    _case("distance transform", DISTANCE, "F[N,N]",
          lambda N: 4 * N**3, _distance_torch, _distance_numpy, loops.distances, N=384),
    _case("convolution that differs by place", "Y[b,x,y,j] = sum[dx,dy,i] W[x,y,dx,dy,i,j]*X[b,x+dx,y+dy,i]",
          "X[B,S+2,S+2,M] W[S,S,3,3,M,J]", lambda B, S, M, J: 18 * B * S * S * M * J, _placed_torch, _placed_numpy,
          loops.placed, B=8, S=28, M=16, J=32),
    _case("soft maximum of windows", "Y[x:N-4,y:N-4] = logsumexp[dx:5,dy:5] A[x+dx,y+dy]", "A[N,N]",
          lambda N: 4 * 25 * N * N, _soft_torch, _soft_numpy, loops.soft_maximum, N=512),
    _case("relative positions", "Y[i,j] = sum[c] Q[i,c]*(K[j,c] + R[i-j+N-1,c])", "Q[N,C] K[N,C] R[2*N,C]",
          lambda N, C: 3 * N * N * C, _relative_torch, _relative_numpy, loops.relative, N=768, C=64),
    _case("bilateral filter", BILATERAL, "A[N,N]",
          lambda N: 6 * 25 * N * N, _bilateral_torch, _bilateral_numpy, loops.bilateral, N=512),
)  # fmt: skip


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    return map(partial(measured, table, setting=setting), filter(lambda case: wanted(case.name), CASES))
