"""A program as a graph.

Parameters are left out, but for those that a picture would have no beginning without. A step that only changes each
element by itself, and is the only reader of what it changes, stands in the node before it: `Conv 3×3, 64`, `BatchNorm`, `relu`.
A copy is no step at all: who reads it reads what it copies.
"""

from dataclasses import dataclass

from indexlang.graph.groups import Group, grouped
from indexlang.graph.nodes import Graph, Kind, Node
from indexlang.graph.titles import is_copy, is_pointwise, times, title
from indexlang.ir.equation import Program, Role, Tensor
from indexlang.ir.show import show_equation, show_tensor
from indexlang.passes.dce import drop_dead
from indexlang.summary import sums_of_products

_GIVEN = {Role.INPUT: Kind.INPUT, Role.PARAM: Kind.PARAM, Role.STATE: Kind.PARAM}


def graph(program: Program) -> Graph:
    """What the outputs and the next values of a program are computed from.

    Cost: linear in the number of accesses. Extents that have no value yet stand as names.
    """
    wanted = tuple(dict.fromkeys((*program.outputs, *(following for _, following in program.updates))))
    live = drop_dead(program, wanted)
    groups = grouped(live.equations)
    return _Building(live, groups, set(program.outputs)).run()


@dataclass(slots=True)
class _Making:
    """A node before it is finished: the equations in it, the nodes it reads, the pointwise steps that follow."""

    name: str
    kind: Kind
    title: str
    text: list[str]
    sources: tuple[int, ...]
    then: list[str]


class _Building:
    def __init__(self, program: Program, groups: tuple[Group, ...], outputs: set[str]) -> None:
        self.program, self.groups, self.outputs = program, groups, outputs
        self.computed = {n for g in groups for n in g.targets}
        self.made: list[_Making] = []
        self.owner: dict[str, int] = {}  # tensor → its node
        group_of = {n: k for k, g in enumerate(groups) for n in g.targets}
        self.readers: dict[int | str, set[int]] = {}  # a group, or a tensor that is given → the groups that read it
        for k, g in enumerate(groups):
            for n in g.read:
                self.readers.setdefault(group_of.get(n, n), set()).add(k)

    def run(self) -> Graph:
        for t in self._given():
            self.owner[t.name] = len(self.made)
            self.made.append(_Making(t.name, _GIVEN[t.role], t.name, [show_tensor(t)], (), []))
        last: dict[int, int] = {}  # a node → the last group in it
        for k, g in enumerate(self.groups):
            node = self._add(g, last)
            last[node] = k if self.made[node].name == g.name else last.get(node, -1)
            self.owner.update(dict.fromkeys(g.targets, node))
        edges = {(source, n) for n, m in enumerate(self.made) for source in m.sources}
        return Graph(tuple(self._node(m) for m in self.made), tuple(sorted(edges)))

    def _given(self) -> list[Tensor]:
        """Inputs that are read; where there is none, the parameters that stand in for them."""
        found = [t for t in self.program.with_role(Role.INPUT) if t.name in self.readers or t.name in self.outputs]
        if found:
            return found
        kept = [t for t in self.program.tensors if t.role in (Role.PARAM, Role.STATE)]
        shown = {t.name for t in kept if len(self.readers.get(t.name, ())) > 1 or t.name in self.outputs}
        known = shown | self.computed
        shown |= {g.read[0] for g in self.groups if g.read and known.isdisjoint(g.read)}
        return [t for t in kept if t.name in shown]

    def _add(self, g: Group, last: dict[int, int]) -> int:
        """The node that a group becomes, or becomes a part of."""
        sources = tuple(dict.fromkeys(self.owner[n] for n in g.read if n in self.owner))
        text = [show_equation(e) for e in g.equations]
        copies = len(sources) == 1 and g.name not in self.outputs and is_copy(g)
        if len(sources) == 1 and self._follows(g, sources[0], last):
            before = self.made[sources[0]]
            before.then += [] if copies else [title(g, self.program)]
            before.text += text
            before.name = g.name
            return sources[0]
        if copies:
            return sources[0]
        self.made.append(_Making(g.name, self._kind(g), title(g, self.program), text, sources, []))
        return len(self.made) - 1

    def _follows(self, g: Group, source: int, last: dict[int, int]) -> bool:
        """Whether a group is a pointwise step behind the node `source`, and all that reads it."""
        before = self.made[source]
        if last.get(source, -1) < 0 or before.name in self.outputs or g.equations[0].part:
            return False
        if len(self.readers[last[source]]) != 1:
            return False
        same = self.program.tensor(before.name).extents == self.program.tensor(g.name).extents
        return same and is_pointwise(g, (n for n in g.read if self.owner.get(n) == source), self.program)

    def _kind(self, g: Group) -> Kind:
        if any(sums_of_products(e) for e in g.equations):
            return Kind.CONTRACTION
        is_join = g.call is None and len(g.equations) > 1 and g.equations[0].part
        return Kind.JOIN if is_join else Kind.STEP

    def _node(self, m: _Making) -> Node:
        extents = times(self.program.tensor(m.name).extents)
        return Node(m.name, m.kind, m.title, tuple(m.then), extents, "\n".join(m.text), m.name in self.outputs)
