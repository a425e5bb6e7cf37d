"""`indexlang weights`: show what a file of weights holds, and convert it from one side's names and axes to the other's."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.table import Table
from indexlang.cli.terminal import encoding, result, result_json, width
from indexlang.interop.maps import OWN_NAMES, THEIR_NAMES, to_ours, to_theirs
from indexlang.interop.weights import Archive, opened, read_weights, write_weights
from indexlang.interop.weights.write import check_target
from indexlang.text.names import plural

Array = np.ndarray[Any, Any]


@click.group("weights")
def command() -> None:
    """Files of weights: safetensors, npz, and what torch.save wrote. No pickle is ever carried out."""


@command.command("show")
@settings.program_file
@settings.as_json_flag
def show(file: Path, as_json: bool) -> None:
    """List the tensors of FILE: names, extents, number formats. Their numbers are not read."""
    with opened(file) as archive:
        if as_json:
            result_json({"command": "weights show", "file": str(file), "format": archive.kind, **_rows(archive)})
            return
        result(_listed(archive))


@command.command("convert")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--as", "side", type=click.Choice([THEIR_NAMES, OWN_NAMES]), required=True, help="Whose names and axes.")
@click.option("--family", metavar="NAME", help="The map, where names fit several: resnet, vgg16_bn, …")
@click.option("--program", "program", type=click.Path(path_type=Path), help="The network that the weights are for.")
@settings.constants
def convert(
    source: Path, target: Path, side: str, family: str | None, program: Path | None, constants: Mapping[str, Any]
) -> None:
    """Write the weights of SOURCE to TARGET (.safetensors or .npz) by other names and axes; the numbers stay the same."""
    check_target(target)
    arrays, by = _arrays(source, program, constants)
    if side == THEIR_NAMES:
        by, arrays = to_theirs(arrays, family)
    elif program is None:
        by, arrays = to_ours(arrays, family)
    write_weights(target, arrays)
    result(f"{plural(len(arrays), 'tensor')} by {by} written to {target}")


def _arrays(source: Path, program: Path | None, constants: Mapping[str, Any]) -> tuple[dict[str, Array], str]:
    if program is None:
        return read_weights(source), ""
    return load(program, constants=constants).read_weights(source), f"the names of {program.name}"


def _rows(archive: Archive) -> dict[str, Any]:
    entries = archive.entries.values()
    return {
        "tensors": [{"name": e.name, "extents": list(e.extents), "form": e.form.name} for e in entries],
        "values": sum(e.elements for e in entries),
    }


def _listed(archive: Archive) -> str:
    entries = archive.entries.values()
    rows = tuple((e.name, f"[{', '.join(map(str, e.extents))}]", e.form.name, f"{e.elements:,}") for e in entries)
    total = f"{sum(e.elements for e in entries):,}"
    table = Table(("tensor", "extents", "form", "values"), rows, (plural(len(rows), "tensor"), "", "", total))
    return f"{archive.kind}\n" + table.text(width(sys.stdout), encoding(sys.stdout))
