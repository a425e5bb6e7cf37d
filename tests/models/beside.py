"""torchvision's definitions beside ours: made, given weights that tell mistakes apart, and carried over.

torchvision has no build for a torch without CUDA, but its definitions import once two operators are declared, which no
network of classification calls.
"""

from typing import Any, cast

import numpy as np
import pytest
from models.catalogue import Model
from models.names import carried

import indexlang as il

torch = pytest.importorskip("torch")


def _networks() -> Any:
    keep = torch.library.Library("torchvision", "DEF")
    try:
        for name in ("nms", "qnms"):
            keep.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass  # declared already: torchvision is complete
    return pytest.importorskip("torchvision.models"), keep


networks, _keep = _networks()


def made(model: Model) -> Any:
    """torchvision's network in float64, with weights that let every layer be seen in the logits.

    Weights have the scale of their fan-in, biases and batch norms numbers of both signs, and the running means and variances
    lie near what flows through. With torch's own draws GoogLeNet, say, gives one answer for all pictures.
    """
    net = getattr(networks, model.name)(**model.options).double()
    random = torch.Generator().manual_seed(0)
    for part in net.modules():
        _draw(part, random)
    _settle(net, torch.randn(4, 3, model.small, model.small, generator=random, dtype=torch.float64))
    return net.eval()


def _draw(part: Any, random: Any) -> None:
    nn = torch.nn
    with torch.no_grad():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.weight.normal_(0, (2 / part.weight[0].numel()) ** 0.5, generator=random)
            if part.bias is not None:
                part.bias.normal_(0, 0.2, generator=random)
        elif isinstance(part, nn.BatchNorm2d):
            sign = torch.randint(0, 2, part.weight.shape, generator=random) * 2 - 1
            part.weight.uniform_(0.6, 1.4, generator=random).mul_(sign)
            part.bias.normal_(0, 0.3, generator=random)


def _settle(net: Any, pictures: Any) -> None:
    """Let the running means and variances be those of one batch."""
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    kept = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
    net.train()
    with torch.no_grad():
        net(pictures)
    for m, momentum in zip(norms, kept, strict=True):
        m.momentum = momentum
        m.running_var.add_(0.1)


def ours(model: Model, net: Any, side: int, dtype: str, **constants: Any) -> il.Program:
    """Our network with torchvision's parameters and states."""
    given = {"side": side, "normalise": 0, **model.constants}
    training = constants.pop("training", False)
    found = il.load(model.path, constants={**given, **constants}, dtype=dtype, training=training)
    arrays = {name: value.detach().double().numpy() for name, value in net.state_dict().items()}
    for own in (found.params, found.state):
        for name, value in carried(model.file, model.constants, own.tensors, arrays):
            own[name] = value.astype(dtype.replace("f", "float"))
    return found


def pictures(side: int, count: int = 2) -> Any:
    return np.random.default_rng(1).normal(size=(count, side, side, 3))


def theirs(net: Any, images: Any) -> Any:
    """torchvision's logits for pictures of ours."""
    kind = next(net.parameters()).dtype
    with torch.no_grad():
        return cast(Any, net(torch.from_numpy(images).to(kind).movedim(-1, 1))).double().numpy()
