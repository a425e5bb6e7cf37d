"""What `indexlang run` says: the layer table, the totals, the outputs, the best scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexlang.cli.table import Table, counted
from indexlang.program import Program
from indexlang.text.diagnostics import data_error
from indexlang.text.names import plural
from indexlang.text.render import clean, wrap
from indexlang.timing import StepTime

Array = np.ndarray[Any, Any]

OTHER = "(other steps)"


@dataclass(frozen=True, slots=True)
class Report:
    """A run: the program with its sizes, the time of each step, the values asked for, and a word on parameters.

    labels  names of the classes, for scores of as many; else empty
    """

    program: Program
    times: Sequence[StepTime]
    values: Mapping[str, Array]
    top: int
    about_parameters: str
    labels: Sequence[str] = ()

    def label(self, value: Array, at: int) -> str:
        """The name of the class of a score, or nothing."""
        return self.labels[at] if len(self.labels) == value.size else ""


@dataclass(frozen=True, slots=True)
class Layer:
    """A row of the table: an equation and what it took."""

    name: str
    text: str
    extents: tuple[int | str, ...]
    params: int
    macs: int
    milliseconds: float

    @property
    def gflops(self) -> float:
        """10^9 operations a second, a multiply-add being two."""
        return 2 * self.macs / self.milliseconds / 1e6 if self.milliseconds > 0 else 0.0


def as_text(report: Report, by_step: bool, width: int, encoding: str) -> str:
    """The whole report; the table is fitted to `width`."""
    table = _steps(report) if by_step else _table(layers(report))
    said = [table.text(width, encoding), "", *(_outputs(report))]
    if report.about_parameters:
        said += ["", *wrap(report.about_parameters, width)]
    return "\n".join(clean(line, encoding) for line in "\n".join(said).split("\n"))


def as_json(report: Report) -> dict[str, Any]:
    """The same as values."""
    rows = layers(report)
    return {
        "parameters_are_random": report.program.parameters_are_random and bool(report.program.params),
        "equations": [_layer_json(row) for row in rows],
        "totals": _layer_json(_total(rows)),
        "outputs": {name: _output_json(value, report) for name, value in report.values.items()},
    }


def layers(report: Report) -> tuple[Layer, ...]:
    """One row an equation; time that belongs to none has a row of its own."""
    spent: dict[str, float] = {}
    for step in report.times:
        spent[step.name] = spent.get(step.name, 0.0) + step.milliseconds
    rows = [
        Layer(row.name, row.text, row.extents, row.params, row.macs, spent.pop(row.name, 0.0))
        for row in report.program.summary().rows
    ]
    if spent:
        rows.append(Layer(OTHER, OTHER, (), 0, 0, sum(spent.values())))
    return tuple(rows)


def _total(rows: Sequence[Layer]) -> Layer:
    params, macs = sum(row.params for row in rows), sum(row.macs for row in rows)
    return Layer("total", "total", (), params, macs, sum(row.milliseconds for row in rows))


def _table(rows: Sequence[Layer]) -> Table:
    titles = ("equation", "extents", "parameters", "multiply-adds", "ms", "GFLOP/s")
    return Table(titles, tuple(_cells(row) for row in rows), _cells(_total(rows)))


def _cells(row: Layer) -> tuple[str, ...]:
    extents = "×".join(map(str, row.extents))
    return (row.text, extents, counted(row.params), counted(row.macs), _ms(row.milliseconds), _rate(row.gflops))


def _steps(report: Report) -> Table:
    total = sum(step.milliseconds for step in report.times)
    rows = tuple(_step_cells(step.name, step.macs, step.milliseconds, total) for step in report.times)
    macs = sum(step.macs for step in report.times)
    return Table(("step", "multiply-adds", "ms", "share", "GFLOP/s"), rows, _step_cells("total", macs, total, total))


def _step_cells(name: str, macs: int, milliseconds: float, total: float) -> tuple[str, ...]:
    share = f"{100 * milliseconds / total:.0f} %" if total > 0 else ""
    rate = 2 * macs / milliseconds / 1e6 if milliseconds > 0 else 0.0
    return (name, counted(macs), _ms(milliseconds), share, _rate(rate))


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.2f}"


def _rate(gflops: float) -> str:
    return f"{gflops:.1f}" if gflops else ""


# -- outputs


def _outputs(report: Report) -> list[str]:
    lines: list[str] = []
    for name, value in report.values.items():
        lines.append(f"{name}{list(value.shape)} {value.dtype}: {_range(value)}" if value.ndim else f"{name} = {value}")
        best = _best(value, report.top)
        if best:
            lines.append(f"  the top {len(best)} of {value.size}:")
            lines += [f"  {at:>8}  {score:<12.6g} {report.label(value, at)}".rstrip() for at, score in best]
    return lines


def _range(value: Array) -> str:
    """The span of the finite values, and how many are not."""
    if not value.size:
        return "empty"
    if value.dtype == bool:
        return f"{int(value.sum())} of {value.size} true"
    finite = value[np.isfinite(value)] if value.dtype.kind == "f" else value
    odd = value.size - finite.size
    said = f"{finite.min():.6g} to {finite.max():.6g}, mean {finite.mean(dtype=np.float64):.6g}" if finite.size else ""
    return ", ".join(part for part in (said, f"{odd} of {value.size} not finite" if odd else "") if part)


def _best(value: Array, top: int) -> list[tuple[int, float]]:
    """Positions and values of the largest elements of a vector (or a batch of one); equal ones in order."""
    if value.ndim == 0 or value.size != value.shape[-1] or value.size < 2 or value.dtype == bool:
        return []
    vector = value.reshape(-1)
    order = np.argsort(np.where(np.isnan(vector), np.inf, -vector.astype(np.float64)), kind="stable")
    return [(int(at), float(vector[at])) for at in order[:top]]


def check_labels(labels: Sequence[str], values: Mapping[str, Array], path: object) -> None:
    """Names of classes are for scores of as many elements; some of the values must be such (E0707)."""
    scores = {name: value for name, value in values.items() if _best(value, 1)}
    if not labels or any(value.size == len(labels) for value in scores.values()):
        return
    said = (
        ", ".join(f"`{name}` has {value.size}" for name, value in scores.items()) or "no output is a vector of scores"
    )
    message = f"{path} has {plural(len(labels), 'name')}, but {said}"
    raise data_error("E0707", message=message, advice="give one name for each score, or say with --want which they are")


def _output_json(value: Array, report: Report) -> dict[str, Any]:
    finite = value[np.isfinite(value)] if value.dtype.kind == "f" else value
    about: dict[str, Any] = {"extents": list(value.shape), "dtype": str(value.dtype)}
    about["not_finite"] = int(value.size - finite.size)
    if finite.size:
        about |= {"min": finite.min().item(), "max": finite.max().item(), "mean": float(finite.mean(dtype=np.float64))}
    if value.ndim == 0:
        about["value"] = _number(value.item())
    best = _best(value, report.top)
    return about | ({"top": [_score_json(value, at, score, report) for at, score in best]} if best else {})


def _score_json(value: Array, at: int, score: float, report: Report) -> dict[str, Any]:
    label = report.label(value, at)
    return {"index": at, "value": _number(score), **({"label": label} if label else {})}


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity: these are told as text."""
    return value if np.isfinite(value) else str(value)


def _layer_json(row: Layer) -> dict[str, Any]:
    told = {"name": row.name, "equation": row.text, "extents": list(row.extents), "parameters": row.params}
    return {**told, "multiply_adds": row.macs, "milliseconds": row.milliseconds, "gflops": row.gflops}
