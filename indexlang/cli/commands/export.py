"""`indexlang export FILE -o net.onnx`: a program's outputs as operators of ONNX, its parameters among them."""

from collections.abc import Mapping
from pathlib import Path

import click

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.terminal import tell
from indexlang.export.model import USUAL


@click.command("export")
@settings.program_file
@settings.constants
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write, as net.onnx.")
@click.option("--weights", type=click.Path(path_type=Path), help="Parameters from a safetensors or npz file.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="What parameters without --weights are drawn from."
)
@click.option("--opset", type=int, default=USUAL, show_default=True, help="The version of ONNX's operators.")
@click.option("--dtype", type=click.Choice(["f32", "f64"]), default="f32", show_default=True, help="The float type.")
def command(
    file: Path,
    constants: Mapping[str, settings.Number],
    output: Path,
    weights: Path | None,
    seed: int,
    opset: int,
    dtype: str,
) -> None:
    """Write a program as an ONNX file. Named extents without a value stay names."""
    program = load(file, constants=constants, dtype=dtype).init(seed)
    if weights is not None:
        program.load_weights(weights)
    count = program.export(output, opset)
    tell(f"{count} nodes written to {output}")
    if weights is None and program.params:
        tell(f"The parameters are random (drawn from seed {seed}); give trained ones with --weights.")
