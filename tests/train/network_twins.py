"""PyTorch twins of examples/train/digits_*.idx: the same mathematics, written as PyTorch's users write it.

A twin's `places` say where each parameter of the program lies in it, and in which layout. Thresholds are biases with the
other sign; a fully connected layer behind a picture reads the features slowest there, and fastest here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import indexlang as il

Array = NDArray[Any]
Batch = tuple[Array, Array]  # image [B,8,8,1], label [B]
FOLDER = Path(__file__).parents[2] / "examples" / "train"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a parameter of the program lies in torch, and back."""

    there: Callable[[Tensor], Tensor]
    back: Callable[[Tensor], Tensor]


SAME = Layout(lambda w: w, lambda w: w)
NEGATED = Layout(torch.neg, torch.neg)  # a threshold is a bias
KERNEL = Layout(lambda w: w.permute(3, 2, 0, 1), lambda w: w.permute(2, 3, 1, 0))  # [dx,dy,i,j] and [j,i,dx,dy]


def flattened(rows: int, columns: int, features: int) -> Layout:
    """`W[j,(x,y,i)]` and `weight[j,(i,x,y)]`."""
    return Layout(
        lambda w: w.unflatten(1, (rows, columns, features)).movedim(3, 1).flatten(1),
        lambda w: w.unflatten(1, (features, rows, columns)).movedim(1, 3).flatten(1),
    )


Place = tuple[str, Layout]


class Twin(nn.Module):
    """A network from image [B,1,8,8] to scores [B,10]; `places`: name in the program → name in torch, and its layout."""

    file = ""
    places: Mapping[str, Place]


class MLP(Twin):
    file = "digits_mlp.idx"

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
        )
        self.places = {**_linear("Φ1", "layers.1"), **_linear("Φ2", "layers.3"), **_linear("Φs", "layers.5")}

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class CNN(Twin):
    file = "digits_cnn.idx"

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)),
        )
        self.places = {
            **_conv("Φ1", "layers.0"),
            **_conv("Φ2", "layers.2"),
            **_conv("Φ4", "layers.5"),
            **_linear("Φ6", "layers.9", flattened(2, 2, 32)),
            **_linear("Φs", "layers.11"),
        }

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class Normal(nn.Module):
    """A convolution without bias, normalised."""

    def __init__(self, features: int, into: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(features, into, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(into)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Residual(nn.Module):
    def __init__(self, features: int, into: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.more = into - features
        self.A = Normal(features, into, stride)
        self.B = Normal(into, into)

    def forward(self, x: Tensor) -> Tensor:
        kept = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return (kept + self.B(self.A(x).relu())).relu()


class ResNet(Twin):
    file = "digits_resnet.idx"

    def __init__(self) -> None:
        super().__init__()
        self.first = Normal(1, 16)
        self.blocks = nn.Sequential(Residual(16, 16, 1), Residual(16, 16, 1), Residual(16, 32, 2))
        self.scores = nn.Linear(32, 10)
        inside = {f"Φ_{n + 1}.{part}": f"blocks.{n}.{part}" for n in range(3) for part in "AB"}
        self.places = {**_normal("Φ_0", "first"), **_linear("Φs", "scores")}
        for package, module in inside.items():
            self.places |= _normal(package, module)

    def forward(self, image: Tensor) -> Tensor:
        return self.scores(self.blocks(self.first(image).relu()).mean((2, 3)))


TWINS: Sequence[type[Twin]] = (MLP, CNN, ResNet)


# -- between a program and its twin


def program(kind: type[Twin], dtype: str = "f64") -> il.Program:
    """The twin's program, in training."""
    return il.load(FOLDER / kind.file, training=True, dtype=dtype)


def twin_of(net: il.Program, kind: type[Twin]) -> Twin:
    """A twin with the parameters and states that the program has now, in its float type."""
    twin = kind()
    known = {**net.params, **net.state}
    if set(known) != set(twin.places):
        raise AssertionError(f"without a place: {sorted(set(known) ^ set(twin.places))}")
    twin.to(torch.from_numpy(np.array(next(iter(known.values())))).dtype)
    own = twin.state_dict()
    for name, array in known.items():
        place, layout = twin.places[name]
        wanted = layout.there(torch.from_numpy(np.array(array)))
        if wanted.shape != own[place].shape:
            raise AssertionError(f"{name}: {tuple(wanted.shape)}, and its place has {tuple(own[place].shape)}")
        own[place].copy_(wanted)
    return twin


def values(twin: Twin) -> dict[str, Array]:
    """The twin's parameters and states by their names in the program, in its layout."""
    own = twin.state_dict()
    return {name: layout.back(own[place]).numpy().copy() for name, (place, layout) in twin.places.items()}


def loss(twin: Twin, image: Array, label: Array) -> Tensor:
    """Cross entropy of a batch."""
    dtype = next(twin.parameters()).dtype
    pictures = torch.from_numpy(np.moveaxis(image, -1, 1).copy()).to(dtype)
    return F.cross_entropy(twin(pictures), torch.from_numpy(label))


def value_and_grad(twin: Twin, image: Array, label: Array) -> tuple[float, dict[str, Array]]:
    """The loss, and its gradients by their names in the program, in its layout; running estimates move on."""
    names = [n for n, _ in twin.named_parameters()]
    found = loss(twin, image, label)
    by_name = dict(zip(names, torch.autograd.grad(found, list(twin.parameters())), strict=True))
    ours = {n: (place, layout) for n, (place, layout) in twin.places.items() if place in by_name}
    return float(found.detach()), {n: layout.back(by_name[place]).numpy() for n, (place, layout) in ours.items()}


OPTIMIZERS: Mapping[str, tuple[type[torch.optim.Optimizer], Mapping[str, Any]]] = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.0}),
    "rmsprop": (torch.optim.RMSprop, {}),
}


