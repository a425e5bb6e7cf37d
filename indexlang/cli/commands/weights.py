"""`indexlang weights`: show what a file of weights holds, and convert it from one side's names and axes to the other's."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from indexlang.api import load
from indexlang.cli import settings
from indexlang.cli.table import Table
from indexlang.cli.terminal import encoding, result, result_json, width
from indexlang.interop.maps import OWN_NAMES, THEIR_NAMES, to_ours, to_theirs
from indexlang.interop.weights import Archive, Entry, opened, read_weights, write_weights
from indexlang.interop.weights.write import check_target
from indexlang.text.names import plural, visible

Array = np.ndarray[Any, Any]


@click.group("weights")
def command() -> None:
    """Files of weights: safetensors, npz, and what torch.save wrote. No pickle is ever carried out."""


@command.command("show")
@settings.program_file
@settings.as_json_flag
def show(file: Path, as_json: bool) -> None:
    """List the tensors of FILE: names, extents, number formats, the least and the greatest number, how many are NaN."""
    with opened(file) as archive:
        if as_json:
            tensors = [asdict(row) for row in _rows(archive)]
            result_json({"command": "weights show", "file": str(file), "format": archive.kind, "tensors": tensors})
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


@dataclass(frozen=True, slots=True)
class _Row:
    """A tensor of the file. `least` and `greatest` are of its finite numbers."""

    name: str
    extents: tuple[int, ...]
    form: str
    values: int
    least: float | None
    greatest: float | None
    nan: int
    infinite: int


def _row(entry: Entry) -> _Row:
    array = entry.read()
    floats = array.dtype.kind == "f"
    nan = int(np.isnan(array).sum()) if floats else 0
    infinite = int(np.isinf(array).sum()) if floats else 0
    finite = array[np.isfinite(array)] if nan or infinite else array
    least, greatest = (finite.min().item(), finite.max().item()) if finite.size else (None, None)
    return _Row(entry.name, entry.extents, entry.form.name, entry.elements, least, greatest, nan, infinite)


def _rows(archive: Archive) -> tuple[_Row, ...]:
    """One tensor is in memory at a time."""
    return tuple(_row(entry) for entry in archive.entries.values())


def _listed(archive: Archive) -> str:
    rows = _rows(archive)
    total = ("", "", f"{sum(row.values for row in rows):,}", "", "", str(sum(row.nan for row in rows)))
    titles = ("tensor", "extents", "form", "values", "least", "greatest", "NaN")
    table = Table(titles, tuple(map(_cells, rows)), (plural(len(rows), "tensor"), *total))
    said = f"{archive.kind}\n" + table.text(width(sys.stdout), encoding(sys.stdout))
    infinite = sum(row.infinite for row in rows)
    return said + (f"\n{plural(infinite, 'value')} infinite" if infinite else "")


def _cells(row: _Row) -> tuple[str, ...]:
    span = ("" if n is None else f"{n:.4g}" for n in (row.least, row.greatest))
    extents = f"[{', '.join(map(str, row.extents))}]"
    return (visible(row.name), extents, row.form, f"{row.values:,}", *span, str(row.nan or ""))
