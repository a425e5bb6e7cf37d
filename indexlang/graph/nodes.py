"""The graph of a program: what is computed, and what it is computed from."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a node is; pictures tell them apart."""

    INPUT = "input"
    PARAM = "param"  # drawn only where nothing else is there to begin with
    CONTRACTION = "contraction"  # sums of products: where the multiply-adds are
    JOIN = "join"  # several tensors side by side in one
    STEP = "step"  # everything else


@dataclass(frozen=True, slots=True)
class Node:
    """A tensor, the result of a call, or what a chain of pointwise steps makes of either.

    name   the tensor that the node ends with     title  what makes it: `Conv 3×3, 64`
    then   pointwise steps that follow, in order  extents  of the tensor, `1×55×55×96`
    text   its equations, for who wants to know   is_output  whether the program returns the tensor
    """

    name: str
    kind: Kind
    title: str
    then: tuple[str, ...]
    extents: str
    text: str
    is_output: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in an order in which they can be computed, and edges as pairs of their numbers, the earlier one first."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]
