"""How the axes of a tensor elsewhere become those of ours: `j i x y -> x y i j`.

Left stand the axes of the file, right those of the program. A letter is an axis, `1` an axis of one element, and letters in
brackets are one axis, the last letter fastest: `(g j) i x y -> x y g i j` splits the first axis into groups.
Sizes follow from the extents of both sides; where only one is known, those of a bracket may have to be given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Extents = tuple[int, ...]
Sizes = dict[str, int]
Axis = tuple[str, ...]
Axes = tuple[Axis, ...]

NO_SIZES: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Layout:
    """Axes in the file and in the program; each axis is the letters that it is made of, none for `1`."""

    theirs: Axes
    ours: Axes

    def sizes(self, theirs: Extents | None, ours: Extents | None, given: Mapping[str, int]) -> Sizes | None:
        """The size of every letter, or None where the extents cannot be these axes or leave a letter open."""
        known = dict(given)
        sides = [(axes, e) for axes, e in ((self.theirs, theirs), (self.ours, ours)) if e is not None]
        for axes, extents in sides * 2:  # twice: what the second side says may settle a bracket of the first
            if len(axes) != len(extents):
                return None
            for axis, extent in zip(axes, extents, strict=True):
                if not _settle(axis, extent, known):
                    return None
        return known if all(letter in known for axis in self.ours for letter in axis) else None

    def to_ours(self, array: Array, sizes: Mapping[str, int]) -> Array:
        """An array of the file as the program has it: C-contiguous. `sizes` as `sizes()` gives them."""
        return _moved(array, self.theirs, self.ours, sizes)

    def to_theirs(self, array: Array, sizes: Mapping[str, int]) -> Array:
        """An array of the program as the file has it: C-contiguous."""
        return _moved(array, self.ours, self.theirs, sizes)


def layout(text: str) -> Layout:
    """The layout that `text` writes. Raises ValueError unless both sides have the same letters, each once."""
    theirs, arrow, ours = text.partition("->")
    found = Layout(_axes(theirs), _axes(ours))
    letters = [sorted(letter for axis in side for letter in axis) for side in (found.theirs, found.ours)]
    if not arrow or letters[0] != letters[1] or len(set(letters[0])) < len(letters[0]):
        raise ValueError(f"`{text}` is no layout of axes")
    return found


def _axes(text: str) -> Axes:
    axes: list[Axis] = []
    for part in text.replace("(", " (").replace(")", ") ").split(") "):
        alone, _, group = part.partition("(")
        axes += [() if letter == "1" else (letter,) for letter in alone.split()]
        axes += [tuple(group.split())] if group.strip() else []
    return tuple(axes)


def _settle(axis: Axis, extent: int, known: Sizes) -> bool:
    """Take what an extent says of the letters of its axis; whether it can be."""
    open_letters = [letter for letter in axis if letter not in known]
    rest = _product((letter for letter in axis if letter in known), known)
    if not open_letters:
        return rest == extent
    if len(open_letters) == 1:
        if rest == 0 or extent % rest:
            return False
        known[open_letters[0]] = extent // rest
    return True


def _product(letters: Any, sizes: Mapping[str, int]) -> int:
    found = 1
    for letter in letters:
        found *= sizes[letter]
    return found


def _moved(array: Array, before: Axes, after: Axes, sizes: Mapping[str, int]) -> Array:
    letters = [letter for axis in before for letter in axis]
    order = [letters.index(letter) for axis in after for letter in axis]
    split = array.reshape([sizes[letter] for letter in letters])
    return np.ascontiguousarray(split.transpose(order)).reshape([_product(axis, sizes) for axis in after])
