"""What schedules need to know of the machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from indexlang.ir.dtypes import DType


class ChooseTile(Protocol):
    """R and V of the register tile that loses least; V as told where it is not 0."""

    def __call__(self, rows: int, columns: int, dtype: str, vectors: int = 0, /) -> tuple[int, int]:
        """R rows and V vectors of a tile for this many rows and columns; `vectors` is V where it is decided already."""
        ...


@dataclass(frozen=True, slots=True)
class Knobs:
    """Where the schedule of an equation departs from what the cost models choose; 0: it does not.

    rows, vectors  of the register tile or block
    rounds         how often the terms in a round of a long sum are doubled
    chunk          how often the iterations that a thread takes in turn are doubled
    """

    rows: int = 0
    vectors: int = 0
    rounds: int = 0
    chunk: int = 0


USUAL = Knobs()


def untuned(structure: str) -> Knobs | None:
    """Nothing was measured."""
    return None


def scaled(count: int, doublings: int) -> int:
    """`count`, at least 1, as often doubled as told, or halved where that is negative."""
    return max(count << doublings if doublings > 0 else count >> -doublings, 1)


@dataclass(frozen=True, slots=True)
class Target:
    """What the schedule needs to know of the machine.

    lanes        elements of a vector register, by bytes an element
    choose_tile  the register tile for so many rows and columns
    cores        that should all have work where memory is the limit
    registers    vectors that registers hold
    near         bytes that the cache of a single core holds
    large        bytes of a result that caches do not hold until it is read again
    tuned        the knobs that were measured to be better for the structure of an equation, if there are any
    knobs        those of the equation at hand
    """

    lanes: Callable[[int], int]
    choose_tile: ChooseTile
    cores: int = 2
    registers: int = 16
    near: int = 1 << 20
    large: int = 8 << 20
    tuned: Callable[[str], Knobs | None] = untuned
    knobs: Knobs = USUAL

    def lanes_within(self, count: int, dtype: DType) -> int:
        """Elements of the longest vector that `count` of them fill; less than 2 where there is none."""
        lanes = self.lanes(dtype.size)
        while lanes > count:
            lanes //= 2
        return lanes

    def tile(self, rows: int, columns: int, dtype: DType, vectors: int) -> tuple[int, int]:
        """The register tile: that of the knobs, where registers hold it, or else the one that loses least."""
        usual = self.choose_tile(rows, columns, dtype.value, vectors)
        if not self.knobs.rows or rows <= 1:
            return usual
        lanes = self.lanes(dtype.size)
        r, v = min(self.knobs.rows, rows), vectors or min(self.knobs.vectors, -(-columns // lanes))
        return (r, v) if r * v + v + 1 <= self.registers else usual
