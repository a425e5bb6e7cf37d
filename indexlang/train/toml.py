"""Settings as TOML: flat values, and tables of numbers. Python reads TOML, and does not write it."""

from collections.abc import Mapping
from typing import Any, cast

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def to_toml(settings: Mapping[str, Any]) -> str:
    """One line a setting; tables come last, as TOML wants them."""
    flat = [f"{_key(n)} = {_value(v)}" for n, v in settings.items() if not isinstance(v, Mapping)]
    inside = {n: cast(Mapping[str, Any], v) for n, v in settings.items() if isinstance(v, Mapping)}
    tables: list[str] = []
    for name, entries in inside.items():
        tables += ["", f"[{_key(name)}]", *(f"{_key(k)} = {_value(v)}" for k, v in entries.items())]
    return "\n".join([*flat, *tables]) + "\n"


def _key(name: str) -> str:
    is_bare = bool(name) and all(c.isascii() and (c.isalnum() or c in "_-") for c in name)
    return name if is_bare else _text(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case str():
            return _text(value)
        case _:
            return "[" + ", ".join(_value(v) for v in value) + "]"


def _float(value: float) -> str:
    return repr(value) if value == value and abs(value) != float("inf") else f"{value:f}"


def _text(value: str) -> str:
    escaped = "".join(_ESCAPES.get(c, c if c.isprintable() else f"\\U{ord(c):08X}") for c in value)
    return f'"{escaped}"'


__all__ = ["to_toml"]
