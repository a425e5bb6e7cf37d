"""The lecture's AlexNet in PyTorch, with the parameters of our program."""

from pathlib import Path
from typing import Any

import indexlang as il

FILE = Path(__file__).parents[1] / "examples" / "alexnet.idx"
LOSS = "input label[B] : int\nloss = 1/B * sum[b] (logsumexp[k] s[b,k] - s[b,label[b]])\noutput loss\n"
CONVOLUTIONS = {"1": (4, 0), "3": (1, 2), "5": (1, 1), "6": (1, 1), "7": (1, 1)}  # layer: stride, padding
POOLED = ("1", "3", "7")


def parameters(torch: Any, net: il.Program, layout: Any) -> dict[str, Any]:
    """The program's parameters; a convolution's weights laid out as a module would hold them."""
    found = {}
    for name, array in net.params.items():
        p = torch.from_numpy(array.copy())
        if p.ndim == 4 and name[1:] in CONVOLUTIONS:
            p = p.permute(3, 2, 0, 1).contiguous(memory_format=layout)
        found[name] = p.requires_grad_()
    return found


def scores(torch: Any, p: dict[str, Any], x: Any) -> Any:
    """The forward pass."""
    functional = torch.nn.functional
    for layer, (stride, padding) in CONVOLUTIONS.items():
        x = functional.conv2d(x, p[f"W{layer}"], -p[f"B{layer}"], stride=stride, padding=padding).relu()
        if layer in POOLED:
            x = functional.max_pool2d(x, 3, 2)
    x = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)
    for layer in ("9", "10", "s"):
        x = (x @ p[f"W{layer}"].reshape(-1, p[f"B{layer}"].shape[0]) - p[f"B{layer}"]).relu()
    return x


def loss(torch: Any, p: dict[str, Any], x: Any, y: Any) -> Any:
    """Cross entropy of the scores."""
    return torch.nn.functional.cross_entropy(scores(torch, p, x), y)
