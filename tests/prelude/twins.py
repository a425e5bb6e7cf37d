"""The table of layers: a row each, with the call and the PyTorch lines that say the same.

A row's program has the inputs `extents`; `twin` gets inputs and parameters as torch tensors by name, and answers in the
layout of the lecture (batch, rows, columns, features). Odd ones are the point: extents 0, 1 and primes, every option.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional as F

Tensors = Mapping[str, torch.Tensor]
Extents = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Twin:
    """A program and its twin. `counts`: for inputs of ints, how many values they take."""

    title: str
    text: str
    extents: Extents
    twin: Callable[[Tensors], torch.Tensor]
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    training: bool = False

    @property
    def program(self) -> str:
        heads = (f"input {n}{list(e)}{' : int' if n in self.counts else ''}" for n, e in self.extents.items())
        return "\n".join((*(h.replace("[]", "") for h in heads), self.text, "output R"))


def first(x: torch.Tensor) -> torch.Tensor:
    """Features first, as torch has them: [b,x,y,i] → [b,i,x,y]."""
    return x.movedim(-1, 1)


def last(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(1, -1)


def kernel(w: torch.Tensor) -> torch.Tensor:
    """`W[dx,dy,i,j]`, `W[dx,dy,g,i,j]` or `W[dx,dy,j]` as (out, in, rows, columns)."""
    if w.ndim == 3:
        return w.permute(2, 0, 1).unsqueeze(1)
    if w.ndim == 5:
        return w.permute(2, 4, 3, 0, 1).flatten(0, 1)
    return w.permute(3, 2, 0, 1)


def conv(title: str, options: str, left: str = "R", extents: tuple[int, ...] = (2, 6, 5, 6), **twin: Any) -> Twin:
    """A row of Conv; `sides` are those of torch's pad: columns before and behind, rows before and behind."""
    sides = twin.pop("sides", (0, 0, 0, 0))

    def said(t: Tensors) -> torch.Tensor:
        bias = -t["R.B"] if "R.B" in t else None
        padded = F.pad(first(t["L"]), sides)
        return last(F.conv2d(padded, kernel(t["R.W"]), bias, **twin))

    return Twin(f"conv {title}", f"{left} = Conv(L, {options})", {"L": extents}, said)


CONVOLUTIONS = (
    conv("1x1", "width 1, features 5"),
    conv("plain", "width 3, features 5"),
    conv("pad", "width 3, features 5, pad 1", sides=(1, 1, 1, 1)),
    conv("features from the left side", "width 3, pad 1", "R[2,6,5,5]", sides=(1, 1, 1, 1)),
    conv("stride and pad", "width 5, features 4, pad 2, stride 2", sides=(2, 2, 2, 2), stride=2),
    conv("stride beyond the width", "width 2, features 3, stride 3", stride=3),
    conv("dilation", "width 3, features 4, dilate 2, pad 2", sides=(2, 2, 2, 2), dilation=2),
    conv("unequal widths", "width_x 1, width_y 7, pad_y 3, features 4", sides=(3, 3, 0, 0)),
    conv("each side of its own", "width 3, features 2, pad_x0 2, pad_y1 1, pad 0", sides=(0, 1, 2, 0)),
    conv("unequal strides", "width 3, features 2, stride_x 2, dilate_y 2", stride=(2, 1), dilation=(1, 2)),
    conv("no bias", "width 3, features 5, bias 0, pad 1", sides=(1, 1, 1, 1)),
    conv("groups", "width 3, features 4, groups 2, pad 1", sides=(1, 1, 1, 1), groups=2),
    conv("groups from the left side", "width 3, groups 3", "R[B,X,Y,9]", groups=3),
    conv("groups without bias", "width 3, groups 2, features 8, bias 0, stride 2", groups=2, stride=2),
    conv("depthwise", "width 3, groups 6, pad 1, stride 2", "R[B,X,Y,6]", sides=(1, 1, 1, 1), groups=6, stride=2),
    conv("depthwise, two out for each", "width 3, groups 6, features 12, bias 0", groups=6),
    conv("one group a feature, one feature", "width 2, groups 1, features 1", extents=(3, 4, 5, 1)),
    conv("a window that just fits", "width_x 6, width_y 5, features 3"),
    conv("one pixel, all of it border", "width 3, features 3, pad 1", extents=(1, 1, 1, 2), sides=(1, 1, 1, 1)),
    conv("primes", "width 5, features 7, stride 3, pad 2", extents=(1, 11, 13, 3), sides=(2, 2, 2, 2), stride=3),
    conv("an empty batch", "width 3, features 5, pad 1", extents=(0, 5, 5, 2), sides=(1, 1, 1, 1)),
    Twin(
        "conv package first, extents stated",
        "R = Conv(Φ[3,3,6,5], L, pad 1)",
        {"L": (2, 6, 5, 6)},
        lambda t: last(F.conv2d(first(t["L"]), kernel(t["Φ.W"]), -t["Φ.B"], padding=1)),
    ),
    Twin(
        "conv given weights and bias",
        "R = Conv(W, B, L, pad 1, stride 2)",
        {"L": (2, 6, 5, 6), "W": (3, 2, 6, 5), "B": (5,)},
        lambda t: last(F.conv2d(first(t["L"]), kernel(t["W"]), -t["B"], padding=1, stride=2)),
    ),
    Twin(
        "conv given weights",
        "R = Conv(W[P,Q,I,J], L[B,X,Y,I], dilate 2)",
        {"L": (2, 6, 5, 6), "W": (3, 2, 6, 5)},
        lambda t: last(F.conv2d(first(t["L"]), kernel(t["W"]), dilation=2)),
    ),
    Twin(
        "conv without a batch",
        "R = Conv(L, width 3, features 5, pad 1)",
        {"L": (5, 4, 3)},
        lambda t: F.conv2d(t["L"].movedim(-1, 0), kernel(t["R.W"]), -t["R.B"], padding=1).movedim(0, -1),
    ),
    Twin(
        "conv with two leading axes",
        "R = Conv(L, width 3, features 5, pad 1)",
        {"L": (2, 3, 4, 3, 2)},
        lambda t: last(F.conv2d(first(t["L"].flatten(0, 1)), kernel(t["R.W"]), -t["R.B"], padding=1)).unflatten(
            0, (2, 3)
        ),
    ),
    Twin(
        "conv sharing one package",
        "A = Conv(L, Φ, width 3, features 4, pad 1)\nR = Conv(A, Φ, width 3, features 4, pad 1)",
        {"L": (2, 4, 3, 4)},
        lambda t: last(
            F.conv2d(
                F.conv2d(first(t["L"]), kernel(t["Φ.W"]), -t["Φ.B"], padding=1),
                kernel(t["Φ.W"]),
                -t["Φ.B"],
                padding=1,
            )
        ),
    ),
)


