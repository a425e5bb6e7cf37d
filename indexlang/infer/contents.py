"""What stands in an equation: its calls, its names, its kinds of parts. Asked at every step, found once."""

from dataclasses import dataclass, field

from indexlang.syntax import ast
from indexlang.text.values import immutable


@immutable
class Contents:
    """Of one equation, as it is written.

    names    in it, tensors and indices alike       letters  in subscripts and reduction lists of the right side
    counted  that reductions of the right side bind
    """

    calls: tuple[ast.Call, ...]
    derivatives: tuple[ast.Derivative, ...]
    joins: bool
    names: frozenset[str]
    letters: frozenset[str]
    counted: frozenset[str]


@dataclass
class Looked:
    """What was looked at in a text: equations (each is kept, so that its id stays its own), and names for hints."""

    compared: int = 0  # names, in looking for those like unknown ones
    found: dict[int, tuple[ast.Equation, Contents]] = field(default_factory=dict[int, tuple[ast.Equation, Contents]])

    def at(self, e: ast.Equation) -> Contents:
        """The contents of an equation. The first time linear in it."""
        known = self.found.get(id(e))
        if known is None:
            known = self.found[id(e)] = e, _contents(e)
        return known[1]


def _contents(e: ast.Equation) -> Contents:
    calls: list[ast.Call] = []
    derivatives: list[ast.Derivative] = []
    joins = False
    names: set[str] = set()
    letters: set[str] = set()
    counted: set[str] = set()
    for n in ast.nodes(e.body):
        match n:
            case ast.Name(name=name):
                names.add(name)
            case ast.Access(name=name, subscripts=subscripts):
                names.add(name)
                letters.update(_small(subscripts))
            case ast.Binder(name=name):
                names.add(name)
                letters.add(name)
                counted.add(name)
            case ast.Call():
                calls.append(n)
            case ast.Derivative():
                derivatives.append(n)
            case ast.Joined():
                joins = True
            case _:
                pass
    for part in (*(e.subscripts or ()), *e.ranges, *((e.split,) if e.split else ())):
        names.update(n.name for n in ast.nodes(part) if isinstance(n, ast.Name | ast.Access | ast.Binder))
    return Contents(
        tuple(calls), tuple(derivatives), joins, frozenset(names), frozenset(letters), frozenset(counted)
    )  # fmt: skip


def _small(subscripts: tuple[ast.Subscript, ...]) -> list[str]:
    """The names in subscripts that are no capitals."""
    return [n.name for s in subscripts for n in ast.nodes(s) if isinstance(n, ast.Name) and not n.name[0].isupper()]
