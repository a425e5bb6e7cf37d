"""`indexlang show FILE`: the program at a stage of the compiler, its layer table, or its picture."""

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
@click.option("--svg", is_flag=True, help="A picture of the network.")
@click.option("--dot", is_flag=True, help="The network as a graph, for Graphviz.")
@click.option("--dtype", type=click.Choice(["f32", "f64"]), default="f32", show_default=True, help="The float type.")
@settings.exact_flag
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead.")
def command(
    file: Path,
    constants: Mapping[str, settings.Number],
    stage: str | None,
    equation: str | None,
    latex: bool,
    summary: bool,
    svg: bool,
    dot: bool,
    dtype: str,
    exact: bool,
    output: Path | None,
) -> None:
    """Print a program as a stage of the compiler sees it, as LaTeX, its layer table, or its picture."""
    flags = {"--latex": latex, "--summary": summary, "--svg": svg, "--dot": dot}
    kinds = [flag for flag, is_set in flags.items() if is_set]
    _check(kinds, stage, equation)
    program = load(file, constants=constants, dtype=dtype, exact=exact)
    text = _text(program, kinds[0] if kinds else "", stage, equation)
    if output is None:
        result(text.rstrip("\n"))
        return
    with written_aside(output) as aside:
        aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    tell(f"written to {output}")


def _check(kinds: list[str], stage: str | None, equation: str | None) -> None:
    """One kind of text at a time; a table and a picture are of the whole program."""
    asked = [*kinds, *(["--stage"] if stage else [])]
    if len(asked) > 1:
        raise click.UsageError(f"{asked[0]} does not go with {asked[1]}")
    if kinds and equation and kinds != ["--latex"]:
        raise click.UsageError(f"{kinds[0]} does not go with --equation")


def _text(program: Program, kind: str, stage: str | None, equation: str | None) -> str:
    match kind:
        case "--latex":
            return program.latex(equation)
        case "--summary":
            return str(program.summary())
        case "--svg":
            return program.svg()
        case "--dot":
            return program.dot()
        case _:
            return program.show(stage or "typed", equation)
