"""Every network gives the same class scores as torchvision's, on weights at which signals keep their size."""

import numpy as np
import pytest
from networks import NETWORKS, Network
from vision import as_ours, away, give_weights, logits, pictures, torch, twin, unused

QUICK = {"resnet18"}


def _compare(network: Network, side: int) -> None:
    made = twin(network, side)
    x = pictures(side, 2, 7)
    wanted = logits(made, x)
    assert away(wanted[:1], wanted[1:]) > 0.05  # pictures tell
    exact = network.load("f64", side=side, normalise=0)
    give_weights(exact, made, network)
    assert not {n for n in unused(exact, made, network) if not n.startswith(("aux", "AuxLogits"))}
    assert away(exact(Image=as_ours(x)), wanted) < 1e-9
    small = made.float()
    theirs = away(logits(small, x.float()), wanted)
    net = network.load("f32", side=side, normalise=0)
    give_weights(net, small, network)
    assert away(net(Image=as_ours(x.float())), wanted) < max(1e-5, 10 * theirs)


@pytest.mark.parametrize("network", [pytest.param(n, id=n.name) for n in NETWORKS if n.name in QUICK])
def test_scores_of_small_pictures(network: Network) -> None:
    _compare(network, network.small)


@pytest.mark.soak
@pytest.mark.parametrize("network", [pytest.param(n, id=n.name) for n in NETWORKS])
def test_scores(network: Network) -> None:
    _compare(network, int(network.constants.get("side", 299 if network.name == "inception_v3" else 224)))


def test_a_picture_is_scaled_by_the_means_and_deviations_of_imagenet() -> None:
    """`normalise` is on unless it is turned off."""
    network = NETWORKS[0]
    pictured, scaled = network.load(side=32), network.load(side=32, normalise=0)
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    mean, deviation = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    for name in pictured.params:
        scaled.params[name] = pictured.params[name]
    assert away(pictured(Image=x), scaled(Image=(x - mean) / deviation)) < 1e-5
    assert torch.is_tensor(pictures(32, 1, 0))
