"""A case: one text with its inputs, and the same by other libraries; checked against them, then timed beside them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

import indexlang as il
from benchmarks import peers
from benchmarks.report import Row
from benchmarks.timing import Run, interleaved

Array = np.ndarray[Any, Any]
Peers = Mapping[str, Callable[..., Any]]
Cost = Callable[..., int]


@dataclass(frozen=True)
class Setting:
    """How to measure; `skipped` collects why a peer is absent."""

    threads: int = 2
    rounds: int = 15
    skipped: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Case:
    """Equations with declared `inputs` (`A[N,K] B[K,M]`), capitals being constants of `sizes`; one output.

    peers  by kind: `torch`, `compile`, `jax`, `numpy`, `numba`: each a function of the inputs in order (for jax one
           that is written for numpy)
    planes inputs that are pictures: torch gets them with channels second, in both memory formats, as its result
    small  sizes at which the case is tested; flops: where the table of layers counts no multiply-adds
    unit   inputs within [0, 1), for equations that multiply many numbers or need positive ones
    params inputs that are parameters of ours, as weights are: kept from call to call with what is made of them alone
    """

    name: str
    text: str
    inputs: str
    sizes: Mapping[str, int]
    small: Mapping[str, int]
    peers: Peers
    planes: tuple[str, ...] = ()
    flops: Cost | None = None
    unit: bool = False
    tolerance: float = 2e-4
    params: tuple[str, ...] = ()

    def extents(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        pairs = re.findall(r"(\w+)\[([^\]]*)\]", self.inputs)
        return {name: tuple(_extent(part, sizes) for part in inner.split(",")) for name, inner in pairs}

    def program(self, sizes: Mapping[str, int], threads: int) -> il.Program:
        declared = ((part.split("[")[0] in self.params, part) for part in self.inputs.split())
        heads = [f"{'param' if kept else 'input'} {part}" for kept, part in declared]
        return il.compile("\n".join([*heads, self.text]), constants=dict(sizes), dtype="f32", threads=threads)

    def arrays(self, sizes: Mapping[str, int]) -> dict[str, Array]:
        random = np.random.default_rng(0)
        draw = random.random if self.unit else random.standard_normal
        return {name: draw(shape, np.float32) for name, shape in self.extents(sizes).items()}


@dataclass(frozen=True)
class Ready:
    """A case at one size: programs that run, with the same results."""

    program: il.Program
    arrays: Mapping[str, Array]
    ours: Run
    into: Run
    peers: Mapping[str, Run]


def ready(case: Case, sizes: Mapping[str, int], setting: Setting) -> Ready:
    """All runs of a case. Raises AssertionError where a peer gives something else than ours."""
    program, arrays = case.program(sizes, setting.threads), case.arrays(sizes)
    for name in case.params:
        program.params[name] = arrays[name]
    given = tuple(a for name, a in arrays.items() if name not in case.params)
    found = np.asarray(program(*given))
    made = peers.runs(case.peers, arrays, case.planes, setting)
    for name, peer in made.items():
        agree(f"{case.name}, {name}", peer.value(peer.run()), found, case.tolerance)
    out = {name: np.empty_like(found) for name in program.outputs}
    return Ready(
        program,
        arrays,
        lambda: program(*given),
        lambda: program(*given, out=out),
        {name: peer.run for name, peer in made.items()},
    )


def agree(what: str, theirs: Any, ours: Array, tolerance: float) -> None:
    """Compare by the largest difference beside the largest number."""
    theirs = np.asarray(theirs)
    assert theirs.shape == ours.shape, f"{what}: {theirs.shape} beside {ours.shape}"
    worst = float(np.abs(theirs - ours).max() / max(float(np.abs(ours).max()), 1e-30))
    assert worst < tolerance, f"{what}: differs by {worst:.1e} of the largest number"


def measured(table: str, case: Case, setting: Setting) -> Row:
    """One row; the program's own count of multiply-adds unless the case has a cost of its own."""
    runs = ready(case, case.sizes, setting)
    times = interleaved({"indexlang": runs.ours, "into": runs.into, **runs.peers}, setting.rounds)
    ours, into = times.pop("indexlang"), times.pop("into")
    flops = case.flops(**case.sizes) if case.flops else 2 * runs.program.summary().macs
    return Row(table, case.name, ours, times, flops=flops, moved=moved(runs), into=into)


def moved(runs: Ready) -> int:
    """Bytes of each input and output once."""
    out = sum(a.nbytes for a in runs.arrays.values())
    return out + sum(info.bytes for info in runs.program.outputs.values())


def _extent(part: str, sizes: Mapping[str, int]) -> int:
    """`N`, `3`, `S//2`, `2*N`, `S+K`."""
    value = 0
    for term in part.split("+"):
        value += prod(_quotient(factor, sizes) for factor in term.split("*"))
    return value


def _quotient(text: str, sizes: Mapping[str, int]) -> int:
    first, _, divisor = text.partition("//")
    return (sizes[first] if first in sizes else int(first)) // _number(divisor or "1", sizes)


def _number(text: str, sizes: Mapping[str, int]) -> int:
    return sizes[text] if text in sizes else int(text)
