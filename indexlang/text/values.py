"""Values: what is made once and never changed. The type checker sees to that, so making one takes no longer than it must.

`@dataclass(frozen=True)` forbids changes when the program runs as well, and for that each field is set by a call of its
own: three times the time of making an expression, of which a compiler makes hundreds of thousands.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

Kind = TypeVar("Kind")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def immutable(kind: type[Kind]) -> type[Kind]:
    """`@dataclass(frozen=True, slots=True)` for what is made often: equal, hashed and shown by its fields."""
    return dataclass(slots=True, unsafe_hash=True)(kind)
