"""What `indexlang tune` found to be better than the usual schedules, by the structure of an equation: kept in the store.

One entry a processor and version. What is there is used by every later run; what is damaged, or was found on another
processor, is as if it were not there, and schedules are the usual ones.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple

from indexlang import __version__
from indexlang.kernels.loader import cpu_key
from indexlang.nest.moves.target import USUAL, Knobs
from indexlang.run.kernels import store

_FORMAT = "1"
_RANGES = ((0, 32), (0, 16), (-2, 2), (-4, 4))  # of each knob: others would have been written by nobody
_known: dict[str, dict[str, Knobs]] = {}  # by entry: read once a process


def winner(structure: str) -> Knobs | None:
    """The knobs that were best for an equation of this structure, if it was tuned on this processor."""
    return winners().get(structure)


def winners() -> Mapping[str, Knobs]:
    """All that is kept for this processor."""
    entry = _entry()
    if entry not in _known:
        _known[entry] = _read(store().get(entry))
    return _known[entry]


def keep(found: Mapping[str, Knobs]) -> None:
    """Keep more winners, in place of those for the same structures; knobs that change nothing take a winner away.

    What another process has kept meanwhile stays.
    """
    merged = {**_read(store().get(_entry())), **found}
    _write({s: k for s, k in merged.items() if k != USUAL})


def forget() -> int:
    """Take all winners away; how many there were."""
    count = len(winners())
    _write({})
    return count


def _write(found: dict[str, Knobs]) -> None:
    _known[_entry()] = found
    store().put(_entry(), json.dumps({s: astuple(k) for s, k in sorted(found.items())}).encode())


def _entry() -> str:
    return f"tuned-{_FORMAT}-{__version__}-{cpu_key()}"


def _read(content: bytes | None) -> dict[str, Knobs]:
    """The winners of an entry; none where anything about it is odd."""
    try:
        found = json.loads(content or b"{}")
        return {str(s): _knobs(numbers) for s, numbers in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _knobs(numbers: list[int]) -> Knobs:
    for n, (least, most) in zip(numbers, _RANGES, strict=True):
        if not isinstance(n, int) or not least <= n <= most:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError
    return Knobs(*numbers)
