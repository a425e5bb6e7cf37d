"""What schedules need to know of the machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class ChooseTile(Protocol):
    """R and V of the register tile that loses least; V as told where it is not 0."""

    def __call__(self, rows: int, columns: int, dtype: str, vectors: int = 0, /) -> tuple[int, int]:
        """R rows and V vectors of a tile for this many rows and columns; `vectors` is V where it is decided already."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """What the schedule needs to know of the machine.

    lanes        elements of a vector register, by bytes an element
    choose_tile  the register tile for so many rows and columns
    cores        that should all have work where memory is the limit
    registers    vectors that registers hold
    """

    lanes: Callable[[int], int]
    choose_tile: ChooseTile
    cores: int = 2
    registers: int = 16
