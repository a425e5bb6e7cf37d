"""`indexlang tune FILE`: other schedules than the usual ones, tried on this machine; what is faster is kept and used."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.measured import measured_inputs
from indexlang.cli.table import Table
from indexlang.cli.terminal import Progress, encoding, result, result_json, width
from indexlang.nest.moves.target import Knobs
from indexlang.run.machine import usable_threads
from indexlang.run.tuned import forget, keep
from indexlang.tuning import Tuned, tune, winners


def _forget(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Done instead of anything else, as `--help` is."""
    if wanted:
        count = forget()
        result(f"{count} tuned schedule{'' if count == 1 else 's'} forgotten")
        ctx.exit()


@click.command("tune")
@settings.program_file
@settings.constants
@click.option("--threads", type=click.IntRange(1, 1024), help="Default: one for each core.")
@click.option(
    "--budget", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="SECONDS", help="For all trials."
)
@click.option("--forget", is_flag=True, is_eager=True, expose_value=False, callback=_forget,
              help="Drop what was kept for this machine, of all programs, and exit.")  # fmt: skip
@settings.as_json_flag
def command(
    file: Path, constants: Mapping[str, settings.Number], threads: int | None, budget: float, as_json: bool
) -> None:
    """Try other schedules for each equation; those that are faster on this machine are kept and used from now on.

    Results stay the same up to rounding. An interrupted run keeps nothing new.
    """
    program = load(file, constants=constants, threads=threads).init(0)
    arrays = measured_inputs(program, file.parent)
    with Progress(f"trying schedules of {file} …"):
        rows = tune(program, arrays, budget)
    keep(winners(rows))
    if as_json:
        told = [asdict(row) for row in rows]
        result_json({"command": "tune", "file": str(file), "threads": usable_threads(threads), "equations": told})
        return
    result(_text(rows))


def _text(rows: Sequence[Tuned]) -> str:
    titles = ("equation", "ms before", "ms after", "kept")
    cells = tuple((r.name, f"{r.before:.3f}", f"{r.after:.3f}", _told(r.knobs)) for r in rows)
    total = ("total", f"{sum(r.before for r in rows):.3f}", f"{sum(r.after for r in rows):.3f}", "")
    return Table(titles, cells, total).text(width(sys.stdout), encoding(sys.stdout))


def _told(knobs: Knobs) -> str:
    """`8x3, chunk x2`: the knobs that are set."""
    tile = f"{knobs.rows}x{knobs.vectors}" if knobs.rows else ""
    others = (f"{name} x{2.0**value:g}" for name, value in (("chunk", knobs.chunk), ("rounds", knobs.rounds)) if value)
    return ", ".join(filter(None, (tile, *others)))
