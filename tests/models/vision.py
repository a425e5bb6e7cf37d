"""torchvision's definitions, beside a torch without its operators: what ours are compared with.

torchvision has no build for CPUs; its definitions import when two operators that no classifier calls are declared first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from names import from_torch, torch_name
from networks import Network
from numpy.typing import NDArray

from indexlang.program import Program

torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install torch")

_kept = torch.library.Library("torchvision", "DEF")
for _operator in ("nms", "qnms"):
    _kept.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
models = pytest.importorskip(
    "torchvision.models", reason="compares with torchvision: pip install --no-deps torchvision", exc_type=ImportError
)

Array = NDArray[Any]


def twin(network: Network, side: int, batch: int = 4, seed: int = 0) -> Any:
    """torchvision's module in float64, with weights that keep signals at about 1, as trained ones do.

    Convolutions are drawn by fan-in; scales of batch norms have both signs; running values are near what flows through,
    but not the same. With weights as torch draws them, signals vanish or explode, and wrong programs could agree.
    """
    torch.manual_seed(seed)
    made = getattr(models, network.name)(weights=None, **_without_drawing(network.name)).double()
    for m in made.modules():
        _draw(m)
    with torch.no_grad():
        for m in made.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.usual, m.momentum = m.momentum, 1.0
        made.train()
        with without_dropout(made), _without_head(made, side):
            made(pictures(side, batch, seed + 1))
        for m in made.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.momentum = m.usual
                m.running_mean += 0.1 * torch.randn_like(m.running_mean) * m.running_var.sqrt()
                m.running_var *= 0.8 + 0.4 * torch.rand_like(m.running_var)
    return made.eval()


def _without_drawing(name: str) -> dict[str, bool]:
    """torchvision's own initialisation of these two takes long."""
    return {"init_weights": False} if name in ("googlenet", "inception_v3") else {}


def _draw(m: Any) -> None:
    nn = torch.nn
    with torch.no_grad():
        if isinstance(m, nn.Conv2d | nn.Linear):
            fan_in = m.weight[0].numel()
            m.weight.normal_(0, (2 / fan_in) ** 0.5)
            if m.bias is not None:
                m.bias.normal_(0, 0.2)
        elif isinstance(m, nn.BatchNorm2d):
            m.weight.uniform_(0.6, 1.4).mul_(torch.where(torch.rand_like(m.weight) < 0.2, -1.0, 1.0))
            m.bias.normal_(0, 0.3)


@contextmanager
def without_dropout(made: Any) -> Iterator[None]:
    dropouts = [m for m in made.modules() if isinstance(m, torch.nn.Dropout)]
    before = [m.p for m in dropouts]
    for m in dropouts:
        m.p = 0.0
    yield
    for m, p in zip(dropouts, before, strict=True):
        m.p = p


@contextmanager
def _without_head(made: Any, side: int) -> Iterator[None]:
    """The head of Inception v3 needs the side that it was made for."""
    head = getattr(made, "AuxLogits", None)
    if head is not None and side < 299:
        made.AuxLogits = None
    yield
    if head is not None:
        made.AuxLogits = head


def pictures(side: int, batch: int, seed: int) -> Any:
    """Scaled pictures in float64, smooth as pictures are, and noise on them."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.randn(batch, 3, 5, 5, generator=g, dtype=torch.float64)
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")
    return smooth + 0.5 * torch.randn(batch, 3, side, side, generator=g, dtype=torch.float64)


def as_ours(x: Any) -> Array:
    """Pictures [b,i,x,y] as [b,x,y,i]."""
    return np.ascontiguousarray(x.numpy().transpose(0, 2, 3, 1))


def give_weights(net: Program, made: Any, network: Network) -> None:
    """Set every parameter and state of ours from the module's."""
    theirs = dict(made.state_dict())
    for mapping in (net.params, net.state):
        for name in mapping:
            array = theirs[torch_name(network.name, name)].numpy()
            mapping[name] = from_torch(network.name, name, net.tensors[name].extents, array)


def unused(net: Program, made: Any, network: Network) -> set[str]:
    """The names in the module's dictionary that nothing of ours takes."""
    taken = {torch_name(network.name, n) for n in (*net.params, *net.state)}
    return {n for n in made.state_dict() if n not in taken and not n.endswith("num_batches_tracked")}


def logits(made: Any, x: Any) -> Array:
    with torch.no_grad():
        return made(x).numpy()


def away(found: Array, wanted: Array) -> float:
    """The largest difference, relative to the largest element."""
    return float(np.abs(found.astype(np.float64) - wanted).max() / np.abs(wanted).max())


Loss = Callable[[Any, Any], Any]
