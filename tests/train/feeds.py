"""Small programs and batches for tests of training."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from indexlang.train.events import Event, StepDone

REGRESSION = """
input X[N, 4]
input T[N, 2]
param W[4, 6]
param V[6, 2]
param C[2] = 0
param g = 0.1
H[n,j] = tanh(sum W[i,j]*X[n,i])
Y[n,j] = sum V[i,j]*H[n,i] + C[j] + g
loss = 1/N * sum[n,j] (Y[n,j] - T[n,j])^2
output loss
"""


@dataclass
class Batches:
    """`steps` batches of `size` random examples each, the same in every epoch; the last one may be smaller."""

    dtype: Any = np.float64
    size: int = 8
    last: int = 8
    steps: int = 5
    columns: dict[str, tuple[int, ...]] = field(default_factory=lambda: {"X": (4,), "T": (2,)})

    @property
    def examples(self) -> int:
        return self.size * (self.steps - 1) + self.last

    def all(self) -> dict[str, np.ndarray[Any, Any]]:
        random = np.random.default_rng(1)
        return {n: random.random((self.examples, *shape)).astype(self.dtype) for n, shape in self.columns.items()}

    def batches(self, epoch: int, start: int = 0) -> Iterator[dict[str, Any]]:
        whole = self.all()
        for k in range(start, self.steps):
            yield {n: a[k * self.size : (k + 1) * self.size] for n, a in whole.items()}


@dataclass
class Seen:
    """Remembers every event."""

    events: list[Event] = field(default_factory=list)

    def on(self, event: Event) -> None:
        self.events.append(event)

    @property
    def losses(self) -> list[float]:
        return [e.metrics["loss"] for e in self.events if isinstance(e, StepDone)]
