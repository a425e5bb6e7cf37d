"""Whole networks: the loss and every parameter's gradient beside torch autograd, in float64 to 1e-9."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

import indexlang as il

pytest.importorskip("torch")
import torch
from prelude.twins import first, kernel
from torch.nn import functional as F

ALEXNET = (Path(__file__).parents[2] / "examples" / "alexnet.idx").read_text(encoding="utf-8")

RESNET = """
input Image[B, {side}, {side}, 3]
input label[B] : int
widths = [{w}, {w}, 2*{w}, 2*{w}, 4*{w}, 4*{w}, 8*{w}, 8*{w}]
strides = [1, 1, 2, 1, 2, 1, 2, 1]

def Normal(L[B,X,Y,I], Φ, width w, features J, stride s = 1) = BatchNorm(
    Conv(L, Φ, width w, features J, stride s, pad w//2, bias 0), Φ, ddof 0)

def Block(L[B,X,Y,I], Φ, features J, stride s):
    R = Normal(ReLU(Normal(L, Φ.A, width 3, features J, stride s)), Φ.C, width 3, features J)
    if s == 1 and I == J:
        S = L
    else:
        S = Normal(L, Φ.S, width 1, features J, stride s)
    return ReLU(R + S)

L_0 = MaxPool(ReLU(Normal(Image, Φ_0, width 7, features {w}, stride 2)), width 3, stride 2, pad 1)
for n in 1..8:
    L_{{n}} = Block(L_{{n-1}}, Φ_{{n}}, features widths[n-1], stride strides[n-1])
s = Linear(GlobalAvgPool(L_8), Φ_s, features {classes})
loss = CrossEntropy(s, label)
output loss
"""

DENSENET = """
input Image[B, 12, 12, 3]
input label[B] : int
layers = 3
grow = 4

P_0 = Conv(Image, Φ_0, width 3, pad 1, features 6, bias 0)
for k in 1..2:
    L_{k}_0 = P_{k-1}
    for n in 1..layers:
        N_{k}_{n} = ReLU(BatchNorm(L_{k}_{n-1}, Φ_{k}_{n}, ddof 0))
        R_{k}_{n} = Conv(N_{k}_{n}, Φ_{k}_{n}, width 3, pad 1, features grow, bias 0)
        L_{k}_{n}[b,x,y,J+JR] = L_{k}_{n-1}[b,x,y,J] ; R_{k}_{n}[b,x,y,JR]
    H_{k} = Conv(ReLU(BatchNorm(L_{k}_{layers}, Φ_{k}, ddof 0)), Φ_{k}, width 1, features 8, bias 0)
    P_{k} = AvgPool(H_{k}, width 2)
s = Linear(GlobalAvgPool(P_2), Φ_s, features 5)
loss = CrossEntropy(s, label)
output loss
"""
Tensors = Mapping[str, torch.Tensor]


def alexnet(t: Tensors) -> torch.Tensor:
    x = first(t["Input"])
    for layer, stride, pad, pooled in ((1, 4, 0, 1), (3, 1, 2, 1), (5, 1, 1, 0), (6, 1, 1, 0), (7, 1, 1, 1)):
        x = F.conv2d(x, kernel(t[f"W{layer}"]), -t[f"B{layer}"], stride, pad).relu()
        x = F.max_pool2d(x, 3, 2) if pooled else x
    x = x.movedim(1, -1).flatten(1)
    for layer in ("9", "10", "s"):
        w = t[f"W{layer}"]
        x = (x @ w.flatten(0, -2) - t[f"B{layer}"]).relu()
    return x


def normal(t: Tensors, x: torch.Tensor, name: str) -> torch.Tensor:
    return F.batch_norm(x, None, None, t[f"{name}.gamma"], t[f"{name}.beta"], training=True)


def conv(t: Tensors, x: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
    w = kernel(t[f"{name}.W"])
    return F.conv2d(x, w, None, stride, w.shape[-1] // 2)


def resnet(t: Tensors) -> torch.Tensor:
    x = normal(t, conv(t, first(t["Image"]), "Φ_0", 2), "Φ_0").relu()
    x = F.max_pool2d(x, 3, 2, 1)
    for n, stride in enumerate((1, 1, 2, 1, 2, 1, 2, 1), 1):
        name = f"Φ_{n}"
        y = normal(t, conv(t, x, f"{name}.A", stride), f"{name}.A").relu()
        y = normal(t, conv(t, y, f"{name}.C"), f"{name}.C")
        if stride > 1:
            x = normal(t, conv(t, x, f"{name}.S", stride), f"{name}.S")
        x = (x + y).relu()
    return F.linear(x.mean((2, 3)), t["Φ_s.W"], -t["Φ_s.B"])


def densenet(t: Tensors) -> torch.Tensor:
    x = conv(t, first(t["Image"]), "Φ_0")
    for k in (1, 2):
        for n in (1, 2, 3):
            name = f"Φ_{k}_{n}"
            x = torch.cat((x, conv(t, normal(t, x, name).relu(), name)), 1)
        x = F.avg_pool2d(conv(t, normal(t, x, f"Φ_{k}").relu(), f"Φ_{k}"), 2)
    return F.linear(x.mean((2, 3)), t["Φ_s.W"], -t["Φ_s.B"])


def assert_equal_to_autograd(text: str, scores: Callable[[Tensors], torch.Tensor], batch: int, classes: int) -> None:
    net = il.compile(text, dtype="f64", training=True)
    draw = np.random.default_rng(0)
    for name, array in net.params.items():  # biases and scales that matter
        if array.ndim == 1:
            net.params[name] = array + draw.normal(size=array.shape, scale=0.1)
    image, label = net.inputs
    extents = (batch, *map(int, net.inputs[image].extents[1:]))
    given = {image: draw.normal(size=extents), label: draw.integers(0, classes, batch)}
    parameters = {n: torch.tensor(a, requires_grad=True) for n, a in net.params.items()}
    wanted = F.cross_entropy(scores({**parameters, image: torch.tensor(given[image])}), torch.tensor(given[label]))
    gradients = torch.autograd.grad(wanted, list(parameters.values()))

    loss, found = net.value_and_grad("loss")(**given)
    assert abs(float(loss) - wanted.item()) <= 1e-9 * abs(wanted.item())
    assert list(found) == list(parameters)
    for name, gradient in zip(found, gradients, strict=True):
        error = 1e-9 * gradient.abs().max().item()
        np.testing.assert_allclose(found[name], gradient.numpy(), rtol=0, atol=error, err_msg=name)


def with_loss(text: str, **extents: str) -> str:
    """AlexNet's text with cross entropy behind it; `fully` and `classes`: other extents of its last layers."""
    text = text.replace("4096", extents.get("fully", "4096")).replace("1000", extents.get("classes", "1000"))
    asked = "\ninput label[B] : int\nloss = CrossEntropy(s, label)\noutput loss\n"
    return text.replace(' from "cat.jpg"', "").replace("output s", asked)


def test_alexnet() -> None:
    assert_equal_to_autograd(with_loss(ALEXNET, fully="64", classes="10"), alexnet, 2, 10)


@pytest.mark.soak
def test_the_whole_alexnet() -> None:
    assert_equal_to_autograd(with_loss(ALEXNET), alexnet, 2, 1000)


def test_resnet() -> None:
    assert_equal_to_autograd(RESNET.format(side=32, w=4, classes=10), resnet, 4, 10)


@pytest.mark.soak
def test_resnet_of_real_widths() -> None:
    assert_equal_to_autograd(RESNET.format(side=224, w=64, classes=1000), resnet, 2, 1000)


def test_densenet() -> None:
    assert_equal_to_autograd(DENSENET, densenet, 4, 5)
