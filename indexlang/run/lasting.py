"""Arrays that stay as they are from run to run."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, weakref_slot=True, slots=True)
class Lasting:
    """Parameters or states as they are now: with the first change there is another object, and this one ends.

    So a run that meets the same object again knows that neither values nor addresses have changed.
    """

    arrays: dict[str, NDArray[Any]]