def transposed(title: str, options: str, **twin: Any) -> Twin:
    """A row of ConvTranspose: torch has (in, out, rows, columns)."""

    def said(t: Tensors) -> torch.Tensor:
        bias = -t["R.B"] if "R.B" in t else None
        return last(F.conv_transpose2d(first(t["L"]), t["R.W"].permute(2, 3, 0, 1), bias, **twin))

    return Twin(f"transposed {title}", f"R = ConvTranspose(L, {options})", {"L": (2, 4, 3, 2)}, said)


TRANSPOSED = (
    transposed("plain", "width 3, features 5"),
    transposed("no bias", "width 3, features 5, bias 0, pad 1", padding=1),
    transposed("stride", "width 3, features 2, stride 2", stride=2),
    transposed(
        "stride, pad, more", "width 4, features 2, stride 3, pad 1, more 2", stride=3, padding=1, output_padding=2
    ),
    transposed("dilation", "width 3, features 2, stride 2, dilate 2, pad 1", stride=2, dilation=2, padding=1),
    transposed("unequal", "width_x 1, width_y 4, features 2, stride_x 2, pad_y 1", stride=(2, 1), padding=(0, 1)),
    transposed("stride beyond the width", "width 1, features 2, stride 2, more 1", stride=2, output_padding=1),
)


def pool(
    title: str, call: str, twin: Callable[[torch.Tensor], torch.Tensor], extents: tuple[int, ...] = (2, 9, 7, 3)
) -> Twin:
    return Twin(title, f"R = {call}", {"L": extents}, lambda t: last(twin(first(t["L"]))))


def uncounted(x: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)


