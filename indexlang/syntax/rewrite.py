"""Rebuilding syntax trees: names replaced, parts rewritten."""

from collections.abc import Callable
from dataclasses import replace
from operator import is_
from typing import Any, TypeVar

from indexlang.syntax.ast import part_names

Node = TypeVar("Node")


def rewritten(node: Node, rule: Callable[[Any], Any]) -> Node:
    """`node` with `rule` applied to every node inside it, parts first; the same object where nothing changes."""
    changes: dict[str, Any] = {}
    for name in part_names(type(node)):
        old: Any = getattr(node, name)
        if old is None:
            continue
        new = _all(old, rule) if isinstance(old, tuple) else rewritten(old, rule)  # pyright: ignore[reportUnknownArgumentType]
        if new is not old:
            changes[name] = new
    return rule(replace(node, **changes) if changes else node)  # type: ignore[type-var]


def _all(old: tuple[Any, ...], rule: Callable[[Any], Any]) -> tuple[Any, ...]:
    new = tuple([rewritten(item, rule) for item in old])
    return old if all(map(is_, new, old)) else new
