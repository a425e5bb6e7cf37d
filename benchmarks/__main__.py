"""`python -m benchmarks [--only NAME …] [--threads N] [--rounds N] [--json FILE] [--plot FILE]`: speed beside other libraries.

Every result is checked against its peers before anything is timed; times are medians of interleaved rounds in one process.
NAME is a table, or a part of a case's name (`3x3`). With --json, rows measured earlier stay in the file, so parts add up.
"""

import argparse
import platform
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from benchmarks import peers
from benchmarks.case import Setting
from benchmarks.report import Limits, Report, Row, line, mean_ratio, merged, read, written
from benchmarks.tables import TABLES, Table
from indexlang import __version__
from indexlang.kernels.machine import machine
from indexlang.kernels.probe import copy_bandwidth, f32_peak


def main() -> None:
    """Measure, print one table, and keep it."""
    options = _options()
    setting = Setting(options.threads, options.rounds)
    limits = Limits(options.threads, f32_peak(options.threads), copy_bandwidth(options.threads))
    versions = {"indexlang": __version__, "python": platform.python_version(), **peers.versions()}
    here = {"processor_cores": machine().cores, "vector_bits": 8 * machine().vector_bytes}
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    print(f"{options.threads} threads, {here['vector_bits']} bits: {limits.f32_peak / 1e9:.0f} GFLOP/s in registers, "
          f"{limits.copy_bandwidth / 1e9:.1f} GB/s copied")  # fmt: skip
    rows: list[Row] = []
    for table in TABLES:
        wanted = _wanted(table, options.only)
        if wanted is None:
            continue
        rows += _measure(table, setting, limits, wanted)
        asked = {t.name: f"{t.title}. Asked: {t.asked}" for t in TABLES}
        report = Report(versions, here, limits, asked, tuple(rows), setting.skipped)
        if options.json:  # after every table: what is measured is kept
            old = read(options.json) if options.json.exists() else None
            options.json.write_text(written(merged(old, report) if old else report), encoding="utf-8")
    for name, reason in setting.skipped.items():
        print(f"left out: {name}: {reason}")
    if options.plot:
        from benchmarks.roofline import draw

        draw(options.plot, rows, limits)


def _measure(table: Table, setting: Setting, limits: Limits, wanted: Callable[[str], bool]) -> list[Row]:
    head = f"\n{table.name}: {table.title} (asked: {table.asked})\n"
    begun, rows = perf_counter(), list[Row]()
    for row in table.rows(setting, wanted):
        rows.append(row)
        print(head + line(row, limits), flush=True)
        head = ""
    if not rows:
        return rows
    mean = mean_ratio(rows)
    told = "" if mean is None else f"geometric mean of the ratios {mean:.2f}, "
    print(f"  {told}measured in {perf_counter() - begun:.0f} s", flush=True)
    return rows


def _wanted(table: Table, only: list[str]) -> Callable[[str], bool] | None:
    """Which cases of a table are asked for; None: it is not looked into."""
    tables = {t.name for t in TABLES}
    if not only or table.name in only:
        return lambda name: True
    parts = [part for part in only if part not in tables]
    return (lambda name: any(part.lower() in name.lower() for part in parts)) if parts else None


def _options() -> argparse.Namespace:
    names = ", ".join(t.name for t in TABLES)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help=f"a table ({names}), or a part of a case's name"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15, help="at most; long cases take fewer")
    parser.add_argument("--json", type=Path, help="write the rows there; rows that it has of other cases stay")
    parser.add_argument("--plot", type=Path, help="a roofline picture, .svg or .png")
    return parser.parse_args()


if __name__ == "__main__":
    main()
