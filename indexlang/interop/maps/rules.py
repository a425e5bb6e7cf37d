"""A map as data: which tensor of a file is which of a program, and how its numbers stand there.

A file of this folder is a family of networks. `kinds.toml` says what a layer has; a family says which layers it has:

    [[package]]
    kind = "conv"                     a table of kinds.toml, or several to choose from by their extents
    ours = "layer_{l}.{k}.conv{n}"    the package of the program
    theirs = "layer{l}.{k}.conv{n}"   the module of the file; a list: the first is written, all are read
    norm = "layer{l}.{k}.bn{n}"       where the batch norm of the same package is
    sizes = { x = 6, y = 6 }          sizes that extents do not tell
    reads = "layer{l}.{k}.conv1"      the module whose features a convolution reads: their number tells its groups
    words = { b = { a = "branch1" } } where the sides use other words: ours = theirs

`leave` lists names of the file that the program has no use for. `resize` is how many pixels the shorter side of a picture
had, before its centre was cut out, for the weights that are published under these names. Where the numbers of a family follow no pattern, each
`[[variant]]` is a map of its own: its table `places` says what `{at}` is, on our side = in the file; `norm = false` says that
it has no batch norms; `marks` has extents of our tensors that only this variant has, where names do not tell.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from indexlang.interop.maps.layouts import NO_SIZES, Extents, Layout, layout
from indexlang.interop.maps.patterns import Pattern, Values, pattern

FOLDER = Path(__file__).parent
KINDS = FOLDER / "kinds.toml"
ENDING = ".toml"
PLACE, NEXT_PLACE = "{at}", "{at+1}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Names on both sides, axes, and whether the numbers are negated. No layout: the axes are the same, as many as come.

    reads  the weights in the file whose first axis is the features that this convolution reads, where it may have groups
    """

    ours: Pattern
    theirs: Pattern
    layout: Layout | None
    sign: int
    sizes: Mapping[str, int]
    words: Mapping[str, Mapping[str, str]]
    reads: Pattern | None = None

    def their_name(self, ours: str) -> str | None:
        """What our tensor `ours` is called in the file, or None where the rule is not about it."""
        values = self.ours.values(ours)
        return None if values is None else _put(self.theirs, values, self.words)

    def our_name(self, theirs: str) -> str | None:
        """What the file's entry `theirs` is called here, or None where the rule is not about it."""
        values = self.theirs.values(theirs)
        back = {name: {b: a for a, b in table.items()} for name, table in self.words.items()}
        return None if values is None else _put(self.ours, values, back)


@dataclass(frozen=True, slots=True)
class Map:
    """A family: its rules in order of preference, the names that are left out, and extents that only it has.

    resize  to how many pixels the shorter side of its pictures is scaled
    """

    name: str
    rules: tuple[Rule, ...]
    leave: tuple[Pattern, ...] = ()
    marks: Mapping[str, Extents] = field(default_factory=dict[str, Extents])
    resize: int | None = None

    def __repr__(self) -> str:
        return f"Map({self.name}, {len(self.rules)} rules)"


def _put(into: Pattern, values: Values, words: Mapping[str, Mapping[str, str]]) -> str | None:
    said = {name: words[name].get(value) if name in words else value for name, value in values.items()}
    return None if None in said.values() else into.name({name: value or "" for name, value in said.items()})


OWN = Map("indexlang", (Rule(pattern("{*}"), pattern("{*}"), None, 1, NO_SIZES, {}),))


@cache
def families() -> tuple[Map, ...]:
    """All maps of this folder, by name."""
    paths = sorted(path for path in FOLDER.glob(f"*{ENDING}") if path != KINDS)
    return tuple(map_ for path in paths for map_ in read_maps(path.stem, path.read_text(encoding="utf-8")))


def read_maps(name: str, text: str) -> tuple[Map, ...]:
    """The maps that `text` writes. Raises ValueError or KeyError where it is wrong: a map is part of the program."""
    given = tomllib.loads(text)
    leave = tuple(pattern(text) for text in given.get("leave", ()))
    variants = given.get("variant", [{"name": name, "places": {}}])
    return tuple(
        Map(
            v["name"],
            tuple(_all_rules(given["package"], v)),
            leave,
            {n: tuple(e) for n, e in v.get("marks", {}).items()},
            given.get("resize"),
        )
        for v in variants
    )


def _all_rules(packages: Iterable[Mapping[str, Any]], variant: Mapping[str, Any]) -> Iterator[Rule]:
    with_norm = variant.get("norm", True)
    for package in packages:
        for one in _placed(package, variant["places"]):
            yield from _rules(one, _listed(one["kind"]), one["theirs"])
            yield from _rules(one, ["batchnorm"], one.get("norm", []) if with_norm else [])


def _placed(package: Mapping[str, Any], places: Mapping[str, int]) -> Iterator[Mapping[str, Any]]:
    """A package for each place, where it speaks of places."""
    if PLACE not in package["ours"]:
        yield package
        return
    for here, there in places.items():
        theirs = {
            key: [
                module.replace(PLACE, str(there)).replace(NEXT_PLACE, str(there + 1))
                for module in _listed(package[key])
            ]
            for key in ("theirs", "norm")
            if key in package
        }
        yield {**package, **theirs, "ours": package["ours"].replace(PLACE, here)}


@cache
def _kinds() -> dict[str, Any]:
    return tomllib.loads(KINDS.read_text(encoding="utf-8"))


def _rules(package: Mapping[str, Any], kinds: list[str], modules: str | list[str]) -> Iterator[Rule]:
    words = package.get("words", {})
    for kind in kinds:
        for part, about in _kinds()[kind].items():
            for module in _listed(modules):
                ours, theirs = pattern(f"{package['ours']}.{part}"), pattern(f"{module}.{about['theirs']}")
                if ours.names != theirs.names or any(len(set(t.values())) < len(t) for t in words.values()):
                    raise ValueError(f"`{ours.text}` and `{theirs.text}` do not follow from each other")
                sign, sizes = about.get("sign", 1), package.get("sizes", NO_SIZES)
                reads = pattern(f"{package['reads']}.{about['theirs']}") if "grouped" in kinds and part == "W" else None
                yield Rule(ours, theirs, layout(about["layout"]), sign, sizes, words, reads)


def _listed(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else given
