"""The networks that torchvision does not have, beside the same in torch."""

from typing import Any

import numpy as np
import pytest

import indexlang as il

torch = pytest.importorskip("torch")
from models.catalogue import FOLDER  # noqa: E402  (torch may be absent)
from models.model_twins import AlphaZero, CifarResNet  # noqa: E402
from models.weights import carry, draw, settle  # noqa: E402


@pytest.mark.parametrize("blocks", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_resnet_for_small_pictures(blocks: int) -> None:
    net = il.load(FOLDER / "cifar.idx", constants={"blocks": blocks}, dtype="f64")
    images = np.random.default_rng(2).normal(size=(2, 32, 32, 3))
    twin = CifarResNet(blocks).double()
    wanted = _told(twin, images)
    carry(net, "cifar.idx", {}, twin)
    np.testing.assert_allclose(net(Input=images), wanted, rtol=0, atol=1e-9 * abs(wanted).max())


def test_sizes() -> None:
    """The paper's 0.46 million parameters; and those of AlphaGo Zero, counted by hand: 38 filters of 256 on 256 and the rest."""
    resnet = il.load(FOLDER / "cifar.idx")
    assert sum(t.params for t in resnet.tensors.values()) == 464_154
    assert resnet.bound(B=1).summary().macs == 68_862_592
    zero = il.load(FOLDER / "alphazero.idx")
    tower = 9 * 17 * 256 + 38 * 9 * 256 * 256 + 39 * 2 * 256
    policy = 2 * 256 + 2 * 2 + 362 * (2 * 361 + 1)
    value = 256 + 2 + 256 * (361 + 1) + 257
    assert sum(t.params for t in zero.tensors.values()) == tower + policy + value


def test_alphazero() -> None:
    """A small board, the answers and the loss that both are trained by."""
    small = {"blocks": 2, "side": 5, "planes": 4, "features": 8}
    board = np.random.default_rng(3).normal(size=(3, 5, 5, 4))
    twin = AlphaZero(**small).double()
    score, value = (a.detach() for a in _settled(twin, board))
    net = il.load(FOLDER / "alphazero.idx", constants=small, dtype="f64")
    carry(net, "alphazero.idx", small, twin)
    told = net(Board=board)
    np.testing.assert_allclose(told["p"], score.softmax(1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(told["v"], value, rtol=1e-9, atol=1e-12)


def test_the_loss_of_alphazero() -> None:
    small = {"blocks": 1, "side": 5, "planes": 4, "features": 8}
    random = np.random.default_rng(4)
    board, π, z = random.normal(size=(3, 5, 5, 4)), random.dirichlet(np.ones(26), 3), np.array([1.0, -1.0, 1.0])
    twin = AlphaZero(**small).double()
    _settled(twin, board)
    net = il.load(FOLDER / "alphazero.idx", constants=small, dtype="f64", training=True)
    carry(net, "alphazero.idx", small, twin)
    score, value = twin.train()(_first(board))
    loss = ((torch.tensor(z) - value) ** 2).mean() - (torch.tensor(π) * score.log_softmax(1)).sum(1).mean()
    assert net(Board=board, π=π, z=z)["loss"] == pytest.approx(loss.item(), rel=1e-9)


def _settled(twin: Any, images: Any) -> Any:
    draw(twin)
    settle(twin, _first(images))
    return twin.eval()(_first(images))


def _told(twin: Any, images: Any) -> Any:
    return _settled(twin, images).detach().numpy()


def _first(images: Any) -> Any:
    return torch.from_numpy(images).movedim(-1, 1)
