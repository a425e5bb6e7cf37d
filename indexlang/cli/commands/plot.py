"""`indexlang plot RUN…`: learning curves of runs, their filters, features and signals, as PNG or SVG."""

from pathlib import Path

import click

from indexlang.cli.terminal import result, tell
from indexlang.plot.curves import draw_curves
from indexlang.plot.runs import read_run


@click.command("plot")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN…")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A .png or .svg file.")
def command(runs: tuple[Path, ...], output: Path | None) -> None:
    """Draw the curves of RUNs."""
    found = [read_run(path) for path in runs]
    for note in (note for run in found for note in run.notes):
        tell(f"note: {note}")
    path = output or runs[0] / "curves.png"
    draw_curves(found, path)
    result(str(path))
