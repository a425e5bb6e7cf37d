"""torchvision's definitions beside ours: made, given weights that tell mistakes apart, and carried over.

torchvision has no build for a torch without CUDA, but its definitions import once two operators are declared, which no
network of classification calls.
"""

from typing import Any, cast

import numpy as np
import pytest
from models.catalogue import Model

import indexlang as il

torch = pytest.importorskip("torch")

from models.weights import carry, draw, settle  # noqa: E402  (torch may be absent)


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
    """torchvision's network in float64, with weights that let every layer be seen in the logits."""
    net = getattr(networks, model.name)(**model.options).double()
    draw(net)
    random = torch.Generator().manual_seed(1)
    settle(net, torch.randn(4, 3, model.small, model.small, generator=random, dtype=torch.float64))
    return net


def ours(model: Model, net: Any, side: int, dtype: str, **constants: Any) -> il.Program:
    """Our network with torchvision's parameters and states."""
    given = {"side": side, "normalise": 0, **model.constants}
    training = constants.pop("training", False)
    found = il.load(model.path, constants={**given, **constants}, dtype=dtype, training=training)
    return carry(found, model.file, model.constants, net)


def pictures(side: int, count: int = 2) -> Any:
    return np.random.default_rng(1).normal(size=(count, side, side, 3))


def theirs(net: Any, images: Any) -> Any:
    """torchvision's logits for pictures of ours."""
    kind = next(net.parameters()).dtype
    with torch.no_grad():
        return cast(Any, net(torch.from_numpy(images).to(kind).movedim(-1, 1))).double().numpy()
