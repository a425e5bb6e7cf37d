"""What the schedule needs to know of this machine."""

import os
from functools import cache

from indexlang.kernels.contract import choose_tile
from indexlang.kernels.loader import machine
from indexlang.nest.moves.target import Target
from indexlang.run.tuned import winner

_LARGE = 2  # times what the caches of all cores hold: from there on results gain, whether they are read again or not


@cache
def target() -> Target:
    """The target of schedules made for this machine."""
    found = machine()
    large = _LARGE * found.cores * found.l2
    return Target(found.lanes, choose_tile, found.cores, found.vector_registers, found.l2, large, winner)


def cores() -> int:
    """Cores that this process may use."""
    return machine().cores


def usable_threads(wanted: int | None) -> int:
    """How many threads a run uses: as asked, else INDEXLANG_THREADS, else one for each core this process may use."""
    if wanted is not None:
        return max(wanted, 1)
    stated = os.environ.get("INDEXLANG_THREADS", "")
    return max(int(stated), 1) if stated.isdigit() else cores()
