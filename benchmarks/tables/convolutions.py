"""Convolution layers: a row of numbers each, from which follow our equation and torch's call, forwards and as gradients."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.case import Case, Setting, measured
from benchmarks.report import Row


@dataclass(frozen=True)
class Convolution:
    """Pictures of side², `i` → `j` channels, `width`² taps; `pad` None: the side stays, or is divided by the stride."""

    name: str
    side: int
    i: int
    j: int
    width: int
    stride: int = 1
    dilate: int = 1
    groups: int = 1
    batch: int = 4
    pad: int | None = None

    @property
    def padding(self) -> int:
        return self.dilate * (self.width // 2) if self.pad is None else self.pad

    @property
    def out(self) -> int:
        return (self.side + 2 * self.padding - self.dilate * (self.width - 1) - 1) // self.stride + 1

    @property
    def equation(self) -> str:
        """Without bias and relu."""
        at = ", ".join(_at(self.stride, v, self.dilate, self.padding) for v in "xy")
        rule = " else 0" if self.padding else ""
        left = f"[b,x:{self.out},y:{self.out},{self.features}] ="
        taps = f"dx:{self.width},dy:{self.width}"
        if self.depthwise:
            return f"Y{left} sum[{taps}] W[dx,dy,j]*X[b, {at}, j{rule}]"
        if self.groups > 1:
            return f"Y{left} sum[{taps},i] W[g,dx,dy,i,j]*X[b, {at}, (g,i){rule}]"
        return f"Y{left} sum[{taps},i] W[dx,dy,i,j]*X[b, {at}, i{rule}]"

    @property
    def depthwise(self) -> bool:
        return 1 < self.groups == self.i

    @property
    def features(self) -> str:
        return "(g,j)" if self.groups > 1 and not self.depthwise else "j"

    @property
    def weights(self) -> str:
        w = self.width
        if self.depthwise:
            return f"W[{w},{w},{self.j}]"
        if self.groups > 1:
            return f"W[{self.groups},{w},{w},{self.i // self.groups},{self.j // self.groups}]"
        return f"W[{w},{w},{self.i},{self.j}]"

    @property
    def pictures(self) -> str:
        return f"X[{self.batch},{self.side},{self.side},{self.i}]"

    @property
    def flops(self) -> int:
        """Of the sum of products, padding counted as torch's own count does."""
        return 2 * self.batch * self.out**2 * self.j * self.width**2 * (self.i // self.groups)

    def as_torch(self, w: Any) -> Any:
        """The weights with torch's axes: features, channels, rows, columns."""
        if self.depthwise:
            return w.permute(2, 0, 1)[:, None]
        if self.groups > 1:
            return w.permute(0, 4, 3, 1, 2).reshape(self.j, self.i // self.groups, self.width, self.width)
        return w.permute(3, 2, 0, 1)

    def as_ours(self, w: Any) -> Any:
        """The other way round."""
        if self.depthwise:
            return w[:, 0].permute(1, 2, 0)
        if self.groups > 1:
            taps = (self.groups, self.j // self.groups, self.i // self.groups, self.width, self.width)
            return w.reshape(taps).permute(0, 3, 4, 2, 1)
        return w.permute(2, 3, 1, 0)

    def call(self, x: Any, w: Any, bias: Any = None) -> Any:
        """torch's layer, given weights with torch's axes."""
        import torch

        return torch.nn.functional.conv2d(x, w, bias, self.stride, self.padding, self.dilate, self.groups)


def _at(stride: int, index: str, dilate: int, pad: int) -> str:
    first = f"{stride}*{index}" if stride > 1 else index
    second = f"{dilate}*d{index}" if dilate > 1 else f"d{index}"
    return f"{first}+{second}" + (f"-{pad}" if pad else "")


C = Convolution
CONVOLUTIONS = (
    C("AlexNet 1, 11x11 stride 4", 227, 3, 96, 11, 4, pad=0),
    C("AlexNet 2, 5x5", 27, 96, 256, 5),
    C("AlexNet 3, 3x3", 13, 256, 384, 3),
    C("AlexNet 4, 3x3", 13, 384, 384, 3),
    C("AlexNet 5, 3x3", 13, 384, 256, 3),
    C("3x3 56, 64", 56, 64, 64, 3),
    C("3x3 28, 128", 28, 128, 128, 3),
    C("3x3 14, 256", 14, 256, 256, 3),
    C("3x3 7, 512", 7, 512, 512, 3),
    C("3x3 56, 64-128, stride 2", 56, 64, 128, 3, 2),
    C("3x3 28, 128-256, stride 2", 28, 128, 256, 3, 2),
    C("3x3 14, 256-512, stride 2", 14, 256, 512, 3, 2),
    C("1x1 56, 64-256", 56, 64, 256, 1),
    C("1x1 56, 256-64", 56, 256, 64, 1),
    C("1x1 14, 1024-256", 14, 1024, 256, 1),
    C("1x1 14, 256-1024", 14, 256, 1024, 1),
    C("VGG 224, 3-64", 224, 3, 64, 3, batch=1),
    C("VGG 224, 64", 224, 64, 64, 3, batch=1),
    C("VGG 112, 128", 112, 128, 128, 3, batch=1),
    C("3x3 28, 256, 32 groups", 28, 256, 256, 3, groups=32),
    C("3x3 56, 144, depthwise", 56, 144, 144, 3, groups=144),
    C("3x3 56, 144, depthwise, stride 2", 56, 144, 144, 3, 2, groups=144),
    C("5x5 28, 144, depthwise", 28, 144, 144, 5, groups=144),
    C("3x3 28, 128, dilated 2", 28, 128, 128, 3, dilate=2),
)


def small(c: Convolution) -> Convolution:
    """The same with few numbers, for tests."""
    groups = 1 if c.groups == 1 else 6 if c.depthwise else 2
    i, j = (3 if c.i == 3 else 6, 4) if groups == 1 else (6, 6)
    return replace(c, side=max(c.width + 4, 9), i=i, j=j, groups=groups, batch=2)


def forward(c: Convolution) -> Case:
    """With bias and relu, as layers have them; weights and bias are parameters."""
    head, body = c.equation.split(" = ", 1)
    text = f"{head} = relu(({body}) + B[{c.features}])"
    laid: dict[Any, Any] = {}

    def peer(x: Any, w: Any, b: Any) -> Any:
        import torch

        last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        if last not in laid:  # laid out once, as a module would hold them
            laid[last] = c.as_torch(w).contiguous(
                memory_format=torch.channels_last if last else torch.contiguous_format
            )
        return c.call(x, laid[last], b).relu_()

    inputs = f"{c.pictures} {c.weights} B[{c.j}]"
    return Case(c.name, text, inputs, {}, {}, {"torch": peer}, ("X",), lambda: c.flops, params=("W", "B"))


def cases(make: Callable[[Convolution], Case] = forward) -> tuple[Case, ...]:
    return tuple(make(c) for c in CONVOLUTIONS)


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    return map(partial(measured, table, setting=setting), filter(lambda case: wanted(case.name), cases()))
