"""The values that parameters and states begin with, drawn from the seed on all threads."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexlang.ir.equation import Start, Tensor
from indexlang.run.machine import usable_threads

Array = NDArray[Any]
_Job = Callable[[], None]

_BLOCK = 1 << 18  # elements: they stay in a cache while they are scaled
_WORTH_A_THREAD = 1 << 20


def drawn(tensors: Iterable[Tensor], seed: int) -> dict[str, Array]:
    """First values by name: the same for the same name, seed, extents and dtype, whatever else the program holds.

    xavier  uniform on ±sqrt(3/N), N the fan-in (the lecture's slide); he  normal, variance 2/N
    cost    about 3.5 ns for a uniform element, shared by the threads; their number does not matter to the values
    """
    found: dict[str, Array] = {}
    jobs: list[_Job] = []
    for t in tensors:
        found[t.name] = out = np.empty(tuple(int(n) for n in t.extents), t.dtype.numpy)  # type: ignore[arg-type]
        jobs.extend(_jobs(t, seed, out))
    _work(jobs, usable_threads(None) if sum(a.size for a in found.values()) > _WORTH_A_THREAD else 1)
    return found


def _jobs(tensor: Tensor, seed: int, out: Array) -> Iterator[_Job]:
    """What fills `out`, in parts that may be done in any order."""
    start = tensor.start or Start("constant", (0.0,))
    digest = hashlib.sha256(f"{seed} {tensor.name}".encode()).digest()
    key = int.from_bytes(digest[:16], "little")
    fan_in = max(int(start.fan_in), 1) if start.is_scaled else 1  # type: ignore[arg-type]
    match start.rule:
        case "constant":
            yield partial(out.fill, start.numbers[0])
        case "xavier":
            yield from _uniform(key, out, -((3 / fan_in) ** 0.5), (3 / fan_in) ** 0.5)
        case "uniform":
            yield from _uniform(key, out, *start.numbers)
        case "he":
            yield partial(_normal, key, out, 0.0, (2 / fan_in) ** 0.5)
        case "normal":
            yield partial(_normal, key, out, *start.numbers)
        case _:
            yield partial(_orthogonal, key, out)


def _work(jobs: list[_Job], threads: int) -> None:
    """Do all jobs; the first trouble of any thread is raised here."""
    left, troubles = iter(jobs), list[BaseException]()

    def work() -> None:
        try:
            for job in left:  # taken one by one: an iterator of a list may be shared
                if troubles:
                    return
                job()
        except BaseException as trouble:  # KeyboardInterrupt too: the others stop
            troubles.append(trouble)

    helpers = [Thread(target=work, daemon=True) for _ in range(min(threads, len(jobs)) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if troubles:
        raise troubles[0]


def _uniform(key: int, out: Array, low: float, high: float) -> Iterator[_Job]:
    """Blocks of one stream: a counter of Philox gives 32 bytes, and can begin anywhere."""
    flat = out.reshape(-1)
    for first, last in pairwise((*range(0, flat.size, _BLOCK), flat.size)):
        yield partial(_uniform_block, key, first * out.itemsize // 32, flat[first:last], low, high)


def _uniform_block(key: int, counter: int, out: Array, low: float, high: float) -> None:
    bits = np.random.Philox(key=key)
    bits.advance(counter)
    random: Any = np.random.Generator(bits)
    random.random(dtype=out.dtype, out=out)
    out *= out.dtype.type(high - low)
    out += out.dtype.type(low)


def _normal(key: int, out: Array, mean: float, deviation: float) -> None:
    """In one piece: how many bits an element takes depends on the bits."""
    flat: Any = out.reshape(-1)
    np.random.Generator(np.random.Philox(key=key)).standard_normal(dtype=out.dtype, out=flat)  # pyright: ignore
    flat *= out.dtype.type(deviation)
    flat += out.dtype.type(mean)


def _orthogonal(key: int, out: Array) -> None:
    """Orthonormal columns (or rows, if there are fewer) of the matrix of all axes but the last by the last."""
    columns = out.shape[-1] if out.shape else 1
    rows = out.size // max(columns, 1)
    random = np.random.Generator(np.random.Philox(key=key))
    tall = random.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    out[...] = (q if rows >= columns else q.T).reshape(out.shape)
