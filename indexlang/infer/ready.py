"""Definitions in an order in which each comes after what it waits for; linear, whatever the order of the text."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from heapq import heappop, heappush


def in_order(waits: Mapping[str, set[str]], is_known: Callable[[str], bool]) -> Iterator[str]:
    """The names of definitions, first those that wait for nothing; in the order of the text wherever that is one.

    waits  for each definition, the names that have no value yet. `is_known` is asked of a name behind its turn: what
           waits for one that got no value has no turn.
    """
    places = {name: n for n, name in enumerate(waits)}
    names = list(waits)
    left = {name: set(of) for name, of in waits.items()}
    readers: defaultdict[str, list[str]] = defaultdict(list)
    for name, of in waits.items():
        for other in of:
            readers[other].append(name)
    ready = [n for n, name in enumerate(names) if not left[name]]  # sorted, so a heap
    while ready:
        name = names[heappop(ready)]
        yield name
        for reader in readers[name] if is_known(name) else ():
            left[reader].discard(name)
            if not left[reader]:
                heappush(ready, places[reader])
