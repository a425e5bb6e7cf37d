"""`indexlang run FILE`: compile, run, and show what each equation took and what came out."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexlang.api import load
from indexlang.arguments import check_is_input, completed, sizes_in
from indexlang.cli import report, settings
from indexlang.cli.terminal import Progress, encoding, result, result_json, tell_all, width
from indexlang.interop.files import check_output, is_picture, read_input, write_output
from indexlang.interop.labels import read_labels
from indexlang.program import Program
from indexlang.text.diagnostics import data_error

Array = np.ndarray[Any, Any]
Paths = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    file: Path
    inputs: Paths
    constants: Mapping[str, settings.Number]
    resize: int | None
    weights: Path | None
    labels: Path | None
    out: Paths
    want: tuple[str, ...]
    top: int
    repeat: int
    seed: int
    threads: int | None
    dtype: str
    profile: bool
    exact: bool
    as_json: bool


@click.command("run")
@settings.program_file
@click.option("--input", "inputs", multiple=True, metavar="NAME=PATH", callback=settings.paths,
              help="The value of an input: npy, npz, png or jpg; may be repeated.")  # fmt: skip
@settings.constants
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Parameters and states: safetensors, npz, or of torch.save."
)
@click.option("--resize", type=click.IntRange(1, 10_000), metavar="PIXELS",
              help="Scale the shorter side of pictures to this before their centre is cut out. With weights in "
                   "torchvision's names: as torchvision does it.")  # fmt: skip
@click.option("--labels", type=click.Path(path_type=Path), help="Names of the classes: a text, one a line, or JSON.")
@click.option("--out", multiple=True, metavar="NAME=PATH", callback=settings.paths,
              help="Write a tensor to a file: npy, npz, png or jpg; may be repeated.")  # fmt: skip
@click.option("--want", metavar="A,B", callback=settings.names, help="Show these tensors in place of the outputs.")
@click.option("--top", type=click.IntRange(min=0), default=5, show_default=True, help="How many of the best scores.")
@click.option("--repeat", type=click.IntRange(min=1), default=3, show_default=True, help="Timed runs; the best counts.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of random parameters.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Default: one for each core.")
@click.option("--dtype", type=click.Choice(["f32", "f64"]), default="f32", show_default=True, help="The float type.")
@click.option("--profile", is_flag=True, help="Show every step of the plan, not only the equations.")
@settings.exact_flag
@settings.as_json_flag
def command(**given: Any) -> None:
    """Compile a program, run it, and show what each equation took and what came out."""
    request = Request(**given)
    for path in request.out.values():
        check_output(path)
    labels = read_labels(request.labels) if request.labels else ()
    program = load(
        request.file,
        constants=request.constants,
        dtype=request.dtype,
        threads=request.threads,
        exact=request.exact,
    )
    said, resize = _parameters(program, request)
    arrays = _arrays(program, replace(request, resize=request.resize or resize))
    wanted = list(request.want or program.outputs)
    with Progress(f"compiling {request.file} …"):
        values = _values(program, arrays, wanted + [name for name in request.out if name not in wanted])
        times = program.profile(arrays, request.repeat)
    for name, path in request.out.items():
        write_output(path, name, values[name])
    shown = {name: values[name] for name in wanted}
    report.check_labels(labels, shown, request.labels)
    told = report.Report(_bound(program, arrays), times, shown, request.top, said, labels)
    if request.as_json:
        result_json({"command": "run", "file": str(request.file), "dtype": request.dtype, **report.as_json(told)})
        return
    result(report.as_text(told, request.profile, width(sys.stdout), encoding(sys.stdout)))


def _parameters(program: Program, request: Request) -> tuple[str, int | None]:
    """Give the program its parameters: what is said of them, and how pictures are scaled for them, if that is known."""
    if request.weights is not None:
        loaded = program.load_weights(request.weights)
        tell_all(loaded.warnings)
        said = f"The parameters are those of {request.weights}: {loaded}."
        pictures = [program.inputs[n] for n, path in request.inputs.items() if n in program.inputs and is_picture(path)]
        sides = [n for info in pictures for n in info.extents[-3:-1] if isinstance(n, int)]
        if request.resize or not loaded.resize or not pictures or max(sides, default=0) > loaded.resize:
            return said, None
        told = f" Pictures have {loaded.resize} pixels on the shorter side before they are cut (--resize)."
        return said + told, loaded.resize
    program.init(request.seed)
    random = f"The parameters are random (drawn from seed {request.seed}); give trained ones with --weights."
    return (random if program.params else ""), None


def _arrays(program: Program, request: Request) -> dict[str, Array]:
    for name in request.inputs:
        check_is_input(name, program.inputs)
    wanted = (*(request.want or program.outputs), *request.out)
    needed = {i for name in wanted if name in program.tensors for i in program.inputs_of(name)}
    given = {n: _array(program, n, request) for n in program.inputs if n in needed or n in request.inputs}
    return completed(program.inputs, given)


def _array(program: Program, name: str, request: Request) -> Array:
    info = program.inputs[name]
    if name in request.inputs:
        return read_input(request.inputs[name], info, shorter=request.resize)
    if name in program.defaults:
        return read_input(program.defaults[name], info, request.file.parent, request.resize)
    raise data_error("E0604", tensor=name, advice=f"give one with --input {name}=PATH (npy, npz, png or jpg)")


def _values(program: Program, arrays: dict[str, Array], wanted: list[str]) -> dict[str, Array]:
    returned = program(*arrays.values(), want=wanted)  # by position: an input may be called `want`
    return {wanted[0]: returned} if isinstance(returned, np.ndarray) else {name: returned[name] for name in wanted}


def _bound(program: Program, arrays: dict[str, Array]) -> Program:
    """The program with the sizes that the arrays give to its named extents."""
    sizes = sizes_in(program.inputs, arrays)
    return program.bound(**sizes) if sizes else program