POOLS = (
    pool("max pool", "MaxPool(L, width 3, stride 2)", lambda x: F.max_pool2d(x, 3, 2)),
    pool("max pool, stride is the width", "MaxPool(L, width 2)", lambda x: F.max_pool2d(x, 2)),
    pool("max pool, pad is below everything", "MaxPool(L, width 3, stride 2, pad 1)", lambda x: F.max_pool2d(x, 3, 2, 1)),
    pool("max pool, ceil", "MaxPool(L, width 3, stride 2, ceil 1)", lambda x: F.max_pool2d(x, 3, 2, 0, ceil_mode=True), (2, 8, 7, 3)),
    pool("max pool, ceil, pad", "MaxPool(L, width 3, stride 2, pad 1, ceil 1)", lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True), (1, 8, 8, 2)),
    pool("max pool, no window behind", "MaxPool(L, width 2, stride 3, ceil 1)", lambda x: F.max_pool2d(x, 2, 3, 0, ceil_mode=True)),
    pool("max pool, dilation", "MaxPool(L, width 3, stride 1, dilate 2)", lambda x: F.max_pool2d(x, 3, 1, 0, 2)),
    pool("max pool, unequal", "MaxPool(L, width 2, width_x 3, stride_y 1, pad_x 1)", lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 0))),
    pool("average pool", "AvgPool(L, width 2, stride 2)", lambda x: F.avg_pool2d(x, 2)),
    pool("average pool, pad counted", "AvgPool(L, width 3, stride 1, pad 1)", lambda x: F.avg_pool2d(x, 3, 1, 1)),
    pool("average pool, pad not counted", "AvgPool(L, width 3, stride 2, pad 1, count_pad 0)", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    pool("average pool, ceil", "AvgPool(L, width 3, stride 2, pad 1, ceil 1)", lambda x: F.avg_pool2d(x, 3, 2, 1, True), (2, 8, 6, 3)),
    pool("average pool, ceil, not counted", "AvgPool(L, width 3, stride 2, pad 1, ceil 1, count_pad 0)", uncounted, (2, 8, 6, 3)),
    pool("average pool, no window behind", "AvgPool(L, width 2, stride 3, ceil 1)", lambda x: F.avg_pool2d(x, 2, 3, 0, True)),
    pool("average pool, unequal", "AvgPool(L, width 2, width_y 3, stride 1, pad_y 1)", lambda x: F.avg_pool2d(x, (2, 3), 1, (0, 1))),
    pool("adaptive, bins overlap", "AdaptiveAvgPool(L, rows 4, columns 3)", lambda x: F.adaptive_avg_pool2d(x, (4, 3))),
    pool("adaptive, divides", "AdaptiveAvgPool(L, rows 3, columns 7)", lambda x: F.adaptive_avg_pool2d(x, (3, 7))),
    pool("adaptive, one bin", "AdaptiveAvgPool(L, rows 1, columns 1)", lambda x: F.adaptive_avg_pool2d(x, 1)),
    pool("adaptive, more than there are", "AdaptiveAvgPool(L, rows 11, columns 9)", lambda x: F.adaptive_avg_pool2d(x, (11, 9))),
    Twin("adaptive, from the left side", "R[2,6,6,2] = AdaptiveAvgPool(L)", {"L": (2, 9, 8, 2)}, lambda t: last(F.adaptive_avg_pool2d(first(t["L"]), 6))),
    Twin("global average", "R = GlobalAvgPool(L)", {"L": (2, 9, 7, 2)}, lambda t: t["L"].mean((1, 2))),
    pool("an empty batch", "MaxPool(L, width 2)", lambda x: F.max_pool2d(x, 2), (0, 4, 4, 3)),
)  # fmt: skip


def batch_norm(title: str, extents: tuple[int, ...], options: str = "", training: bool = False, **twin: Any) -> Twin:
    def said(t: Tensors) -> torch.Tensor:
        mean, variance = t["R.mean"].clone(), t["R.variance"].clone()
        found = F.batch_norm(first(t["L"]), mean, variance, t["R.gamma"], t["R.beta"], training, **twin)
        return last(found)

    return Twin(f"batch norm {title}", f"R = BatchNorm(L{options})", {"L": extents}, said, training=training)


def group_norm(title: str, groups: int, eps: float = 1e-5) -> Twin:
    def said(t: Tensors) -> torch.Tensor:
        return last(F.group_norm(first(t["L"]), groups, t["R.gamma"], t["R.beta"], eps))

    return Twin(title, f"R = GroupNorm(L, groups {groups}, eps {eps})", {"L": (2, 5, 3, 6)}, said)


def attention(t: Tensors, of: str, to: str, causal: bool) -> torch.Tensor:
    """Multi-head attention from its parts, through torch's scaled_dot_product_attention."""
    q, k, v = (torch.einsum("...tj,jhn->...htn", t[x], t[f"R.{w}"]) for x, w in ((of, "Q"), (to, "K"), (to, "V")))
    found = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    return torch.einsum("...htn,hnj->...tj", found, t["R.O"])


def attended(t: Tensors) -> torch.Tensor:
    return F.scaled_dot_product_attention(t["q"], t["k"], t["v"])


