"""Which equations are drawn as one: those of a layer's call, and those of one tensor.

before   L1.Conv[…] = sum …     L1.scale[…] = …     L1[…] = …
after    (L1.Conv)              (L1.scale, L1: the call of BatchNorm that computes L1)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from indexlang.ir.equation import Call, Equation
from indexlang.ir.expr import reads

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Equations that are drawn as one node; `call` is the layer that they belong to."""

    equations: tuple[Equation, ...]
    call: Call | None

    @property
    def targets(self) -> tuple[str, ...]:
        """The tensors that it defines, each once, in order."""
        return tuple(dict.fromkeys(e.target for e in self.equations))

    @property
    def name(self) -> str:
        """The tensor that it ends with: what its last equation gives."""
        return self.equations[-1].target

    @property
    def read(self) -> tuple[str, ...]:
        """The tensors of others that it reads, in order."""
        found = (r.tensor for e in self.equations for part in (*e.left, e.body) for r in reads(part))
        own = set(self.targets)
        return tuple(n for n in dict.fromkeys(found) if n not in own)


def grouped(equations: tuple[Equation, ...]) -> tuple[Group, ...]:
    """The groups, each after those whose tensors it reads. Cost: linear in the number of accesses."""
    around = {_path(e.calls[:n]) for e in equations for n in range(len(e.calls))}
    whole: dict[Key, list[Equation]] = {}
    calls: dict[Key, Call] = {}
    owners: dict[str, Key] = {}
    for e in equations:
        key, call = _layer(e, around)
        key = owners.setdefault(e.target, key)
        whole.setdefault(key, []).append(e)
        if call is not None:
            calls.setdefault(key, call)
    groups = {key: Group(tuple(es), calls.get(key)) for key, es in whole.items()}
    order, left = _ordered(groups, owners)
    if not left:
        return tuple(groups[key] for key in order)
    # A call that differentiates inside reads what is computed outside of it: its equations are drawn one by one.
    return grouped(tuple(_alone(e) if owners[e.target] in left else e for e in equations))


def _alone(e: Equation) -> Equation:
    return Equation(e.target, e.indices, e.left, e.accumulates, e.body, e.span, e.part)


def _path(calls: Iterable[Call]) -> Key:
    return tuple(c.result for c in calls)


def _layer(e: Equation, around: set[Key]) -> tuple[Key, Call | None]:
    """The call that an equation is drawn with: the outermost of the prelude's, or one that calls nothing itself."""
    for n, call in enumerate(e.calls, 1):
        path = _path(e.calls[:n])
        if call.is_library or (n == len(e.calls) and path not in around):
            return ("call", *path), call
    return ("tensor", e.target), None


def _ordered(groups: dict[Key, Group], owners: dict[str, Key]) -> tuple[list[Key], set[Key]]:
    """The keys so that each comes after all it reads, and those that a cycle holds back."""
    waits = {key: {owners[n] for n in g.read if n in owners} for key, g in groups.items()}
    readers: dict[Key, list[Key]] = {key: [] for key in groups}
    for key, others in waits.items():
        for other in sorted(others):
            readers[other].append(key)
    count = {key: len(others) for key, others in waits.items()}
    order = [key for key in groups if not count[key]]
    for key in order:
        for reader in readers[key]:
            count[reader] -= 1
            if not count[reader]:
                order.append(reader)
    return order, groups.keys() - set(order)
