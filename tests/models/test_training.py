"""A step of training of every kind of network, beside torchvision's: loss, every gradient, every running mean and variance."""

from typing import Any

import numpy as np
import pytest
from models.beside import made, ours, pictures
from models.catalogue import BY_NAME
from models.names import carried

torch = pytest.importorskip("torch")

NO_DROPOUT = {
    "alexnet.idx": ("drop",),
    "squeezenet.idx": ("drop",),
    "mobilenet.idx": ("drop",),
    "googlenet.idx": ("drop", "headdrop"),
}


def agree(name: str, side: int) -> None:
    """In float64 to 1e-9 of the largest element of each tensor, but for sums whose terms cancel to nothing."""
    model = BY_NAME[name]
    twin, images, label = made(model), pictures(side), np.array([3, 999])
    constants = dict.fromkeys(NO_DROPOUT.get(model.file, ()), 0)
    net = ours(model, twin, side, "f64", training=True, **constants)
    step = net.grad("loss")
    told = step(Input=images, label=label)
    loss = _loss(twin, images, label)
    loss.backward()
    assert told["loss"] == pytest.approx(loss.item(), rel=1e-9)
    gradients = {n: p.grad.numpy() for n, p in twin.named_parameters()}
    wanted = dict(carried(model.file, model.constants, net.params.tensors, gradients))
    _close({n: told[f"d{n}"] for n in wanted}, wanted)
    states = {n: v.numpy() for n, v in twin.state_dict().items()}
    _close(step.state, dict(carried(model.file, model.constants, net.state.tensors, states)))


def _loss(twin: Any, images: Any, label: Any) -> Any:
    """The mean cross entropy, with three tenths of that of each head."""
    for part in twin.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    told = twin.train()(torch.from_numpy(images).movedim(-1, 1))
    entropy = torch.nn.functional.cross_entropy
    truth = torch.from_numpy(label)
    if isinstance(told, torch.Tensor):
        return entropy(told, truth)
    return entropy(told.logits, truth) + 0.3 * (entropy(told.aux_logits1, truth) + entropy(told.aux_logits2, truth))


def _close(found: Any, wanted: Any) -> None:
    """A shift in front of a batch norm has no gradient: there both have rounding alone, of the size of the others'."""
    scale = max((abs(w).max() for w in wanted.values()), default=0.0)
    for name, w in wanted.items():
        error, limit = abs(found[name] - w).max(), 1e-9 * max(abs(w).max(), 1e-3 * scale)
        assert error <= limit, (name, error, abs(w).max(), scale)


def test_a_small_step() -> None:
    agree("squeezenet1_1", 64)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121", "shufflenet_v2_x1_0", "googlenet"])
def test_a_step(name: str) -> None:
    agree(name, BY_NAME[name].small)