def torchs_own_attention(t: Tensors) -> torch.Tensor:
    """torch.nn.MultiheadAttention with the same weights."""
    made = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True, dtype=torch.float64)
    thirds = [t[f"R.{w}"].permute(1, 2, 0).flatten(0, 1) for w in "QKV"]
    weights = {"in_proj_weight": torch.cat(thirds), "out_proj.weight": t["R.O"].flatten(0, 1).T}
    return torch.func.functional_call(made, weights, (t["L"], t["L"], t["L"]), {"need_weights": False})[0]


NORMS = (
    batch_norm("of vectors, by its states", (5, 4)),
    batch_norm("of sequences, by its states", (3, 6, 4), ", eps 1e-3", eps=1e-3),
    batch_norm("of images, by its states", (2, 5, 3, 4)),
    batch_norm("of vectors, in training", (7, 4), ", ddof 0", training=True),
    batch_norm("of sequences, in training", (3, 6, 4), ", ddof 0, eps 0.01", training=True, eps=0.01),
    batch_norm("of images, in training", (2, 5, 3, 4), ", ddof 0", training=True),
    Twin("layer norm", "R = LayerNorm(L)", {"L": (3, 5, 7)}, lambda t: F.layer_norm(t["L"], (7,), t["R.gamma"], t["R.beta"])),
    Twin("layer norm, eps, no batch", "R = LayerNorm(L, eps 0.1)", {"L": (7,)}, lambda t: F.layer_norm(t["L"], (7,), t["R.gamma"], t["R.beta"], 0.1)),
    group_norm("group norm", 3),
    group_norm("group norm, one group", 1, 0.1),
    group_norm("group norm, each its own", 6, 1e-3),
    pool("response norm", "LocalResponseNorm(L, width 5, alpha 0.5, beta 0.6, k 2)", lambda x: F.local_response_norm(x, 5, 0.5, 0.6, 2), (2, 3, 2, 8)),
    pool("response norm, even width", "LocalResponseNorm(L, width 4, alpha 0.5)", lambda x: F.local_response_norm(x, 4, 0.5)),
)  # fmt: skip


def pad(title: str, options: str, sides: tuple[int, int, int, int], **twin: Any) -> Twin:
    return Twin(
        f"pad {title}", f"R = {options}", {"L": (2, 4, 5, 3)}, lambda t: last(F.pad(first(t["L"]), sides, **twin))
    )


def upsample(title: str, call: str, extents: tuple[int, ...] = (2, 4, 5, 3), **twin: Any) -> Twin:
    return Twin(f"upsample {title}", call, {"L": extents}, lambda t: last(F.interpolate(first(t["L"]), **twin)))


BILINEAR = {"mode": "bilinear", "align_corners": False}
CORNERS = {"mode": "bilinear", "align_corners": True}

SHAPES = (
    pad("by the lecture's name", "Padd(L, 2)", (2, 2, 2, 2)),
    pad("a value, each side", "Pad(L, 1, value 2.5, pad_x1 0, pad_y0 3)", (3, 1, 1, 0), value=2.5),
    pad("edge", "Pad(L, 2, edge 1)", (2, 2, 2, 2), mode="replicate"),
    pad("wrap", "Pad(L, pad 2, wrap 1)", (2, 2, 2, 2), mode="circular"),
    pad("reflect", "Padd(L, pad 2, reflect 1, pad_y 1)", (1, 1, 2, 2), mode="reflect"),
    upsample("nearest", "R = Upsample(L, factor 3)", scale_factor=3),
    upsample("nearest, to extents", "R = Upsample(L, rows 6, columns 15)", size=(6, 15)),
    upsample("nearest, from the left side", "R[2,8,10,I] = Upsample(L)", size=(8, 10)),
    upsample("bilinear", "R = Upsample(L, factor 2, bilinear 1)", scale_factor=2, **BILINEAR),
    upsample("bilinear, odd factor", "R = Upsample(L, factor 3, bilinear 1)", scale_factor=3, **BILINEAR),
    upsample("bilinear, from the left side", "R[2,7,11,I] = Upsample(L, bilinear 1)", size=(7, 11), **BILINEAR),
    upsample("bilinear, smaller", "R = Upsample(L, rows 3, columns 2, bilinear 1)", size=(3, 2), **BILINEAR),
    upsample("bilinear, corners", "R = Upsample(L, factor 2, bilinear 1, align 1)", scale_factor=2, **CORNERS),
    upsample("bilinear, corners, one row", "R = Upsample(L, rows 1, columns 9, bilinear 1, align 1)", size=(1, 9), **CORNERS),
    upsample("bilinear, one pixel", "R = Upsample(L, factor 3, bilinear 1, align 1)", (1, 1, 1, 2), scale_factor=3, **CORNERS),
    Twin("flatten", "R[2,K] = Flatten(L)", {"L": (2, 3, 4, 5)}, lambda t: t["L"].flatten(1)),
    Twin("flatten all", "R[K] = Flatten(L)", {"L": (3, 4)}, lambda t: t["L"].flatten()),
    Twin("shuffle", "R = ChannelShuffle(L, groups 3)", {"L": (2, 3, 2, 6)}, lambda t: last(F.channel_shuffle(first(t["L"]), 3))),
)  # fmt: skip

