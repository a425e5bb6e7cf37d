"""ResNet-32 for CIFAR-10 and the network of AlphaZero, which torchvision does not have, against PyTorch's functions."""

from typing import Any

import numpy as np
import pytest
from networks import FOLDER
from numpy.typing import NDArray
from vision import as_ours, away, pictures, torch

import indexlang as il
from indexlang.program import Program

F = torch.nn.functional


class Weights:
    """The parameters of a program, as layers of PyTorch that use them."""

    def __init__(self, net: Program, training: bool) -> None:
        self.training = training
        rng = np.random.default_rng(0)
        for name in net.params:
            net.params[name] = _drawn(name, net.params[name].shape, rng)
        for name in net.state:
            net.state[name] = rng.uniform(0.5, 1.5, net.state[name].shape)
        self.all = {n: torch.tensor(np.array(a)) for n, a in (*net.params.items(), *net.state.items())}
        for name in net.params:
            self.all[name].requires_grad_()

    def layer(self, x: Any, package: str, stride: int = 1) -> Any:
        """A convolution without bias, then its batch norm; the states move in training."""
        w, bn = self.all[f"{package}.conv.W"], f"{package}.bn."
        c = F.conv2d(x, w.permute(3, 2, 0, 1), stride=stride, padding=w.shape[0] // 2)
        kept = (self.all[bn + "mean"], self.all[bn + "variance"])
        return F.batch_norm(c, *kept, self.all[bn + "gamma"], self.all[bn + "beta"], self.training)

    def full(self, x: Any, package: str) -> Any:
        """All places and features as one axis, the features fastest."""
        flat = x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x
        return F.linear(flat, self.all[f"{package}.W"], -self.all[f"{package}.B"])


def _drawn(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    if len(shape) == 1:
        return rng.normal(1 if name.endswith("gamma") else 0, 0.3, shape)
    return rng.normal(0, (2 / np.prod(shape[1:] if len(shape) == 2 else shape[:-1])) ** 0.5, shape)


def _cifar(w: Weights, x: Any, depth: int) -> Any:
    x = F.relu(w.layer(x, "stem"))
    for k in (1, 2, 3):
        for b in range((depth - 2) // 6):
            stride = 2 if k > 1 and b == 0 else 1
            package = f"layer_{k}_{b}"
            r = w.layer(F.relu(w.layer(x, f"{package}.first", stride)), f"{package}.second")
            more = (r.shape[1] - x.shape[1]) // 2
            x = F.relu(F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, more, more)) + r)
    return w.full(x.mean((2, 3)), "fc")


def _alphazero(w: Weights, x: Any, blocks: int) -> tuple[Any, Any]:
    x = F.relu(w.layer(x, "stem"))
    for n in range(1, blocks + 1):
        x = F.relu(x + w.layer(F.relu(w.layer(x, f"block_{n}.first")), f"block_{n}.second"))
    logits = w.full(F.relu(w.layer(x, "policy")), "policy.fc")
    v = w.full(F.relu(w.full(F.relu(w.layer(x, "value")), "value.fc1")), "value.fc2")
    return logits, torch.tanh(v[:, 0])


def _same_step(net: Program, w: Weights, given: dict[str, Any], loss: Any) -> None:
    """The loss, all gradients and the states after a step."""
    loss.backward()
    found, gradients = net.value_and_grad("loss")(**given)
    assert away(found, loss.detach().numpy()) < 1e-9
    for name, gradient in gradients.items():
        assert away(gradient, w.all[name].grad.numpy()) < 1e-9, name
    for name in net.state:
        assert away(net.state[name], w.all[name].numpy()) < 1e-9, name


@pytest.mark.parametrize("depth", [8, pytest.param(32, marks=pytest.mark.soak)])
def test_resnet_for_cifar(depth: int) -> None:
    net = il.load(FOLDER / "resnet_cifar.idx", dtype="f64", constants={"depth": depth, "normalise": 0})
    x = pictures(32, 2, 1)
    wanted = _cifar(Weights(net, False), x, depth).detach().numpy()
    assert away(net(Image=as_ours(x)), wanted) < 1e-9


@pytest.mark.soak
def test_a_step_of_resnet_for_cifar() -> None:
    constants = {"depth": 32, "normalise": 0}
    net = il.load(FOLDER / "resnet_cifar.idx", dtype="f64", constants=constants, training=True)
    w, x, label = Weights(net, True), pictures(32, 4, 1), torch.tensor([3, 1, 4, 1])
    loss = F.cross_entropy(_cifar(w, x, 32), label)
    _same_step(net, w, {"Image": as_ours(x), "label": label.numpy()}, loss)


SMALL = {"blocks": 2, "side": 5, "features": 8}


def test_alphazero() -> None:
    net = il.load(FOLDER / "alphazero.idx", dtype="f64", constants=SMALL)
    board = np.random.default_rng(0).integers(0, 2, (3, 5, 5, 17)).astype(float)
    wanted = _alphazero(Weights(net, False), torch.tensor(board).permute(0, 3, 1, 2), 2)
    found = net(Board=board)
    assert away(found["logits"], wanted[0].detach().numpy()) < 1e-9
    assert away(found["v"], wanted[1].detach().numpy()) < 1e-9


@pytest.mark.soak
@pytest.mark.parametrize("blocks", [19, 39])
def test_a_step_of_alphazero(blocks: int) -> None:
    net = il.load(FOLDER / "alphazero.idx", dtype="f64", training=True, constants={**SMALL, "blocks": blocks})
    rng = np.random.default_rng(0)
    board = rng.integers(0, 2, (4, 5, 5, 17)).astype(float)
    winner, visits = np.array([1.0, -1.0, -1.0, 1.0]), rng.dirichlet(np.ones(26), 4)
    w = Weights(net, True)
    logits, v = _alphazero(w, torch.tensor(board).permute(0, 3, 1, 2), blocks)
    loss = F.mse_loss(v, torch.tensor(winner)) + F.cross_entropy(logits, torch.tensor(visits))
    _same_step(net, w, {"Board": board, "winner": winner, "visits": visits}, loss)


@pytest.mark.parametrize(
    ("file", "constants", "params", "macs"),
    [
        ("resnet_cifar.idx", {}, 464_154, 68_862_592),
        ("resnet_cifar.idx", {"depth": 110}, 1_727_962, 252_887_680),
        ("alphazero.idx", {}, 22_827_877, 8_105_976_564),
        ("alphazero.idx", {"blocks": 39}, 46_441_317, 16_623_035_124),
    ],
)
def test_sizes(file: str, constants: dict[str, int], params: int, macs: int) -> None:
    """Of AlphaZero: 361*(9*256*(17 + 2*256*blocks) + 256*3) + 722*362 + 361*256 + 256 multiply-adds."""
    table = il.load(FOLDER / file, constants={**constants, "B": 1}).summary()
    assert (table.params, table.macs) == (params, macs)
