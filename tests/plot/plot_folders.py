"""Folders of runs as training writes them, made by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexlang.interop.weights import write_weights

NET = """
input image[B, 8, 8, 1]
input label[B] : int
param W1[3, 3, 1, 6]
param B1[6]
param W2[6, 6, 6, 10]
L1[b,x,y,j] = relu(sum W1[dx,dy,i,j] * image[b, x+dx, y+dy, i] - B1[j])
M[b,x,y] = mean[j] L1[b,x,y,j]
s[b,k] = sum W2[x,y,i,k] * L1[b,x,y,i]
p[b,k] = exp(s[b,k]) / sum[m] exp(s[b,m])
loss = -1/B * sum[b] log(p[b, label[b]])
output s, loss
"""


def step(n: int, epoch: int, loss: float | str, **more: Any) -> dict[str, Any]:
    return {"kind": "step", "epoch": epoch, "step": n, "loss": loss, "rate": 0.01, "seconds": 0.01, **more}


def epoch(n: int, at: int, training: Mapping[str, Any], validation: Mapping[str, Any], best: bool = False) -> Any:
    return {"kind": "epoch", "epoch": n, "step": at, "training": training, "validation": validation,
            "seconds": 1.5, "best": best}  # fmt: skip


def layer(name: str, activation: Any = 1.0, gradient: Any = 0.01, update: Any = 1e-3) -> dict[str, Any]:
    return {"name": name, "activation": activation, "gradient": gradient, "dead": 0.25, "saturated": 0.1, "update": update}  # fmt: skip


def signals(n: int, epoch: int, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"kind": "signals", "epoch": epoch, "step": n, "layers": list(layers)}


def written(path: Path, events: Sequence[Any], config: str = "", text: str = NET) -> Path:
    """A folder with these events; a string stands for a damaged line."""
    path.mkdir(parents=True, exist_ok=True)
    lines = [e if isinstance(e, str) else json.dumps(e) for e in events]
    (path / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (path / "config.toml").write_text(config, encoding="utf-8")
    (path / "program.idx").write_text(text, encoding="utf-8")
    return path


def trained(path: Path, epochs: int = 5, of_epoch: int = 20, slope: float = 0.05, validation: bool = True) -> Path:
    """A run that learns: loss and accuracy, a step and an epoch at a time."""
    rng = np.random.default_rng(0)
    events: list[Any] = []
    for e in range(1, epochs + 1):
        for s in range((e - 1) * of_epoch + 1, e * of_epoch + 1):
            loss = 0.05 + 2.3 * np.exp(-slope * s) * (1 + 0.2 * rng.standard_normal())
            events.append(step(s, e, float(loss), accuracy=float(1 - np.exp(-slope * s))))
        at = e * of_epoch
        means = {"loss": 0.05 + 2.3 * float(np.exp(-slope * at)), "accuracy": 1 - float(np.exp(-slope * at))}
        held = {n: v * 0.95 + 0.05 for n, v in means.items()} if validation else {}
        events.append(epoch(e, at, means, held, best=True))
    return written(path, events, 'data = "digits"\n')


def with_weights(path: Path, **arrays: Any) -> Path:
    """Weights that fit `NET`, but for those given."""
    rng = np.random.default_rng(1)
    shapes = {"W1": (3, 3, 1, 6), "B1": (6,), "W2": (6, 6, 6, 10)}
    drawn = {n: rng.standard_normal(shape).astype(np.float32) for n, shape in shapes.items()}
    write_weights(path / "best.safetensors", {**drawn, **arrays})
    return path
