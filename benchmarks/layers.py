"""Single equations beside PyTorch: a row each, as in the tables of speed to reach."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Layer:
    """One equation, its inputs and parameters by name, and the same in torch (functional, tensors in the same order).

    planes  which inputs are pictures: torch gets them with channels second, in both memory formats
    """

    name: str
    text: str
    shapes: dict[str, tuple[int, ...]]
    peer: Callable[..., Any]
    planes: tuple[str, ...] = ()


def convolution(
    name: str, side: int, i: int, j: int, width: int, stride: int = 1, dilate: int = 1, groups: int = 1
) -> Layer:
    """Padded so that the side stays, or is divided by the stride; with bias and relu, four pictures."""
    pad, out = dilate * (width // 2), side // stride
    at = ", ".join(f"{stride}*{v}+{dilate}*d{v}-{pad}" for v in "xy").replace("1*", "")
    if groups == 1:
        sum_, left = f"W[dx,dy,i,j] * X[b, {at}, i else 0]", "j"
    elif groups == i:
        sum_, left = f"W[dx,dy,j] * X[b, {at}, j else 0]", "j"
    else:
        sum_, left = f"W[g,dx,dy,i,j] * X[b, {at}, (g,i) else 0]", "(g,j)"
    bias = "B[(g,j)]" if "g" in left else "B[j]"
    taps = {1: (width, width, i, j), i: (width, width, j)}.get(groups, (groups, width, width, i // groups, j // groups))
    text = (
        f"Y[b,x:{out},y:{out},{left}] = relu((sum[dx:{width},dy:{width}{',i' if groups != i else ''}] {sum_}) + {bias})"
    )

    def peer(f: Any, x: Any, w: Any, b: Any) -> Any:
        if groups == 1:
            w = w.permute(3, 2, 0, 1)
        elif groups == i:
            w = w.permute(2, 0, 1)[:, None]
        else:
            w = w.permute(0, 4, 3, 1, 2).reshape(j, i // groups, width, width)
        return f.conv2d(x, _laid(w, x), b, stride, pad, dilate, groups).relu()

    return Layer(name, text, {"X": (4, side, side, i), "W": taps, "B": (j,)}, peer, ("X",))


_LAID: dict[Any, Any] = {}


def _laid(w: Any, x: Any) -> Any:
    """Weights laid out once, as a module would hold them."""
    import torch

    last = x.is_contiguous(memory_format=torch.channels_last)
    key = (w.data_ptr(), w.shape, last)
    if key not in _LAID:
        _LAID[key] = (w, w.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format))
    return _LAID[key][1]


def product(name: str, text: str, a: tuple[int, ...], b: tuple[int, ...], peer: Callable[..., Any]) -> Layer:
    return Layer(name, text, {"A": a, "B": b}, peer)


def pictures(
    name: str,
    text: str,
    peer: Callable[..., Any],
    *,
    more: dict[str, tuple[int, ...]] | None = None,
    channels: int = 64,
) -> Layer:
    """Over eight pictures of 56x56."""
    shape = (8, 56, 56, channels)
    return Layer(
        name, text, {"X": shape, **(more or {})}, peer, ("X", *(n for n, s in (more or {}).items() if s == shape))
    )


LAYERS = (
    convolution("3x3 56 64", 56, 64, 64, 3),
    convolution("3x3 28 128", 28, 128, 128, 3),
    convolution("3x3 14 256", 14, 256, 256, 3),
    convolution("3x3 7 512", 7, 512, 512, 3),
    convolution("3x3 56 64 stride 2", 56, 64, 128, 3, stride=2),
    convolution("1x1 56 64-256", 56, 64, 256, 1),
    convolution("1x1 14 1024-256", 14, 1024, 256, 1),
    convolution("3x3 28 128 dilated", 28, 128, 128, 3, dilate=2),
    convolution("3x3 28 256 in 32 groups", 28, 256, 256, 3, groups=32),
    convolution("3x3 56 144 depthwise", 56, 144, 144, 3, groups=144),
    convolution("5x5 28 144 depthwise", 28, 144, 144, 5, groups=144),
    product("product 1024", "C[i,k] = sum[j] A[i,j]*B[j,k]", (1024, 1024), (1024, 1024), lambda f, a, b: a @ b),
    product("product 512, B transposed", "C[i,k] = sum[j] A[i,j]*B[k,j]", (512, 512), (512, 512), lambda f, a, b: a @ b.T),
    product("product 512, A transposed", "C[i,k] = sum[j] A[j,i]*B[j,k]", (512, 512), (512, 512), lambda f, a, b: a.T @ b),
    product("product 16 of 128", "C[b,i,k] = sum[j] A[b,i,j]*B[b,j,k]", (16, 128, 128), (16, 128, 128), lambda f, a, b: a @ b),
    product("matrix times vector", "C[i] = sum[j] A[i,j]*B[j]", (4096, 1024), (1024,), lambda f, a, b: a @ b),
    product("FC batch 1", "C[b,k] = sum[j] A[b,j]*B[j,k]", (1, 4096), (4096, 1024), lambda f, a, b: a @ b),
    product("FC batch 16", "C[b,k] = sum[j] A[b,j]*B[j,k]", (16, 4096), (4096, 1024), lambda f, a, b: a @ b),
    pictures("relu", "Y[b,x,y,j] = relu(X[b,x,y,j])", lambda f, x: x.relu()),
    pictures("relu, 3 channels", "Y[b,x,y,j] = relu(X[b,x,y,j])", lambda f, x: x.relu(), channels=3),
    pictures("residual", "Y[b,x,y,j] = relu(X[b,x,y,j] + R[b,x,y,j])", lambda f, x, r: (x + r).relu_(), more={"R": (8, 56, 56, 64)}),
    pictures("scale and shift", "Y[b,x,y,j] = S[j]*X[b,x,y,j] + T[j]", lambda f, x, s, t: x * s[:, None, None] + t[:, None, None],
             more={"S": (64,), "T": (64,)}),
    pictures("max pool 3, stride 2", "Y[b,x:28,y:28,j] = max[dx:3,dy:3] X[b,2*x+dx-1,2*y+dy-1,j else -inf]",
             lambda f, x: f.max_pool2d(x, 3, 2, 1)),
    pictures("average pool 2", "Y[b,x:28,y:28,j] = 1/4 * sum[dx:2,dy:2] X[b,2*x+dx,2*y+dy,j]", lambda f, x: f.avg_pool2d(x, 2)),
    pictures("mean of pictures", "Y[b,j] = 1/(56*56) * sum[x,y] X[b,x,y,j]", lambda f, x: x.mean((2, 3))),
    pictures("mean of channels", "Y[j] = 1/(8*56*56) * sum[b,x,y] X[b,x,y,j]", lambda f, x: x.mean((0, 2, 3))),
    pictures("joined", "Y[b,x,y,J1+J2] = X[b,x,y,J1] ; R[b,x,y,J2]", lambda f, x, r: _cat(x, r), more={"R": (8, 56, 56, 64)}),
    Layer("softmax", "E[b,k] = exp(A[b,k] - max[m] A[b,m])\nY[b,k] = E[b,k] / sum[m] E[b,m]\noutput Y", {"A": (1024, 1000)},
          lambda f, a: f.softmax(a, 1)),
    Layer("layer norm", "m[b] = 1/768 * sum[k] A[b,k]\nv[b] = 1/768 * sum[k] (A[b,k]-m[b])^2\n"
          "Y[b,k] = S[k]*(A[b,k]-m[b])/sqrt(v[b]+0.00001) + T[k]\noutput Y", {"A": (2048, 768), "S": (768,), "T": (768,)},
          lambda f, a, s, t: f.layer_norm(a, (768,), s, t)),
    Layer("transpose", "Y[j,i] = A[i,j]", {"A": (2048, 1024)}, lambda f, a: a.T.contiguous()),
    Layer("sum of everything", "Y = sum[i,j] A[i,j]", {"A": (2048, 1024)}, lambda f, a: a.sum()),
    Layer("max-plus product", "Y[i,k] = max[j] (A[i,j] + B[j,k])", {"A": (256, 256), "B": (256, 256)},
          lambda f, a, b: (a[:, :, None] + b[None]).amax(1)),
    Layer("windows with two weights", "Y[x,y:508] = sum[dx:5,dy:5] U[dx]*V[dy]*A[x+dx,y+dy]", {"A": (512, 512), "U": (5,), "V": (5,)},
          lambda f, a, u, v: f.conv2d(a[None, None], (u[:, None] * v)[None, None])[0, 0]),
)  # fmt: skip


def _cat(x: Any, r: Any) -> Any:
    import torch

    return torch.cat((x, r), 1)


def arrays(layer: Layer) -> dict[str, Array]:
    random = np.random.default_rng(0)
    return {name: random.standard_normal(shape, np.float32) for name, shape in layer.shapes.items()}
