"""How much memory a program takes, compared with what there is before any of it is taken."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from indexlang.ir.equation import Program, Role, Tensor
from indexlang.run.places import bytes_of
from indexlang.run.plan import Plan
from indexlang.text.diagnostics import DataError, data_error

_GIVEN = (Role.INPUT, Role.PARAM, Role.STATE)
_NO_LIMIT = 1 << 62


def check_memory(program: Program) -> None:
    """Refuse a program of which one tensor alone cannot be held, before it is planned (E0901)."""
    for t in program.tensors:
        if bytes_of(t) > memory_limit():
            raise _too_large(t.name, bytes_of(t), 0)


def check_values(tensors: Iterable[Tensor]) -> None:
    """Refuse values that cannot be held together, before the first of them is made (E0901)."""
    sizes = {t.name: bytes_of(t) for t in tensors}
    _check(sizes, sum(sizes.values()))


def check_plan(plan: Plan, outputs: Iterable[str], held: Iterable[str]) -> None:
    """Refuse a run whose tensors cannot all be held, before its arena is taken (E0901).

    outputs  the tensors that are returned
    held     parameters and states that are in memory already, as all inputs are: a limit that is stated counts them,
             what is free does not
    What lives at once is the arena, in which tensors follow each other, what is made of parameters once and kept, the
    outputs, the inputs, parameters and states.
    """
    program = plan.program
    sizes = {t.name: bytes_of(t) for t in program.tensors if t.view is None}
    inputs = (t.name for t in program.with_role(Role.INPUT))
    there = {*inputs, *held} if stated_limit() is None else set[str]()
    given = [t.name for role in _GIVEN for t in program.with_role(role) if t.name not in there]
    counted = {n: sizes[n] for n in {*given, *outputs, *plan.places, *plan.kept} if n in sizes}
    apart = {*given, *outputs} & counted.keys()
    _check(counted, sum(counted[n] for n in apart) + plan.arena + plan.kept_bytes)


def stated_limit() -> int | None:
    """What the environment variable INDEXLANG_MEMORY allows a run."""
    stated = os.environ.get("INDEXLANG_MEMORY", "")
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 30 else None


def memory_limit() -> int:
    """Bytes a run may take: INDEXLANG_MEMORY, or what the machine and the group of this process have free."""
    stated = stated_limit()
    return stated if stated is not None else min(_free_of_machine(), _free_of_group())


def _free_of_machine() -> int:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _NO_LIMIT


def _free_of_group() -> int:
    """What a container may still take, where that is less."""
    found = [next(_lines(f"/sys/fs/cgroup/memory.{word}"), "max").strip() for word in ("max", "current")]
    return max(int(found[0]) - int(found[1]), 0) if all(word.isdigit() for word in found) else _NO_LIMIT


def _lines(path: str) -> Iterator[str]:
    try:
        return iter(Path(path).read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return iter(())


def _check(sizes: dict[str, int], together: int) -> None:
    if sizes and together > memory_limit():
        largest = max(sizes, key=lambda n: (sizes[n], n))
        raise _too_large(largest, sizes[largest], together)


def _too_large(tensor: str, size: int, together: int) -> DataError:
    """`together` is 0 where the tensor alone is too large."""
    limit = memory_limit()
    free = f"{_told(limit)} are {'free' if stated_limit() is None else 'allowed'}"
    all_of_it = f"and all that lives at once {_told(together)}, " if together > size else ""
    return data_error("E0901", tensor=tensor, needed=_told(size), limit_text=f"{all_of_it}but only {free}")


def _told(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} PiB" if size < 10**9 else "more than 10^9 PiB"
