"""How much memory a program takes, compared with what there is before any of it is taken."""

import os

from indexlang.ir.equation import Program
from indexlang.text.diagnostics import data_error


def check_memory(program: Program) -> None:
    """Refuse a program whose largest tensor, or whose inputs and parameters together, cannot be held (E0901)."""
    sizes = {t.name: int(t.elements) * t.dtype.size for t in program.tensors}  # type: ignore[arg-type]
    if not sizes:
        return
    limit = memory_limit()
    largest = max(sizes, key=lambda n: sizes[n])
    if sizes[largest] > limit:
        raise data_error(
            "E0901", tensor=largest, needed=_told(sizes[largest]), limit_text=f"but only {_told(limit)} are free"
        )


def memory_limit() -> int:
    """Bytes a run may take: INDEXLANG_MEMORY, or what the machine has free."""
    stated = os.environ.get("INDEXLANG_MEMORY", "")
    if stated.isdigit():
        return int(stated)
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 1 << 62


def _told(size: int) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size} PiB" if size < 10**9 else "more than 10^9 PiB"
