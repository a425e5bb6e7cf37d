"""Bodies of calls, kept: a call of the same function on the same extents comes to the same equations, under other names.

Only what the body is elaborated from counts: the values of the head's names, its tensors, what the left side states.
A body that has to do with open extents is elaborated anew: their symbols belong to one call.
"""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from indexlang.infer.equations import Stated
from indexlang.infer.idle import without_idle_borders
from indexlang.infer.scope import World
from indexlang.infer.solutions import open_names
from indexlang.ir.equation import Equation, Tensor
from indexlang.ir.size import Size
from indexlang.text.source import Span

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame


@dataclass
class Body:
    """An elaborated body: what it gives, in its own names.

    result   the tensor that it returns     calls  how many calls it made, and of which functions (where these are named)
    """

    inner: "Frame"
    result: str
    calls: int = 0
    functions: frozenset[Span] = frozenset()

    @cached_property
    def equations(self) -> list[Equation]:
        """Its equations, without borders that nothing reaches."""
        tensors = self.inner.world.tensors
        return [without_idle_borders(e, lambda n: tensors[n].extents) for e in self.inner.out.equations]


@dataclass
class Bodies:
    """The bodies of a text, by what they follow from.

    entered  the functions whose bodies were entered, in order     opened  how many extents were left open so far
    """

    known: dict[Hashable, Body] = field(default_factory=dict[Hashable, Body])
    entered: list[Span] = field(default_factory=list[Span])
    opened: int = 0

    def find(self, key: Hashable, around: Collection[Span]) -> Body | None:
        """The body kept for a key; None where it calls a function that is being worked out, which is told."""
        found = self.known.get(key) if key is not None else None
        return None if found is None or not found.functions.isdisjoint(around) else found


def body_key(form: Span, world: World, values: Iterable[tuple[str, Any]], stated: Stated | None) -> Hashable:
    """What a body follows from; None where an extent is open."""
    extents = [n for t in world.tensors.values() for n in t.extents]
    given = [v for _, v in values]
    said = stated.extents if stated is not None else ()
    if any(isinstance(v, Size) and open_names(v) for v in (*extents, *given, *said)):
        return None
    constants = tuple((n, _exact(v)) for n, v in (*world.constants.items(), *values))
    tables = tuple((n, tuple(map(_exact, v))) for n, v in world.tables.items())
    tensors = tuple(map(_tensor, world.tensors.values()))
    wanted = (tuple(map(_exact, said)), stated.dtype) if stated is not None else None
    return form, constants, tables, tensors, wanted


def _tensor(t: Tensor) -> Hashable:
    return t.name, tuple(map(_exact, t.extents)), t.dtype, t.axes


def _exact(value: Any) -> Hashable:
    """A number with its type: 1, 1.0, True and the named extent 1 are equal, and mean different things."""
    if isinstance(value, tuple):
        return tuple(map(_exact, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, Size):
        return value, tuple(type(c) for _, c in value.terms)
    return type(value), str(value) if value == 0 else value  # pyright: ignore[reportUnknownVariableType]
