"""Weights from one side's names and axes to the other's, without a program: names and extents say which map it is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexlang.interop.maps.fit import stripped
from indexlang.interop.maps.layouts import Extents
from indexlang.interop.maps.rules import Map, Rule, families
from indexlang.interop.weights.archive import shown
from indexlang.text.diagnostics import DataError, data_error
from indexlang.text.names import did_you_mean

Array = np.ndarray[Any, Any]
FEW = 3
GROUP = "g"  # the letter of layouts that counts groups
OWN_NAMES, THEIR_NAMES = "indexlang", "torchvision"


@dataclass(frozen=True, slots=True)
class Move:
    """A tensor's name before and after, and how its axes and sign change."""

    before: str
    after: str
    rule: Rule
    sizes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """All tensors by one map.

    strange  names that no rule is about      unused  rules that found nothing
    fits     no extent speaks against it
    """

    map: Map
    moves: tuple[Move, ...]
    strange: tuple[str, ...]
    unused: int
    fits: bool


def to_theirs(arrays: Mapping[str, Array], family: str | None = None) -> tuple[str, dict[str, Array]]:
    """Arrays by our names as torchvision has them; the name of the map, and the arrays, bit by bit the same numbers.

    Raises DataError E0609: no map knows all names, several do and give other names, or an unknown family.
    """
    extents = {name: array.shape for name, array in arrays.items()}
    way = _way([_theirs(map_, extents) for map_ in _maps(family)])
    return way.map.name, {move.after: _written(arrays[move.before], move) for move in way.moves}


def to_ours(arrays: Mapping[str, Array], family: str | None = None) -> tuple[str, dict[str, Array]]:
    """Arrays of torchvision by our names; what a map leaves out is left out, and so is a prefix of a wrapper.

    Raises DataError E0609 as `to_theirs`, and where the file does not tell the groups of a convolution: a program has to.
    """
    arrays = stripped(arrays)
    extents = {name: array.shape for name, array in arrays.items()}
    way = _way([_ours(map_, extents) for map_ in _maps(family)])
    return way.map.name, {move.after: _read(arrays[move.before], move) for move in way.moves}


def _maps(family: str | None) -> Sequence[Map]:
    found = [map_ for map_ in families() if family in (None, map_.name)]
    if not found:
        known = [map_.name for map_ in families()]
        advice = did_you_mean(family or "", known, f"there are {', '.join(known)}")
        raise data_error("E0609", message=f"there is no family `{shown(family or '')}`", advice=advice)
    return found


def _theirs(map_: Map, extents: Mapping[str, Extents]) -> Way:
    return _by(map_, extents, lambda rule, name: rule.their_name(name), lambda rule, name: _known(rule, extents[name]))


def _ours(map_: Map, extents: Mapping[str, Extents]) -> Way:
    wanted = {n: e for n, e in extents.items() if all(p.values(n) is None for p in map_.leave)}
    return _by(map_, wanted, lambda rule, name: rule.our_name(name), lambda rule, name: _read_from(rule, name, wanted))


def _known(rule: Rule, ours: Extents) -> Mapping[str, int] | None:
    return None if rule.layout is None else rule.layout.sizes(None, ours, rule.sizes)


def _read_from(rule: Rule, name: str, extents: Mapping[str, Extents]) -> Mapping[str, int] | None:
    """The sizes of a tensor of the file. A convolution has groups where it has fewer features than it reads."""
    layout = rule.layout
    if layout is None:
        return None
    groups = _groups(rule, name, extents)
    if groups is None:
        return layout.sizes(extents[name], None, rule.sizes)
    if (groups > 1) is not any(GROUP in axis for axis in layout.theirs):
        return None
    return layout.sizes(extents[name], None, {**rule.sizes, GROUP: groups})


def _groups(rule: Rule, name: str, extents: Mapping[str, Extents]) -> int | None:
    """How many groups a convolution has, if that is in question and the file tells it."""
    values = rule.theirs.values(name)
    if rule.reads is None or values is None or len(extents[name]) < 2:
        return None
    read, features = extents.get(rule.reads.name(values)), extents[name][1]
    if not read or not features or read[0] % features:
        return None
    return read[0] // features


def _by(
    map_: Map,
    extents: Mapping[str, Extents],
    renamed: Callable[[Rule, str], str | None],
    sized: Callable[[Rule, str], Mapping[str, int] | None],
) -> Way:
    def moves() -> Iterator[Move | str]:
        for name in extents:
            found = ((rule, to, sized(rule, name)) for rule in map_.rules if (to := renamed(rule, name)) is not None)
            yield next((Move(name, to, rule, s) for rule, to, s in found if s is not None), name)

    made = list(moves())
    good = tuple(move for move in made if isinstance(move, Move))
    used = {(move.rule.ours.text, move.rule.theirs.text) for move in good}
    strange = tuple(name for name in made if isinstance(name, str))
    fits = all(extents.get(name, e) == e for name, e in map_.marks.items())
    return Way(map_, good, strange, len(map_.rules) - len(used), fits)


def _way(ways: Sequence[Way]) -> Way:
    """The one map that knows every tensor, and has the fewest rules that nothing needs."""
    best = max(ways, key=lambda way: (not way.strange, way.fits, len(way.moves), -way.unused))
    if best.strange or not best.moves:
        raise _unknown(best)
    after = [move.after for move in best.moves]
    if len(set(after)) < len(after):
        raise data_error("E0609", message="two tensors would have one name", advice="give --family, or --program FILE")
    equals = [way for way in ways if (way.strange, way.fits, way.unused) == ((), best.fits, best.unused)]
    rivals = [way for way in equals if _names(way) != _names(best)]
    if rivals:
        names = ", ".join(f"`{way.map.name}`" for way in (best, *rivals))
        raise data_error("E0609", message=f"the names fit several families: {names}", advice="say which: --family NAME")
    return best


def _names(way: Way) -> list[tuple[str, str]]:
    return [(move.before, move.after) for move in way.moves]


def _unknown(best: Way) -> DataError:
    names = ", ".join(f"`{shown(name)}`" for name in best.strange[:FEW])
    more = len(best.strange) - FEW
    because = f"`{best.map.name}`, which knows most, does not know {names}" + (f" and {more} more" if more > 0 else "")
    message = "no family knows all tensors of the file" if best.strange else "the file has no tensors"
    advice = "give --program FILE, or look at its names with `indexlang weights show`"
    return data_error("E0609", message=message, because=[because] if best.strange else [], advice=advice)


def _read(array: Array, move: Move) -> Array:
    _clear(array, move)
    moved = array if move.rule.layout is None else move.rule.layout.to_ours(array, move.sizes)
    return moved if move.rule.sign == 1 else np.negative(moved)


def _written(array: Array, move: Move) -> Array:
    moved = array if move.rule.layout is None else move.rule.layout.to_theirs(array, move.sizes)
    return moved if move.rule.sign == 1 else np.negative(moved)


def _clear(array: Array, move: Move) -> None:
    """Groups do not show in torch's axes: (128, 4, 3, 3) may be 32 groups of 4 features, or a plain layer of 4."""
    if move.rule.reads is not None and GROUP not in move.sizes:
        raise data_error(
            "E0609",
            message=f"the axes of `{shown(move.before)}` do not say whether it has groups",
            advice="give the program that it is for: --program FILE, with its -D",
        )
