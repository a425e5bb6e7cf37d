"""One gradient of a convolution, for a signal `G` that arrives at its result: of the pictures, or of the weights."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks import peers
from benchmarks.case import Case, Ready, Setting, agree, moved
from benchmarks.report import Row
from benchmarks.tables.convolutions import CONVOLUTIONS, Convolution
from benchmarks.timing import interleaved

WRT = ("X", "W")


def case(c: Convolution, wrt: str) -> Case:
    """The gradient as a program; its peers differ from those of other cases, so `runs` makes them."""
    total = "loss = sum[b,x,y,k] G[b,x,y,k]*Y[b,x,y,k]"
    text = f"{c.equation}\n{total}\nD = d(loss)/d({wrt})\noutput D"
    inputs = f"{c.pictures} {c.weights} G[{c.batch},{c.out},{c.out},{c.j}]"
    return Case(f"{c.name}: d{wrt}", text, inputs, {}, {}, {}, ("X", "G"), lambda: c.flops)


def runs(c: Convolution, wrt: str, setting: Setting) -> Ready:
    """Ours and torch's, checked. torch keeps the graph of the forward pass: only the gradient is timed."""
    made = case(c, wrt)
    program, arrays = made.program({}, setting.threads), made.arrays({})
    given = tuple(arrays.values())
    found = program(*given)
    theirs = _peers(c, wrt, arrays, setting)
    for name, peer in theirs.items():
        agree(f"{made.name}, {name}", peer.value(peer.run()), found, made.tolerance)
    out = {"D": found.copy()}
    return Ready(
        program,
        arrays,
        lambda: program(*given),
        lambda: program(*given, out=out),
        {n: p.run for n, p in theirs.items()},
    )


def _peers(c: Convolution, wrt: str, arrays: dict[str, Any], setting: Setting) -> dict[str, peers.Peer]:
    torch = peers.torch_with(setting)
    if torch is None:
        return {}
    made: dict[str, peers.Peer] = {}
    for name, layout in peers.formats(torch).items():
        x = peers.tensor(torch, arrays["X"], layout).requires_grad_(wrt == "X")
        w = c.as_torch(torch.from_numpy(arrays["W"])).contiguous(memory_format=layout).requires_grad_(wrt == "W")
        g = peers.tensor(torch, arrays["G"], layout)
        y = c.call(x, w)
        of = x if wrt == "X" else w
        run = partial(_gradient, torch, y, of, g)
        made[name] = peers.Peer(run, _pictures if wrt == "X" else partial(_weights, c))
    return made


def _gradient(torch: Any, y: Any, of: Any, g: Any) -> Any:
    return torch.autograd.grad(y, of, g, retain_graph=True)[0]


def _pictures(found: Any) -> Any:
    return peers.laid_as_ours(found, planes=True)


def _weights(c: Convolution, found: Any) -> Any:
    return c.as_ours(found.detach().contiguous()).numpy()


def rows(table: str, setting: Setting, wanted: Callable[[str], bool]) -> Iterator[Row]:
    for c in CONVOLUTIONS:
        for wrt in WRT:
            name = f"{c.name}: d{wrt}"
            if wanted(name):
                made = runs(c, wrt, setting)
                times = interleaved({"indexlang": made.ours, **made.peers}, setting.rounds)
                unread = made.arrays[wrt].nbytes  # a gradient does not read what it is of
                yield Row(table, name, times.pop("indexlang"), times, flops=c.flops, moved=moved(made) - unread)
