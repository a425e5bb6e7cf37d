"""Fitting a file to a program: every tensor of the program finds its own, and nothing of the file is left without a reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from indexlang.interop.maps.rules import OWN, Map, Rule, families
from indexlang.interop.weights.archive import Entry

Array = np.ndarray[Any, Any]
T = TypeVar("T")
Extents = tuple[int, ...]
PREFIXES = ("module.", "_orig_mod.")  # of torch's wrappers: data parallel, compiled


@dataclass(frozen=True, slots=True)
class Pair:
    """A tensor of the program, the entry that it is, and by which rule."""

    ours: str
    entry: Entry
    rule: Rule
    sizes: Mapping[str, int]

    def read(self) -> Array:
        """The numbers as the program has them; the extents fit already."""
        array = self.entry.read()
        if self.rule.layout is not None:
            array = self.rule.layout.to_ours(array, self.sizes)
        return array if self.rule.sign == 1 else np.negative(array)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Names that belong together, but extents that do not."""

    ours: str
    wanted: Extents
    theirs: str
    given: Extents


@dataclass(frozen=True, slots=True)
class Fit:
    """How a file and a program go together by one map.

    lacking  tensors of the program without an entry, and the name looked for (none: no rule knows the tensor)
    waiting  states that a file of our own does not have: they keep their values
    over     entries that the program has no place for       left  entries that the map leaves out, by pattern
    """

    map: Map
    pairs: tuple[Pair, ...]
    misfits: tuple[Misfit, ...]
    lacking: tuple[tuple[str, str | None], ...]
    waiting: tuple[str, ...]
    over: tuple[str, ...]
    left: Mapping[str, int]

    @property
    def complete(self) -> bool:
        """Whether every tensor has its values and every entry its place."""
        return not (self.misfits or self.lacking or self.over)

    @property
    def known(self) -> int:
        """How many tensors found the name that they look for."""
        return len(self.pairs) + len(self.misfits)


def best(params: Mapping[str, Extents], states: Mapping[str, Extents], entries: Mapping[str, Entry]) -> Fit:
    """The fit of the map that fits best, complete if any is: our own names first, then the families.

    cost  for each map, one look at each name of the program and of the file
    """
    tries = [fit(OWN, params, states, entries)]
    if not tries[0].complete:
        bare = stripped(entries)
        tries += [] if bare is entries else [fit(OWN, params, states, bare)]
        tries += [fit(map_, params, states, bare) for map_ in families()]
    return max(tries, key=lambda f: (f.complete, f.known - len(f.misfits), f.known))  # the first of equals


def stripped(entries: Mapping[str, T]) -> Mapping[str, T]:
    """What a file has by name, without a prefix that all names have from a wrapper."""
    for prefix in PREFIXES:
        if entries and all(name.startswith(prefix) for name in entries):
            return stripped({name[len(prefix) :]: entry for name, entry in entries.items()})
    return entries


def fit(map_: Map, params: Mapping[str, Extents], states: Mapping[str, Extents], entries: Mapping[str, Entry]) -> Fit:
    """How `entries` fit a program with these tensors, by one map. In a file of our own, states may be absent."""
    pairs: list[Pair] = []
    misfits: list[Misfit] = []
    lacking: list[tuple[str, str | None]] = []
    for name, extents in {**params, **states}.items():
        found = _found(map_, name, extents, entries)
        match found:
            case Pair():
                pairs.append(found)
            case Misfit():
                misfits.append(found)
            case _:
                lacking.append((name, found))
    waiting = [name for name, _ in lacking if name in states and map_ is OWN]
    taken = {pair.entry.name for pair in pairs}
    used = {name for name, entry in entries.items() if entry.name in taken} | {m.theirs for m in misfits}
    over, left = _rest(map_, [name for name in entries if name not in used])
    lacking = [row for row in lacking if row[0] not in waiting]
    return Fit(map_, tuple(pairs), tuple(misfits), tuple(lacking), tuple(waiting), over, left)


def _found(map_: Map, name: str, extents: Extents, entries: Mapping[str, Entry]) -> Pair | Misfit | str | None:
    """What the map says of one tensor: its entry, one of other extents, or the name that is missing."""
    looked_for: str | None = None
    misfit: Misfit | None = None
    for rule, theirs in _candidates(map_, name):
        looked_for = looked_for or theirs
        if theirs not in entries:
            continue
        entry = entries[theirs]
        sizes = _sizes(rule, entry.extents, extents)
        if sizes is not None:
            return Pair(name, entry, rule, sizes)
        misfit = misfit or Misfit(name, extents, theirs, entry.extents)
    return misfit or looked_for


def _candidates(map_: Map, name: str) -> Iterator[tuple[Rule, str]]:
    for rule in map_.rules:
        theirs = rule.their_name(name)
        if theirs is not None:
            yield rule, theirs


def _sizes(rule: Rule, theirs: Extents, ours: Extents) -> Mapping[str, int] | None:
    if rule.layout is None:
        return {} if theirs == ours else None
    return rule.layout.sizes(theirs, ours, rule.sizes)


def _rest(map_: Map, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    over: list[str] = []
    left: dict[str, int] = {}
    for name in names:
        reason = next((p.text for p in map_.leave if p.values(name) is not None), None)
        if reason is None:
            over.append(name)
        else:
            left[reason] = left.get(reason, 0) + 1
    return tuple(over), left
