"""What the emitter makes: a worker's source, and what it must be passed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arg:
    """One int64 that a kernel takes.

    kind  `tensor` (the address of `name`), `table` (the address), `int` (`value`), `fail` or `status`
    """

    kind: str
    name: str = ""
    value: int = 0


@dataclass(frozen=True, slots=True)
class KernelText:
    """A worker's readable source, the key of its structure, its symbol, and what to pass."""

    source: str
    key: str
    symbol: str
    args: tuple[Arg, ...]
