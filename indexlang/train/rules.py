"""Optimisers and schedules: functions of the language, from `optim.idx` or a file of the user's."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from indexlang.reading import read_source
from indexlang.syntax import ast
from indexlang.syntax.parse import parse
from indexlang.syntax.rewrite import rewritten
from indexlang.text.diagnostics import ProgramError, data_error, program_error
from indexlang.text.names import did_you_mean
from indexlang.text.source import Source

# What an optimiser may ask for beside the parameter and its gradient, each a number of the step.
NUMBERS = ("rate", "t", "decay", "steps")
PREFIX = "optim."  # of every name that training adds to a program: a text cannot define them by accident


@dataclass(frozen=True, slots=True)
class Rule:
    """A function of training, and all that it calls, under names that no program has.

    takes     the numbers it asks for, in order       constants  what may be set, as `beta`
    has_memory  whether it remembers something of each parameter
    """

    name: str
    defs: tuple[ast.Def, ...]
    takes: tuple[str, ...]
    constants: tuple[str, ...]
    has_memory: bool


def optimizer(name: str) -> Rule:
    """The optimiser of this name, or of a file: its only function, or the one that is named like the file.

    Raises DataError E0820 where there is none, E0701; ProgramError for a mistake in the file, E0823 for a wrong head.
    """
    defs = _of_file(Path(name)) if name.endswith(".idx") else _of_library()
    found = _chosen(defs, Path(name).stem if name.endswith(".idx") else name)
    if found is None or not _is_optimizer(found):
        raise _unknown("optimizer", name, (d.name for d in _of_library() if _is_optimizer(d)))
    takes = tuple(p.name for p in found.params[2:] if isinstance(p, ast.TensorParam | ast.PackageParam))
    has_memory = any(isinstance(s, ast.State) for s in found.body)
    numbers = takes[:-1] if has_memory or (takes[-1:] and takes[-1] not in NUMBERS) else takes
    _check_numbers(found, numbers, NUMBERS)
    return _rule(found, defs, numbers, has_memory)


def schedule(name: str) -> Rule:
    """The schedule of this name. Raises DataError E0820 where there is none."""
    defs = _of_library()
    found = _chosen(defs, name)
    if found is None or _is_optimizer(found):
        raise _unknown("schedule", name, (d.name for d in defs if not _is_optimizer(d)))
    return _rule(found, defs, tuple(p.name for p in found.params), False)


def _rule(found: ast.Def, defs: tuple[ast.Def, ...], takes: tuple[str, ...], has_memory: bool) -> Rule:
    names = {d.name for d in defs}

    def own(node: object) -> object:
        match node:
            case ast.Call() | ast.Def() if node.name in names:
                return replace(node, name=PREFIX + node.name)
            case _:
                return node

    constants = tuple(p.keyword for p in found.params if isinstance(p, ast.ConstantParam))
    needed = tuple(rewritten(d, own) for d in _reached(found, defs))
    return Rule(PREFIX + found.name, needed, takes, constants, has_memory)


def _reached(found: ast.Def, defs: tuple[ast.Def, ...]) -> tuple[ast.Def, ...]:
    """A function and the functions of its file that it calls."""
    out: dict[str, ast.Def] = {}
    waiting = [found]
    while waiting:
        d = waiting.pop()
        if d.name not in out:
            out[d.name] = d
            called = {n.name for part in (*d.body, d.result) for n in ast.nodes(part) if isinstance(n, ast.Call)}
            waiting += [other for other in defs if other.name in called]
    return tuple(out.values())


def _is_optimizer(d: ast.Def) -> bool:
    """Whether a function takes a parameter and its gradient, both with all their axes."""
    first = d.params[:2]
    return len(first) == 2 and all(
        isinstance(p, ast.TensorParam) and len(p.axes) == 1 and isinstance(p.axes[0], ast.Pack) for p in first
    )


def _check_numbers(d: ast.Def, asked: tuple[str, ...], known: tuple[str, ...]) -> None:
    wrong = next((name for name in asked if name not in known), None)
    if wrong is not None:
        place = next(p.span for p in d.params if getattr(p, "name", "") == wrong)
        raise program_error("E0823", place, name=wrong, known=", ".join(known))


def _chosen(defs: tuple[ast.Def, ...], name: str) -> ast.Def | None:
    named = [d for d in defs if d.name == name]
    return named[0] if named else defs[0] if len(defs) == 1 else None


def _unknown(kind: str, name: str, known: Iterable[str]) -> Exception:
    names = tuple(known)
    if name.endswith(".idx"):
        head = "def NAME(W[I...], g[I...], rate, …)"
        advice = f"write one function of the form `{head}`, or name it like the file"
        return data_error("E0820", kind=kind, name=name, advice=advice)
    advice = did_you_mean(name, names, f"there are {', '.join(names)}")
    return data_error("E0820", kind=kind, name=name, advice=advice)


def _of_file(path: Path) -> tuple[ast.Def, ...]:
    return _defs(read_source(path))


@cache
def _of_library() -> tuple[ast.Def, ...]:
    return _defs(Source("optim.idx", files("indexlang.train").joinpath("optim.idx").read_text(encoding="utf-8")))


def _defs(source: Source) -> tuple[ast.Def, ...]:
    module, found = parse(source)
    if found:
        raise ProgramError(found)
    return tuple(s for s in module.statements if isinstance(s, ast.Def))


__all__ = ["NUMBERS", "PREFIX", "Rule", "optimizer", "schedule"]
