"""`indexlang grad FILE`: the equations of a gradient, as a program; or the gradient compared with differences."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexlang.api import load
from indexlang.arguments import check_is_input
from indexlang.cli import settings
from indexlang.cli.exits import Exit
from indexlang.cli.table import Table
from indexlang.cli.terminal import Progress, encoding, result, result_json, tell, tell_all, width
from indexlang.differences import Checked, GradientCheck
from indexlang.interop.disk import written_aside
from indexlang.interop.files import read_input
from indexlang.program import Program
from indexlang.text.diagnostics import ProgramError
from indexlang.text.render import clean

Array = np.ndarray[Any, Any]

_SIZES = (2, 3, 4, 5, 8, 16, 32, 64, 128, 256)  # what is tried for an extent that nothing says


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    file: Path
    of: str | None
    wrt: tuple[str, ...]
    constants: Mapping[str, settings.Number]
    check: bool
    inputs: Mapping[str, Path]
    seed: int
    dtype: str
    latex: bool
    recompute: bool
    output: Path | None
    as_json: bool


@click.command("grad")
@settings.program_file
@click.option("--of", metavar="NAME", help="The scalar that is differentiated; default: the only output that is one.")
@click.option("--wrt", metavar="A,B", callback=settings.names,
              help="With respect to which tensors; default: all parameters, or all inputs if there are none.")  # fmt: skip
@settings.constants
@click.option("--check", is_flag=True, help="Compare the gradients with differences, in float64.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=PATH", callback=settings.paths,
              help="For --check: the value of an input (npy, npz, png, jpg); others are drawn at random.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True,
              help="For --check: of parameters and inputs.")  # fmt: skip
@click.option("--dtype", type=click.Choice(["f32", "f64"]), default="f32", show_default=True, help="The float type.")
@click.option("--latex", is_flag=True, help="The program as formulas in LaTeX.")
@click.option("--recompute", is_flag=True, help="Compute again what is cheap, rather than keep it: less memory.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file instead.")
@settings.as_json_flag
def command(**given: Any) -> Exit:
    """Print a whole program that computes a scalar and its gradients: the equations of FILE that lead to the scalar,
    then the adjoint equations. It runs, and can be differentiated, like any other.

    With --check, print a table with the worst element of each gradient; the exit code is 1 if one is wrong.
    """
    request = Request(**given)
    if request.check and (request.latex or request.output or request.recompute):
        raise click.UsageError("--check goes with none of --latex, --recompute and --output")
    if request.inputs and not request.check:
        raise click.UsageError("--input goes with --check")
    program = load(request.file, constants=request.constants, dtype=request.dtype)
    return _checked(program, request) if request.check else _printed(program, request)


# -- the equations


def _printed(program: Program, request: Request) -> Exit:
    g = program.grad(request.of, request.wrt or None, recompute=request.recompute)
    tell_all(g.notes)
    text = g.latex() if request.latex else str(g)
    if request.as_json:
        result_json({"command": "grad", "file": str(request.file), **_as_json(g), "program": text})
    elif request.output is None:
        result(text.rstrip("\n"))
    else:
        with written_aside(request.output) as aside:
            aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        tell(f"written to {request.output}")
    return Exit.GOOD


def _as_json(g: Program) -> dict[str, Any]:
    found = [{"tensor": t, "gradient": d, "extents": list(g.tensors[d].extents)} for t, d in g.gradients.items()]
    zero = [d.message for d in g.notes]
    return {"of": next(iter(g.outputs)), "gradients": found, "notes": zero}


# -- the check


def _checked(program: Program, request: Request) -> Exit:
    arrays = _given(program, request)
    bound = _sized(program, arrays, request).init(request.seed)
    of = request.of or program.loss
    with Progress(f"checking {request.file} …"):
        inputs = {**arrays, **bound.example_inputs(request.seed, arrays)}
        report = bound.check_gradient(of, inputs, request.wrt or None)
    if request.as_json:
        told = {"of": of, "ok": report.ok, "tensors": [_tensor_json(t) for t in report.tensors]}
        result_json({"command": "grad", "file": str(request.file), "check": told})
    else:
        first, *rows = report.rows
        result(Table(first, tuple(rows)).text(width(sys.stdout), encoding(sys.stdout)))
        result(clean(_verdict(report), encoding(sys.stdout)))
    return Exit.GOOD if report.ok else Exit.WRONG


def _verdict(report: GradientCheck) -> str:
    wrong = [t.name for t in report.tensors if not t.ok]
    if not wrong:
        return f"The gradients of {report.of} are right."
    return f"The gradient of {report.of} with respect to {', '.join(wrong)} is not that of the differences."


def _given(program: Program, request: Request) -> dict[str, Array]:
    for name in request.inputs:
        check_is_input(name, program.inputs)
    found = {name: read_input(path, program.inputs[name]) for name, path in request.inputs.items()}
    for name, path in program.defaults.items():
        if name not in found:
            found[name] = read_input(path, program.inputs[name], request.file.parent)
    return found


def _sized(program: Program, arrays: Mapping[str, Array], request: Request) -> Program:
    """The program with a value for each extent: that of an input that is given, else the smallest that will do."""
    known: dict[str, int] = {}
    for name, array in arrays.items():
        pairs = zip(program.inputs[name].extents, array.shape, strict=False)
        known |= {extent: size for extent, size in pairs if isinstance(extent, str)}
    still = [n for n in program.size_names if n not in known]
    if not still:
        return program.bound(**known) if known else program
    trouble: ProgramError | None = None
    for size in _SIZES:
        try:
            found = program.bound(**known, **dict.fromkeys(still, size))
        except ProgramError as error:
            trouble = trouble or error
            continue
        tell(f"with {', '.join(f'{n} = {size}' for n in still)}; other sizes with -D {still[0]}=…")
        return found
    assert trouble is not None
    raise trouble


def _tensor_json(t: Checked) -> dict[str, Any]:
    told: dict[str, Any] = {"name": t.name, "extents": list(t.extents), "elements": len(t.elements)}
    worst = t.worst
    if worst is not None:
        numbers = {"gradient": worst.analytic, "differences": worst.numeric, "error": worst.error}
        shown = {key: value if isfinite(value) else str(value) for key, value in numbers.items()}
        told["worst"] = {"index": list(worst.index), **shown}
    return {**told, "kinks": t.kinks, "ok": t.ok}