VECTORS = (
    Twin("linear", "R = Linear(L, features 5)", {"L": (3, 2, 7)}, lambda t: F.linear(t["L"], t["R.W"], -t["R.B"])),
    Twin("fc", "R[3,5] = FC(L)", {"L": (3, 7)}, lambda t: F.linear(t["L"], t["R.W"], -t["R.B"])),
    Twin("fc flattens", "R[2,5] = FC(L)", {"L": (2, 3, 4, 6)}, lambda t: F.linear(t["L"].flatten(1), t["R.W"], -t["R.B"])),
    Twin("fc, no bias", "R[5] = FC(L, bias 0)", {"L": (7,)}, lambda t: F.linear(t["L"], t["R.W"])),
    Twin("fc, two leading axes", "R[2,3,5] = FC(L, Φ)", {"L": (2, 3, 4)}, lambda t: F.linear(t["L"], t["Φ.W"], -t["Φ.B"])),
    Twin("fc, an empty batch", "R[0,5] = FC(L)", {"L": (0, 7)}, lambda t: F.linear(t["L"], t["R.W"], -t["R.B"])),
    Twin("embed", "R = Embed(t, words 11, features 3)", {"t": (2, 5)}, lambda t: F.embedding(t["t"], t["R.W"]), {"t": 11}),
    Twin("embed, features from the left side", "R[5,3] = Embed(t, Φ, words 11)", {"t": (5,)}, lambda t: F.embedding(t["t"], t["Φ.W"]), {"t": 11}),
    Twin("softmax", "R = Softmax(s)", {"s": (2, 3, 7)}, lambda t: F.softmax(t["s"], -1)),
    Twin("softmax, one", "R = Softmax(s)", {"s": (1,)}, lambda t: F.softmax(t["s"], -1)),
    Twin("softmax, large", "R = Softmax(1000*s)", {"s": (3, 7)}, lambda t: F.softmax(1000 * t["s"], -1)),
    Twin("log softmax", "R = LogSoftmax(1000*s)", {"s": (3, 7)}, lambda t: F.log_softmax(1000 * t["s"], -1)),
    Twin("cross entropy", "R = CrossEntropy(s, l)", {"s": (5, 7), "l": (5,)}, lambda t: F.cross_entropy(t["s"], t["l"]), {"l": 7}),
    Twin("cross entropy, large", "R = CrossEntropy(1000*s, l)", {"s": (5, 7), "l": (5,)}, lambda t: F.cross_entropy(1000 * t["s"], t["l"]), {"l": 7}),
    Twin("cross entropy of one", "R = CrossEntropy(s, l)", {"s": (7,), "l": ()}, lambda t: F.cross_entropy(t["s"], t["l"]), {"l": 7}),
    Twin("squared error", "R = MSE(a, c)", {"a": (2, 3, 4), "c": (2, 3, 4)}, lambda t: F.mse_loss(t["a"], t["c"])),
    Twin("dropout outside training", "R = Dropout(L, drop 0.3)", {"L": (3, 4)}, lambda t: F.dropout(t["L"], 0.3, training=False)),
    Twin("attention", "R = Attention(L, heads 2)", {"L": (3, 5, 8)}, lambda t: attention(t, "L", "L", False)),
    Twin("attention, the module", "R = Attention(L, heads 2)", {"L": (3, 5, 8)}, torchs_own_attention),
    Twin("attention, causal, no batch", "R = Attention(L, heads 4, causal 1)", {"L": (5, 8)}, lambda t: attention(t, "L", "L", True)),
    Twin("attention to another", "R = Attention(L, M, heads 2)", {"L": (3, 5, 8), "M": (3, 4, 6)}, lambda t: attention(t, "L", "M", False)),
    Twin("attention of one step", "R = Attention(L)", {"L": (2, 1, 3)}, lambda t: attention(t, "L", "L", False)),
    Twin("attention given all", "R = Attention(q, k, v)", {"q": (2, 5, 4), "k": (2, 3, 4), "v": (2, 3, 6)}, attended),
)  # fmt: skip

TWINS = (*CONVOLUTIONS, *TRANSPOSED, *POOLS, *NORMS, *SHAPES, *VECTORS)
