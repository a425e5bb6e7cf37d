"""Weights of torch networks: drawn so that mistakes show, and carried over to ours."""

from typing import Any

import torch
from models.names import carried
from torch import nn

import indexlang as il


def draw(net: Any) -> None:
    """Weights with the scale of their fan-in, biases and batch norms of both signs.

    With torch's own draws GoogLeNet, say, gives one answer for all pictures, so a wrong program could agree.
    """
    random = torch.Generator().manual_seed(0)
    for part in net.modules():
        with torch.no_grad():
            _draw(part, random)


def _draw(part: Any, random: Any) -> None:
    if isinstance(part, nn.Conv2d | nn.Linear):
        part.weight.normal_(0, (2 / part.weight[0].numel()) ** 0.5, generator=random)
        if part.bias is not None:
            part.bias.normal_(0, 0.2, generator=random)
    elif isinstance(part, nn.BatchNorm2d):
        sign = torch.randint(0, 2, part.weight.shape, generator=random) * 2 - 1
        part.weight.uniform_(0.6, 1.4, generator=random).mul_(sign)
        part.bias.normal_(0, 0.3, generator=random)


def settle(net: Any, pictures: Any) -> None:
    """Let running means and variances be near what flows through: those of one batch."""
    net.eval()
    norms: list[Any] = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    kept = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
        m.train()  # only them: no dropout, no heads
    with torch.no_grad():
        net(pictures)
    for m, momentum in zip(norms, kept, strict=True):
        m.momentum = momentum
        m.running_var.add_(0.1)
        m.eval()


def carry(net: il.Program, file: str, constants: Any, twin: Any) -> il.Program:
    """Give our network the parameters and states of torch's."""
    arrays = {name: value.detach().double().numpy() for name, value in twin.state_dict().items()}
    for own in (net.params, net.state):
        for name, value in carried(file, constants, own.tensors, arrays):
            own[name] = value.astype(own[name].dtype)
    return net
