"""Plain loops by hand, in numba: what somebody writes who has no library for an equation. One function a row of `odd`."""

from math import exp, log
from typing import Any

import numpy as np
from numba import njit, prange

LEAST = np.float32(-np.inf)
MOST = np.float32(np.inf)
loop: Any = njit(parallel=True, fastmath={"contract", "reassoc", "nsz", "arcp", "afn"})


@loop
def windows(a: Any, u: Any, v: Any) -> Any:
    n, m = a.shape[0] - len(u) + 1, a.shape[1] - len(v) + 1
    out = np.zeros((n, m), np.float32)
    for x in prange(n):
        for dx in range(len(u)):
            for dy in range(len(v)):
                w = u[dx] * v[dy]
                for y in range(m):
                    out[x, y] += w * a[x + dx, y + dy]
    return out


@loop
def max_plus(a: Any, w: Any) -> Any:
    k = w.shape[0]
    n, m = a.shape[0] - k + 1, a.shape[1] - k + 1
    out = np.full((n, m), LEAST, np.float32)
    for x in prange(n):
        for dx in range(k):
            for dy in range(k):
                for y in range(m):
                    out[x, y] = max(out[x, y], a[x + dx, y + dy] + w[dx, dy])
    return out


@loop
def dynamic(x: Any, f: Any) -> Any:
    batch, side, _, features = x.shape
    out = np.zeros_like(x)
    for r in prange(batch * side):
        b, p = r // side, r % side
        for q in range(side):
            for dp in range(max(0, 1 - p), min(3, side + 1 - p)):
                for dq in range(max(0, 1 - q), min(3, side + 1 - q)):
                    w = f[b, p, q, dp, dq]
                    for j in range(features):
                        out[b, p, q, j] += w * x[b, p + dp - 1, q + dq - 1, j]
    return out


@loop
def attention(q: Any, k: Any, v: Any) -> Any:
    batch, n, c = q.shape
    width = k.shape[1] - n + 1
    out = np.zeros_like(q)
    for r in prange(batch * n):
        b, x = r // n, r % n
        s = np.empty(width, np.float32)
        for d in range(width):
            t = np.float32(0)
            for i in range(c):
                t += q[b, x, i] * k[b, x + d, i]
            s[d] = t
        most, total = s.max(), np.float32(0)
        for d in range(width):
            s[d] = exp(s[d] - most)
            total += s[d]
        for d in range(width):
            w = s[d] / total
            for i in range(c):
                out[b, x, i] += w * v[b, x + d, i]
    return out


@loop
def bilinear(x: Any, w: Any, z: Any) -> Any:
    n, features = x.shape[0], w.shape[0]
    out = np.empty((n, features), np.float32)
    for r in prange(n):
        for k in range(features):
            t = np.float32(0)
            for i in range(x.shape[1]):
                s = np.float32(0)
                for j in range(z.shape[1]):
                    s += w[k, i, j] * z[r, j]
                t += x[r, i] * s
            out[r, k] = t
    return out


@loop
def tropical(a: Any, b: Any) -> Any:
    n, m = a.shape[0], b.shape[1]
    out = np.full((n, m), LEAST, np.float32)
    for i in prange(n):
        for j in range(a.shape[1]):
            for k in range(m):
                out[i, k] = max(out[i, k], a[i, j] + b[j, k])
    return out


@loop
def hypercolumns(a: Any, b: Any, c: Any) -> Any:
    side, _, j = a.shape
    out = np.empty((side, side, 3 * j), np.float32)
    for x in prange(side):
        for y in range(side):
            for i in range(j):
                out[x, y, i] = a[x, y, i]
                out[x, y, j + i] = b[x // 2, y // 2, i]
                out[x, y, 2 * j + i] = c[x // 4, y // 4, i]
    return out


@loop
def running_sum(a: Any) -> Any:
    out = np.empty_like(a)
    for n in prange(a.shape[0]):
        t = np.float32(0)
        for i in range(a.shape[1]):
            t += a[n, i]
            out[n, i] = t
    return out


@loop
def distances(f: Any) -> Any:
    n = f.shape[0]
    rows = np.full((n, n), MOST, np.float32)
    out = np.full((n, n), MOST, np.float32)
    for x in prange(n):
        for u in range(n):
            step = np.float32((x - u) * (x - u))
            for v in range(n):
                rows[x, v] = min(rows[x, v], f[u, v] + step)
    for x in prange(n):
        for v in range(n):
            r = rows[x, v]
            for y in range(n):
                out[x, y] = min(out[x, y], r + np.float32((y - v) * (y - v)))
    return out


@loop
def placed(x: Any, w: Any) -> Any:
    batch, (n, m, k, _, channels, features) = x.shape[0], w.shape
    out = np.zeros((batch, n, m, features), np.float32)
    for p in prange(n):
        for q in range(m):
            for dp in range(k):
                for dq in range(k):
                    for i in range(channels):
                        for b in range(batch):
                            s = x[b, p + dp, q + dq, i]
                            for j in range(features):
                                out[b, p, q, j] += s * w[p, q, dp, dq, i, j]
    return out


@loop
def soft_maximum(a: Any) -> Any:
    n, m = a.shape[0] - 4, a.shape[1] - 4
    out = np.empty((n, m), np.float32)
    for x in prange(n):
        for y in range(m):
            most = LEAST
            for dx in range(5):
                for dy in range(5):
                    most = max(most, a[x + dx, y + dy])
            total = np.float32(0)
            for dx in range(5):
                for dy in range(5):
                    total += exp(a[x + dx, y + dy] - most)
            out[x, y] = most + log(total)
    return out


@loop
def relative(q: Any, k: Any, r: Any) -> Any:
    n, c = q.shape
    out = np.empty((n, n), np.float32)
    for i in prange(n):
        for j in range(n):
            t = np.float32(0)
            for d in range(c):
                t += q[i, d] * (k[j, d] + r[i - j + n - 1, d])
            out[i, j] = t
    return out


@loop
def bilateral(a: Any) -> Any:
    n, m = a.shape[0] - 4, a.shape[1] - 4
    out = np.empty((n, m), np.float32)
    for x in prange(n):
        for y in range(m):
            total, weights = np.float32(0), np.float32(0)
            for dx in range(5):
                for dy in range(5):
                    step = a[x + dx, y + dy] - a[x + 2, y + 2]
                    w = exp(-step * step)
                    weights += w
                    total += w * a[x + dx, y + dy]
            out[x, y] = total / weights
    return out
