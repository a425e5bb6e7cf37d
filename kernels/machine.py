"""What this computer is: its vectors, caches and cores, and an LLVM target machine for it. Needs llvmlite only."""

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import llvmlite.binding as llvm

# Part of every cache key: raise it when the meaning of stored object code changes (worker ABI, walker table, tiles).
FORMAT = 3

# LLVM halves the vectors of some processors with AVX-512, for the sake of code that uses few of them. Ours uses many.
_WHOLE_VECTORS = ",-prefer-256-bit"


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that schedules depend on.

    vector_bytes      widest vector worth using: 64 (AVX-512), 32 (AVX), 16 (SSE, NEON)
    vector_registers  how many of them the processor names
    cores             processors this process may run on
    l1, l2, l3        data cache sizes in bytes (l1 and l2 of one core, l3 shared); usual sizes where unreadable
    """

    vector_bytes: int
    vector_registers: int
    cores: int
    l1: int
    l2: int
    l3: int

    def lanes(self, itemsize: int) -> int:
        """How many elements of `itemsize` bytes one vector holds."""
        return self.vector_bytes // itemsize


@cache
def machine() -> Machine:
    """This computer. `INDEXLANG_VECTOR_BYTES` (16, 32, 64) makes the vectors narrower, for tests."""
    widest, registers = _vectors(_features())
    wanted = os.environ.get("INDEXLANG_VECTOR_BYTES", "")
    width = min(widest, int(wanted)) if wanted in ("16", "32", "64") else widest
    return Machine(
        width, registers, _cores(), _cache_bytes(1, 32 << 10), _cache_bytes(2, 512 << 10), _cache_bytes(3, 0)
    )


@cache
def cpu_key() -> str:
    """Everything outside the source text that object code depends on, as one line for cache keys.

    The processor with its features, the operating system's triple, the versions of the compilers (read from their
    package data: numba is not imported), and the vector width in force.
    """
    versions = " ".join(f"{name}-{_version(name)}" for name in ("llvmlite", "numba"))
    llvm_version = ".".join(map(str, llvm.llvm_version_info))
    width = machine().vector_bytes
    return f"{FORMAT} {_triple()} {_cpu()} {_features()} llvm-{llvm_version} {versions} vector-{width}"


@cache
def target_machine() -> llvm.TargetMachine:
    """An LLVM target machine for this processor, generating code to be loaded into this process."""
    return new_target_machine()


def new_target_machine() -> llvm.TargetMachine:
    """The same, for one thread alone."""
    initialize()
    target = llvm.Target.from_triple(_triple())
    is_x86 = _triple().startswith(("x86", "i686"))
    return target.create_target_machine(
        cpu=_cpu(),
        features=_features() + (_WHOLE_VECTORS if is_x86 else ""),
        opt=3,
        reloc="static" if is_x86 else "default",
        codemodel="jitdefault",
        jit=True,
    )


@cache
def initialize() -> None:
    """Make LLVM's native target usable (once a process)."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@cache
def _triple() -> str:
    return llvm.get_process_triple()


@cache
def _cpu() -> str:
    return llvm.get_host_cpu_name()


@cache
def _features() -> str:
    initialize()
    return llvm.get_host_cpu_features().flatten()


def _vectors(features: str) -> tuple[int, int]:
    """Vector bytes and registers, from LLVM's feature list."""
    have = set(features.split(","))
    if "+avx512f" in have and "+avx512vl" in have:
        return 64, 32
    if "+avx2" in have and "+fma" in have:
        return 32, 16
    return (16, 32) if "+neon" in have else (16, 16)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cache_bytes(level: int, usual: int) -> int:
    """Size of the data cache at `level`, as Linux tells it; `usual` where it does not."""
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, at, size = ((folder / name).read_text().strip() for name in ("type", "level", "size"))
            if kind in ("Data", "Unified") and int(at) == level:
                return int(size.removesuffix("K")) << 10 if size.endswith("K") else int(size)
        except (OSError, ValueError):
            continue
    return usual


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
