"""The roofline picture: what each case reaches, beside what the machine can compute and copy.

Source: Williams, Waterman and Patterson, Roofline: an insightful visual performance model, CACM 52(4), 2009.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Limits, Row
from indexlang.plot.canvas import COLOURS, GREY, canvas, check_path


def draw(path: Path, rows: Sequence[Row], limits: Limits) -> None:
    """Operations a byte to the right, GFLOP/s upwards, a colour for each table. Raises DataError E0825 without matplotlib."""
    check_path(path)
    shown = [r for r in rows if r.flops and r.moved and r.unit == "ms"]
    tables = list(dict.fromkeys(r.table for r in shown))
    with canvas(path, 7.0, 4.5) as figure:
        axes = figure.subplots()
        for table, colour in zip(tables, COLOURS * len(tables), strict=False):
            of = [r for r in shown if r.table == table]
            reached = [r.flops / r.ours / 1e6 for r in of]
            axes.scatter([r.flops / r.moved for r in of], reached, s=14, color=colour, label=table)
        ends = [
            min((r.flops / r.moved for r in shown), default=0.1) / 2,
            max((r.flops / r.moved for r in shown), default=1000) * 2,
        ]
        knee = limits.f32_peak / limits.copy_bandwidth
        at = sorted({*ends, knee})
        axes.plot(
            at, [min(limits.f32_peak, x * limits.copy_bandwidth) / 1e9 for x in at], color=GREY, label="the machine"
        )
        axes.set(xscale="log", yscale="log", xlabel="operations a byte of inputs and outputs", ylabel="GFLOP/s")
        axes.legend()
