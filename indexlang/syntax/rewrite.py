"""Rebuilding syntax trees: names replaced, parts rewritten."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from indexlang.syntax.ast import part_names
from indexlang.text.source import Span

Node = TypeVar("Node")


def rewritten(node: Node, rule: Callable[[Any], Any]) -> Node:
    """`node` with `rule` applied to every node inside it, parts first; the same object where nothing changes."""
    changes: dict[str, Any] = {}
    for name in part_names(type(node)):
        old = getattr(node, name)
        new = _part(old, rule)
        if new is not old:
            changes[name] = new
    return rule(replace(node, **changes) if changes else node)  # type: ignore[type-var]


def _part(value: Any, rule: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple):
        new = tuple(_part(item, rule) for item in value)  # pyright: ignore[reportUnknownVariableType]
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value  # pyright: ignore
    if hasattr(value, "span") and not isinstance(value, Span):
        return rewritten(value, rule)
    return value
