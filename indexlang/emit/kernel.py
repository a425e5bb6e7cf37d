"""What the emitter makes: a worker's source, and what it must be passed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Arg:
    """One int64 that a kernel takes.

    kind  `tensor` (the address of `name`), `table` (the address), `int` (`value`), `fail` or `status`
    """

    kind: str
    name: str = ""
    value: int = 0


@dataclass(frozen=True)
class KernelText:
    """The key of a worker's structure, its symbol, and what to pass; its readable source where somebody asks for it."""

    key: str
    symbol: str
    args: tuple[Arg, ...]
    write: Callable[[], str] = field(compare=False, repr=False)

    @cached_property
    def source(self) -> str:
        """The text, with the program's names: a kernel that is there already has no need of it."""
        return self.write()
