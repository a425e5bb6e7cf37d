"""The networks that torchvision does not have, in torch: their state names are ours, save for what torch calls its leaves."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    """A convolution and its batch norm, under the names of torchvision's ResNet."""

    def __init__(self, i: int, j: int, width: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(i, j, width, stride, width // 2, bias=False)
        self.bn = nn.BatchNorm2d(j)

    def forward(self, x: Any) -> Any:
        return self.bn(self.conv(x))


class Block(nn.Module):
    """Two units and a shortcut without parameters: every second place, and zeros around the features."""

    def __init__(self, i: int, j: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.conv2 = Unit(i, j, stride=stride), Unit(j, j)
        self.stride, self.missing = stride, j - i

    def forward(self, x: Any) -> Any:
        zeros = self.missing // 2
        kept = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, zeros, self.missing - zeros))
        return F.relu(kept + self.conv2(F.relu(self.conv1(x))))


class CifarResNet(nn.Module):
    """The ResNet of 6n + 2 layers."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.conv1 = Unit(3, 16)
        widths = (16, 16, 32, 64)
        self.layers = nn.ModuleDict(
            {
                f"layer_{k}_{n}": Block(widths[k - (n == 0)], widths[k], 2 if k > 1 and n == 0 else 1)
                for k in (1, 2, 3)
                for n in range(blocks)
            }
        )
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.conv1(x))
        for layer in self.layers.values():
            x = layer(x)
        return self.fc(x.mean((2, 3)))


class AlphaZero(nn.Module):
    """The tower of residual blocks with its two heads; torch flattens with the features slowest."""

    def __init__(self, blocks: int, side: int, planes: int, features: int) -> None:
        super().__init__()
        self.stem = Unit(planes, features)
        self.layers = nn.ModuleDict({f"block_{n}": Block(features, features) for n in range(1, blocks + 1)})
        self.policy = nn.ModuleDict({"conv": Unit(features, 2, 1), "fc": nn.Linear(2 * side**2, side**2 + 1)})
        self.value = nn.ModuleDict(
            {"conv": Unit(features, 1, 1), "fc1": nn.Linear(side**2, 256), "fc2": nn.Linear(256, 1)}
        )

    def forward(self, x: Any) -> Any:
        x = F.relu(self.stem(x))
        for layer in self.layers.values():
            x = layer(x)
        p, v = F.relu(self.policy["conv"](x)), F.relu(self.value["conv"](x))
        p = self.policy["fc"](p.flatten(1))
        v = self.value["fc2"](F.relu(self.value["fc1"](v.flatten(1))))
        return p, torch.tanh(v[:, 0])
