"""`indexlang doctor`: what this machine offers, and what stands in the way."""

import platform
import sys
from dataclasses import asdict, dataclass

import click

from indexlang import __version__
from indexlang.cli import settings
from indexlang.cli.table import bytes_told
from indexlang.cli.terminal import Progress, encoding, result, result_json
from indexlang.emit.store import Store, default_folder
from indexlang.interop.packages import version_of
from indexlang.interop.processor import processor
from indexlang.kernels.machine import machine
from indexlang.kernels.probe import copy_bandwidth, f32_peak
from indexlang.text.render import clean

PACKAGES = ("numpy", "numba", "llvmlite", "click", "pillow", "safetensors", "platformdirs")
TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Findings:
    """Facts about this machine; speeds are per second, sizes in bytes."""

    indexlang: str
    python: str
    system: str
    processor: str
    packages: dict[str, str]
    simd_bits: int
    cores: int
    caches: tuple[int, int, int]
    threading: str
    cache_folder: str | None
    cache_size: int
    f32_peak: float
    copy_bandwidth: float
    trouble: tuple[str, ...]


@click.command("doctor")
@settings.as_json_flag
def command(as_json: bool) -> None:
    """What this machine offers: versions, SIMD width, cores, cache, measured speed; and what is wrong."""
    with Progress("measuring …"):
        found = findings()
    if as_json:
        result_json({"command": "doctor", **asdict(found)})
        return
    result(clean_lines(found))


def findings() -> Findings:
    """Look at everything; takes about a second for the measurements."""
    here = machine()
    store = Store(default_folder())
    packages = {name: version_of(name) or "none" for name in PACKAGES}
    missing = tuple(f"{name} is not installed" for name, found in packages.items() if found == "none")
    return Findings(
        indexlang=__version__,
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=processor(),
        packages=packages,
        simd_bits=8 * here.vector_bytes,
        cores=here.cores,
        caches=(here.l1, here.l2, here.l3),
        threading="indexlang's own plan walker",
        cache_folder=None if store.folder is None else str(store.folder),
        cache_size=store.size(),
        f32_peak=f32_peak(here.cores),
        copy_bandwidth=copy_bandwidth(here.cores),
        trouble=(*missing, *((store.trouble,) if store.trouble else ())),
    )


def clean_lines(found: Findings) -> str:
    """The findings as text, one fact a line."""
    charset = encoding(sys.stdout)
    return "\n".join(clean(f"{name:<14}{said}".rstrip(), charset) for name, said in _lines(found))


def _lines(found: Findings) -> list[tuple[str, str]]:
    caches = ", ".join(f"L{level} {bytes_told(size)}" for level, size in enumerate(found.caches, 1) if size)
    cores = "1 core" if found.cores == 1 else f"{found.cores} cores"
    kept = f"{found.cache_folder} ({bytes_told(found.cache_size)})" if found.cache_folder else "none: kept in memory"
    return [
        ("indexlang", found.indexlang),
        ("Python", found.python),
        ("system", found.system),
        *((name, said) for name, said in found.packages.items()),
        ("processor", found.processor),
        ("SIMD", f"{found.simd_bits} bits, {found.simd_bits // 32} floats"),
        ("cores", f"{cores} for this process; {caches}"),
        ("threads", found.threading),
        ("f32 peak", f"{found.f32_peak / 1e9:.0f} GFLOP/s on {cores}, measured in registers"),
        ("bandwidth", f"{found.copy_bandwidth / 1e9:.1f} GB/s on {cores}, a copy, reads and writes counted"),
        ("cache folder", kept),
        *((TROUBLE, said) for said in found.trouble or ("none",)),
    ]