def torch_steps(
    twin: Twin,
    batches: Iterable[Batch],
    optimizer_name: str,
    *,
    lr: float | Sequence[float],
    clip: float | None = None,
    **settings: Any,
) -> list[float]:
    """Train the twin, a step for each batch; returns each step's loss, before its update.

    optimizer_name  as `indexlang train` calls it           lr    one rate, or one for each step (a schedule)
    settings        on to torch.optim, as `weight_decay`    clip  the most that the norm of all gradients may be
    """
    kind, usual = OPTIMIZERS[optimizer_name]
    rates = lr if isinstance(lr, Sequence) else None
    optimizer = kind(twin.parameters(), **{"lr": 0.0, **usual, **settings})
    losses: list[float] = []
    for n, (image, label) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = rates[n] if rates is not None else lr
        optimizer.zero_grad()
        found = loss(twin, image, label)
        found.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(twin.parameters(), clip)
        optimizer.step()
        losses.append(float(found.detach()))
    return losses


def random_batch(size: int, seed: int = 0) -> Batch:
    """Images of noise, and labels."""
    rng = np.random.default_rng(seed)
    return rng.random((size, 8, 8, 1)), rng.integers(0, 10, size)


def _linear(package: str, module: str, layout: Layout = SAME) -> dict[str, Place]:
    return {f"{package}.W": (f"{module}.weight", layout), f"{package}.B": (f"{module}.bias", NEGATED)}


def _conv(package: str, module: str) -> dict[str, Place]:
    return {f"{package}.W": (f"{module}.weight", KERNEL), f"{package}.B": (f"{module}.bias", NEGATED)}


def _normal(package: str, module: str) -> dict[str, Place]:
    norm = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
    return {
        f"{package}.W": (f"{module}.conv.weight", KERNEL),
        **{f"{package}.{ours}": (f"{module}.norm.{theirs}", SAME) for ours, theirs in norm.items()},
    }
