"""Rebuilding syntax trees: names replaced, parts rewritten."""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import is_
from typing import Any, TypeVar

from indexlang.syntax.ast import part_names

Node = TypeVar("Node")


def rewritten(node: Node, rule: Callable[[Any], Any]) -> Node:
    """`node` with `rule` applied to every node inside it, parts first; the same object where nothing changes."""
    changes: dict[str, Any] | None = None
    for name in part_names(type(node)):
        old: Any = getattr(node, name)
        if old is None:
            continue
        new = _all(old, rule) if isinstance(old, tuple) else rewritten(old, rule)  # pyright: ignore[reportUnknownArgumentType]
        if new is not old:
            changes = changes or {}
            changes[name] = new
    return rule(_with(node, changes) if changes else node)


def _with(node: Node, changes: dict[str, Any]) -> Node:
    """`dataclasses.replace`, which takes several times as long."""
    return type(node)(*[changes[n] if n in changes else getattr(node, n) for n in _field_names(type(node))])


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    assert all(f.init for f in fields(kind))
    return tuple(f.name for f in fields(kind))


def _all(old: tuple[Any, ...], rule: Callable[[Any], Any]) -> tuple[Any, ...]:
    new = tuple([rewritten(item, rule) for item in old])
    return old if all(map(is_, new, old)) else new
