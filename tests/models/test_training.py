"""A step of training: the loss, every gradient, and the running values of batch norms, as PyTorch computes them."""

import numpy as np
import pytest
from names import from_torch, torch_name
from networks import BY_NAME, Network
from vision import Loss, as_ours, away, give_weights, pictures, torch, twin, without_dropout

cross_entropy = torch.nn.functional.cross_entropy
TRAINED = ("resnet18", "squeezenet1_1", "mobilenet_v2", "densenet121", "shufflenet_v2_x1_0", "googlenet")


def _plain(out, label):
    return cross_entropy(out, label)


def _with_heads(out, label):
    return cross_entropy(out.logits, label) + 0.3 * sum(
        cross_entropy(o, label) for o in (out.aux_logits1, out.aux_logits2)
    )


def _compare(network: Network, side: int, batch: int, loss: Loss) -> None:
    made = twin(network, side, batch).train()
    x, label = pictures(side, batch, 7), torch.arange(batch) * 37 % 1000
    net = network.load("f64", training=True, side=side, normalise=0, **dict.fromkeys(network.drops, 0))
    give_weights(net, made, network)
    with without_dropout(made):
        wanted = loss(made(x), label)
        wanted.backward()
    found, gradients = net.value_and_grad("loss")(Image=as_ours(x), label=label.numpy())
    assert away(found, wanted.detach().numpy()) < 1e-9
    theirs = {n: p.grad.numpy() for n, p in made.named_parameters()}
    assert {torch_name(network.name, n) for n in gradients} == theirs.keys()
    most = max(np.abs(g).max() for g in theirs.values())
    for name, gradient in gradients.items():
        true = from_torch(network.name, name, gradient.shape, theirs[torch_name(network.name, name)])
        # What one batch norm adds, the next one takes off: such gradients are 0 but for rounding.
        assert np.abs(gradient - true).max() < 1e-9 * max(np.abs(true).max(), 1e-3 * most), name
    after = made.state_dict()
    for name in net.state:
        assert away(net.state[name], after[torch_name(network.name, name)].numpy()) < 1e-9, name


@pytest.mark.parametrize("name", ["squeezenet1_1"])
def test_a_step_on_small_pictures(name: str) -> None:
    _compare(BY_NAME[name], 33, 2, _plain)


@pytest.mark.soak
@pytest.mark.parametrize("name", TRAINED)
def test_a_step(name: str) -> None:
    _compare(BY_NAME[name], BY_NAME[name].small, 4, _with_heads if name == "googlenet" else _plain)
