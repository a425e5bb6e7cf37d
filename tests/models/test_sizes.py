"""Every network has as many parameters and multiply-adds as torchvision's."""

import pytest
from networks import NETWORKS, Network

QUICK = {"alexnet", "vgg16_bn", "resnet18", "resnext50_32x4d", "squeezenet1_0", "shufflenet_v2_x0_5", "mnasnet0_75"}


def _all() -> list[object]:
    return [pytest.param(n, id=n.name, marks=() if n.name in QUICK else pytest.mark.soak) for n in NETWORKS]


@pytest.mark.parametrize("network", _all())
def test_parameters_and_multiply_adds(network: Network) -> None:
    net = network.load(B=1)
    table = net.summary()
    assert sum(t.params for t in net.tensors.values()) == table.params == network.params
    assert f"{table.macs / 1e9:.4f}" == f"{network.giga:.4f}"


@pytest.mark.soak
@pytest.mark.parametrize("network", [pytest.param(n, id=n.name) for n in NETWORKS if n.heads])
def test_heads_are_there_in_training_only(network: Network) -> None:
    net = network.load(training=True)
    assert sum(t.params for t in net.tensors.values()) == network.params + network.heads
