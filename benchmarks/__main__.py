"""`python -m benchmarks [--batch N] [--threads N] [--rounds N] [--json FILE]`: the lecture's AlexNet beside PyTorch.

Absolute times mean little on shared machines; the ratio of medians of interleaved rounds in one process does. The
results are compared before anything is timed. Without PyTorch ours is timed alone, and the table says so.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import indexlang as il

FILE = Path(__file__).parents[1] / "examples" / "alexnet.idx"
CONVOLUTIONS = {"1": (4, 0), "3": (1, 2), "5": (1, 1), "6": (1, 1), "7": (1, 1)}  # layer: stride, padding
POOLED = ("1", "3", "7")


def main() -> None:
    """Measure and print one table."""
    options = _options()
    image = np.random.default_rng(0).random((options.batch, 227, 227, 3), np.float32)
    net = il.load(FILE, threads=options.threads)
    runs: dict[str, Callable[[], Any]] = {"indexlang": lambda: net(image)}
    runs |= _torch_runs(net, image, options.threads)
    ours = net(image)
    for name, run in runs.items():
        worst = float(np.abs(np.asarray(run()) - ours).max() / np.abs(ours).max())
        assert worst < 1e-4, f"{name} differs by {worst}"
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.rounds):
        for name, run in runs.items():
            start = perf_counter()
            run()
            times[name].append(1e3 * (perf_counter() - start))
    _print(options, {name: median(t) for name, t in times.items()})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _torch_runs(net: il.Program, image: np.ndarray, threads: int) -> dict[str, Callable[[], Any]]:
    """PyTorch eager in both memory formats; nothing where it is not installed."""
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed: no peer to compare with")
        return {}
    torch.set_num_threads(threads)
    parameters = {name: torch.from_numpy(array.copy()) for name, array in net.params.items()}
    planar = torch.from_numpy(image).permute(0, 3, 1, 2).contiguous()
    last = planar.contiguous(memory_format=torch.channels_last)
    return {
        "torch": lambda: _alexnet(torch, parameters, planar, torch.contiguous_format),
        "torch channels-last": lambda: _alexnet(torch, parameters, last, torch.channels_last),
    }


def _alexnet(torch: Any, p: dict[str, Any], x: Any, layout: Any) -> Any:
    functional = torch.nn.functional
    with torch.no_grad():
        for layer, (stride, padding) in CONVOLUTIONS.items():
            key = (layer, layout)
            if key not in _WEIGHTS:  # laid out once, as a module would hold them
                _WEIGHTS[key] = p[f"W{layer}"].permute(3, 2, 0, 1).contiguous(memory_format=layout)
            x = functional.conv2d(x, _WEIGHTS[key], -p[f"B{layer}"], stride=stride, padding=padding).relu()
            if layer in POOLED:
                x = functional.max_pool2d(x, 3, 2)
        x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
        for layer in ("9", "10", "s"):
            x = (x @ p[f"W{layer}"].reshape(-1, p[f"B{layer}"].shape[0]) - p[f"B{layer}"]).relu()
    return x


_WEIGHTS: dict[Any, Any] = {}


def _print(options: argparse.Namespace, times: dict[str, float]) -> None:
    peers = [t for name, t in times.items() if name != "indexlang"]
    print(f"AlexNet, batch {options.batch}, {options.threads} threads, median of {options.rounds} rounds")
    for name, t in times.items():
        print(f"  {name:<20} {t:9.2f} ms")
    if peers:
        print(f"  ratio to the best peer {times['indexlang'] / min(peers):.2f}")
    if options.json:
        options.json.write_text(json.dumps({"schema": 1, "batch": options.batch, "milliseconds": times}, indent=2))


if __name__ == "__main__":
    main()
