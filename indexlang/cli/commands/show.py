"""`indexlang show FILE`: the program at a stage of the compiler, or its layer table."""

from collections.abc import Mapping
from pathlib import Path

import click

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.terminal import result, tell
from indexlang.interop.disk import written_aside
from indexlang.pipeline import STAGES
from indexlang.program import Program


@click.command("show")
@settings.program_file
@settings.constants
@click.option("--stage", type=click.Choice(STAGES), help="Which stage of the compiler; `typed` if nothing is said.")
@click.option("--equation", metavar="NAME", help="Only the equation that defines this tensor.")
@click.option("--latex", is_flag=True, help="The program as formulas in LaTeX.")
@click.option("--summary", is_flag=True, help="The layer table: extents, parameters, multiply-adds, bytes.")
@click.option("--dtype", type=click.Choice(["f32", "f64"]), default="f32", show_default=True, help="The float type.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead.")
def command(
    file: Path,
    constants: Mapping[str, settings.Number],
    stage: str | None,
    equation: str | None,
    latex: bool,
    summary: bool,
    dtype: str,
    output: Path | None,
) -> None:
    """Print a program as a stage of the compiler sees it, as LaTeX, or its layer table."""
    if latex and (stage or summary):
        raise click.UsageError("--latex goes with neither --stage nor --summary")
    if summary and (stage or equation):
        raise click.UsageError("--summary goes with neither --stage nor --equation")
    program = load(file, constants=constants, dtype=dtype)
    text = _text(program, stage, equation, latex, summary)
    if output is None:
        result(text.rstrip("\n"))
        return
    with written_aside(output) as aside:
        aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    tell(f"written to {output}")


def _text(program: Program, stage: str | None, equation: str | None, latex: bool, summary: bool) -> str:
    if latex:
        return program.latex(equation)
    return str(program.summary()) if summary else program.show(stage or "typed", equation)
