"""The functions of a loaded module take the code of a changed text: nothing has to be imported or collected again."""

import functools
import gc
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

_PLAIN = (bool, int, float, str, tuple, frozenset)


def swap(module: ModuleType, source: str) -> bool:
    """Make `module` do what `source` says; False where neither a function nor a plain constant differs.

    What was computed so far is forgotten: results that are kept would be those of the module as it was.
    """
    code = compile(source, str(module.__file__), "exec")
    before = compile(_text(module), str(module.__file__), "exec")
    changed = {name for name, c in _codes(code) if (name, c) not in set(_codes(before))}
    done = False
    for function in [f for f in gc.get_objects() if isinstance(f, FunctionType) and f.__module__ == module.__name__]:
        if function.__qualname__ in changed:
            now = [c for name, c in _codes(code) if name == function.__qualname__ and _like(c, function.__code__)]
            if len(now) == 1:
                function.__code__ = now[0]
                done = True
    done = done or _constants(module, code)
    for cached in [c for c in gc.get_objects() if isinstance(c, functools._lru_cache_wrapper)]:  # pyright: ignore[reportPrivateUsage]
        if str(getattr(cached, "__module__", "")).startswith("indexlang"):
            cached.cache_clear()
    return done


def _text(module: ModuleType) -> str:
    with open(str(module.__file__), encoding="utf-8") as file:
        return file.read()


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for c in code.co_consts:
        if isinstance(c, CodeType):
            yield c.co_qualname, c
            yield from _codes(c)


def _like(new: CodeType, old: CodeType) -> bool:
    return new.co_firstlineno == old.co_firstlineno and new.co_freevars == old.co_freevars


def _constants(module: ModuleType, code: CodeType) -> bool:
    """Plain values at the top of the module that are others now, in every module that has them."""
    space: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(code, space)
    names = [n for n, v in vars(module).items() if isinstance(v, _PLAIN) and n in space and not n.startswith("__")]
    others = [n for n in names if _differ(vars(module)[n], space[n])]
    for name in others:
        old = vars(module)[name]
        for other in [module, *(m for n, m in sys.modules.items() if n.startswith("indexlang"))]:
            if vars(other).get(name) is old:
                setattr(other, name, space[name])
    return bool(others)


def _differ(old: Any, new: Any) -> bool:
    return type(old) is not type(new) or (isinstance(old, bool | int | float | str) and old != new)
