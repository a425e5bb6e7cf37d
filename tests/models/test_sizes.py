"""Every network has as many parameters and multiply-adds as torchvision's."""

import pytest
from networks import NETWORKS, Network

QUICK = {"resnet18", "resnext50_32x4d"}


def _all() -> list[object]:
    return [pytest.param(n, id=n.name, marks=() if n.name in QUICK else pytest.mark.soak) for n in NETWORKS]


@pytest.mark.parametrize("network", _all())
def test_parameters_and_multiply_adds(network: Network) -> None:
    net = network.load(B=1)
    table = net.summary()
    assert sum(t.params for t in net.tensors.values()) == table.params == network.params
    assert f"{table.macs / 1e9:.4f}" == f"{network.giga:.4f}"
