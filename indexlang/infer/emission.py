"""What the definitions of a body come to. Only ever added to, so that a mark is enough to go back."""

from dataclasses import dataclass, field
from typing import Any

from indexlang.infer.derivatives import Record
from indexlang.ir.equation import Equation, Tensor
from indexlang.text.diagnostics import Diagnostic


@dataclass
class Emission:
    """What definitions came to, in an order in which it can be computed."""

    declared: dict[str, Tensor] = field(default_factory=dict[str, Tensor])  # inputs, params and states
    computed: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    equations: list[Equation] = field(default_factory=list[Equation])
    updates: dict[str, str] = field(default_factory=dict[str, str])  # state or param → the tensor of its next value
    derivatives: list[Record] = field(default_factory=list[Record])
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def mark(self) -> tuple[int, ...]:
        """How much there is by now: what `cut` goes back to."""
        return tuple(len(kept) for kept in self._all())

    def cut(self, mark: tuple[int, ...]) -> None:
        """Drop what came after a mark: things are only ever added, at the end."""
        for kept, length in zip(self._all(), mark, strict=True):
            shortened(kept, length)

    def _all(self) -> "tuple[dict[str, Any] | list[Any], ...]":
        return self.declared, self.computed, self.equations, self.updates, self.derivatives, self.warnings


def shortened(kept: "dict[str, Any] | list[Any]", length: int) -> None:
    """Drop what was added last, so that `length` are left."""
    if isinstance(kept, list):
        del kept[length:]
        return
    while len(kept) > length:
        kept.popitem()
