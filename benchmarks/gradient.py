"""`python -m benchmarks.gradient [--batch N] [--rounds N] [--threads N]`: AlexNet forwards and backwards beside PyTorch.

The loss (cross entropy) and the gradients of all parameters, compared before anything is timed: the norm of the
difference relative to that of the gradient. Kinks that fall differently (a maximum or a relu within rounding) are part
of it, so the limit is loose. First call: with kernels as the cache has them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import indexlang as il
from benchmarks.__main__ import CONVOLUTIONS, POOLED
from benchmarks.timing import interleaved

FILE = Path(__file__).parents[1] / "examples" / "alexnet.idx"
LOSS = "input label[B] : int\nloss = 1/B * sum[b] (logsumexp[k] s[b,k] - s[b,label[b]])\noutput loss\n"


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradient", description=__doc__)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("output")]
    net = il.compile(
        "\n".join(lines).replace(' from "cat.jpg"', "") + "\n" + LOSS, dtype="f32", threads=options.threads
    )
    rng = np.random.default_rng(0)
    image = rng.random((options.batch, 227, 227, 3), np.float32)
    label = rng.integers(0, 1000, options.batch)
    g = net.grad("loss")
    start = perf_counter()
    ours = g(Input=image, label=label)
    print(f"first call {perf_counter() - start:.1f} s")
    runs: dict[str, Callable[[], Any]] = {"indexlang": lambda: g(Input=image, label=label)}
    runs |= _torch_runs(net, image, label, options.threads, ours, g)
    times = interleaved(runs, options.rounds)
    print(
        f"AlexNet, loss and gradients, batch {options.batch}, {options.threads} threads, {options.rounds} rounds, medians"
    )
    for name, t in times.items():
        print(f"  {name:<20} {t:9.1f} ms")
    peers = [t for name, t in times.items() if name != "indexlang"]
    if peers:
        print(f"  ratio to the best peer {times['indexlang'] / min(peers):.2f}")


def _torch_runs(
    net: il.Program, image: np.ndarray, label: np.ndarray, threads: int, ours: Any, g: il.Program
) -> dict[str, Callable[[], Any]]:
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: no peer to compare with")
        return {}
    torch.set_num_threads(threads)
    out: dict[str, Callable[[], Any]] = {}
    for name, layout in (("torch", torch.contiguous_format), ("torch channels-last", torch.channels_last)):
        parameters = _parameters(torch, net, layout)
        x = torch.from_numpy(image).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        y = torch.from_numpy(label)

        def run(parameters: Any = parameters, x: Any = x, y: Any = y) -> Any:
            for p in parameters.values():
                p.grad = None
            loss = _loss(torch, parameters, x, y)
            loss.backward()
            return loss

        loss = float(run().detach())
        worst = max(_difference(ours[g.gradients[n]], p.grad.numpy()) for n, p in parameters.items())
        print(f"{name}: loss {loss:.6f} beside {float(ours['loss']):.6f}; gradients differ by {worst:.1e} at most")
        assert worst < 1e-2
        out[name] = run
    return out


def _parameters(torch: Any, net: il.Program, layout: Any) -> dict[str, Any]:
    """The program's parameters; a convolution's weights laid out as a module would hold them."""
    found = {}
    for name, array in net.params.items():
        p = torch.from_numpy(array.copy())
        if p.ndim == 4 and name[1:] in CONVOLUTIONS:
            p = p.permute(3, 2, 0, 1).contiguous(memory_format=layout)
        found[name] = p.requires_grad_()
    return found


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    if theirs.ndim == 4 and theirs.shape != ours.shape:
        theirs = theirs.transpose(2, 3, 1, 0)
    return float(np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-30))


def _loss(torch: Any, p: dict[str, Any], x: Any, y: Any) -> Any:
    functional = torch.nn.functional
    for layer, (stride, padding) in CONVOLUTIONS.items():
        x = functional.conv2d(x, p[f"W{layer}"], -p[f"B{layer}"], stride=stride, padding=padding).relu()
        if layer in POOLED:
            x = functional.max_pool2d(x, 3, 2)
    x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
    for layer in ("9", "10", "s"):
        x = (x @ p[f"W{layer}"].reshape(-1, p[f"B{layer}"].shape[0]) - p[f"B{layer}"]).relu()
    return functional.cross_entropy(x, y)


if __name__ == "__main__":
    main()
