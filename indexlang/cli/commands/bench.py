"""`indexlang bench FILE`: what each equation took, which part of the machine's limits that is, and what bounds it."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import click

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.measured import measured_inputs
from indexlang.cli.table import Table
from indexlang.cli.terminal import Progress, encoding, result, result_json, width
from indexlang.kernels.probe import copy_bandwidth, f32_peak
from indexlang.run.machine import usable_threads
from indexlang.timing import StepTime

LEAST_SHARE = 0.05  # of both limits: below, neither of them can be what takes the time


@dataclass(frozen=True, slots=True)
class Spent:
    """An equation: milliseconds, multiply-adds, bytes of its result and of each tensor that it reads, once."""

    name: str
    milliseconds: float
    multiply_adds: int
    bytes: int

    @property
    def gflops(self) -> float:
        """Thousand million operations a second: a multiply-add is two. 0 where no time was measured."""
        return 2 * self.multiply_adds / self.milliseconds / 1e6 if self.milliseconds else 0.0

    @property
    def gbytes(self) -> float:
        """Thousand million bytes a second, as if each tensor came once from memory."""
        return self.bytes / self.milliseconds / 1e6 if self.milliseconds else 0.0


_NOTHING = Spent("", 0.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """GFLOP/s and GB/s that this machine reaches."""

    gflops: float
    gbytes: float

    def share(self, row: Spent) -> float:
        """How near an equation comes to the nearer of the two limits: 1 is all that the machine can do."""
        return max(row.gflops / self.gflops, row.gbytes / self.gbytes)

    def bound(self, row: Spent) -> str:
        """What takes the time: the limit that is nearer, or neither."""
        if self.share(row) < LEAST_SHARE:
            return "overhead"
        return "compute" if row.gflops / self.gflops > row.gbytes / self.gbytes else "memory"


@click.command("bench")
@settings.program_file
@settings.constants
@click.option("--threads", type=click.IntRange(1, 1024), help="Default: one for each core.")
@click.option(
    "--rounds", type=click.IntRange(min=1), default=10, show_default=True, help="Timed runs; the best counts."
)
@settings.exact_flag
@settings.as_json_flag
def command(
    file: Path, constants: Mapping[str, settings.Number], threads: int | None, rounds: int, exact: bool, as_json: bool
) -> None:
    """Time every equation, and say what bounds it. Inputs without a value of their own are random numbers."""
    program = load(file, constants=constants, threads=threads, exact=exact).init(0)
    arrays = measured_inputs(program, file.parent)
    with Progress(f"compiling {file} …"):
        program.profile(arrays)
    used = usable_threads(threads)
    with Progress("measuring …"):
        times = program.profile(arrays, rounds)
        limits = Limits(f32_peak(used) / 1e9, copy_bandwidth(used) / 1e9)
    rows = spent(times, program.tensors)
    total = replace(reduce(_both, rows, _NOTHING), name="total")
    if as_json:
        told = [_json(r, limits) for r in rows]
        result_json({"command": "bench", "file": str(file), "threads": used, "limits": asdict(limits),
                     "equations": told, "total": _json(total, limits)})  # fmt: skip
        return
    result(_text(rows, total, limits))


def spent(times: Sequence[StepTime], names: Collection[str]) -> tuple[Spent, ...]:
    """A row an equation, in order. Copies that a pass prepares count for the equation that is computed next.

    names  of the program's own equations
    """
    found: dict[str, Spent] = {}
    waiting = _NOTHING
    for step in times:
        waiting = _both(waiting, Spent(step.name, step.milliseconds, step.macs, step.bytes))
        if step.name in names:
            found[step.name] = _both(found.get(step.name, _NOTHING), waiting)
            waiting = _NOTHING
    if waiting.name and found:  # nothing is computed next: it counts for the last
        last = next(reversed(found))
        found[last] = _both(waiting, found[last])
    return tuple(found.values())


def _both(a: Spent, b: Spent) -> Spent:
    """The sum, by the name of the second."""
    return Spent(b.name, a.milliseconds + b.milliseconds, a.multiply_adds + b.multiply_adds, a.bytes + b.bytes)


def _json(row: Spent, limits: Limits) -> dict[str, Any]:
    rates = {"gflops": row.gflops, "gbytes": row.gbytes, "share": limits.share(row), "bound": limits.bound(row)}
    return {**asdict(row), **rates}


def _text(rows: Sequence[Spent], total: Spent, limits: Limits) -> str:
    titles = ("equation", "ms", "GFLOP/s", "GB/s", "of the limit", "bound by")
    table = Table(titles, tuple(_cells(r, limits) for r in rows), _cells(total, limits))
    about = f"The limits: {limits.gflops:.0f} GFLOP/s in registers, {limits.gbytes:.1f} GB/s copied."
    return table.text(width(sys.stdout), encoding(sys.stdout)) + f"\n\n{about}"


def _cells(row: Spent, limits: Limits) -> tuple[str, ...]:
    share = f"{100 * limits.share(row):.0f} %"
    rates = (f"{row.gflops:.1f}" if row.multiply_adds else "", f"{row.gbytes:.1f}")
    return (row.name, f"{row.milliseconds:.3f}", *rates, share, limits.bound(row))
