"""What was measured: rows, the machine's limits and versions; as JSON, merged from parts, and as one table of text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The most this machine can do with `threads` threads, measured in the same run: each a second."""

    threads: int
    f32_peak: float
    copy_bandwidth: float

    def seconds(self, flops: float, moved: float) -> float:
        """The least time for so many operations and bytes."""
        return max(flops / self.f32_peak, moved / self.copy_bandwidth)


@dataclass(frozen=True, slots=True)
class Row:
    """One case. Where `unit` is ms, `ours` and `peers` are medians of interleaved rounds.

    peers   by name; the ratio is ours over the least of them
    flops   operations, a multiply-add being two; `moved`: bytes of each input and output once; 0 where they say nothing
    into    ours again, its result written into an array given; None where that was not asked
    """

    table: str
    case: str
    ours: float
    peers: Mapping[str, float] = field(default_factory=dict[str, float])
    unit: str = "ms"
    flops: int = 0
    moved: int = 0
    into: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / min(self.peers.values()) if self.peers else None

    def share(self, limits: Limits) -> float | None:
        """Which part of the machine's limit is used: 1 is as fast as the machine can compute, or copy."""
        least = limits.seconds(self.flops, self.moved)
        return 1e3 * least / (self.into or self.ours) if least and self.unit == "ms" else None

    def bound(self, limits: Limits) -> str:
        """Which limit that is."""
        return "peak" if self.flops / limits.f32_peak > self.moved / limits.copy_bandwidth else "copy"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run of the benchmarks found out. `asked` says for each table what is to be reached."""

    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    limits: Limits
    asked: Mapping[str, str]
    rows: tuple[Row, ...]
    skipped: Mapping[str, str]


def written(report: Report) -> str:
    return json.dumps({"schema": SCHEMA, **asdict(report)}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> Report:
    found = json.loads(path.read_text(encoding="utf-8"))
    if found.pop("schema") != SCHEMA:
        raise SystemExit(f"{path} is of another version of the benchmarks; measure again")
    rows = tuple(Row(**row) for row in found.pop("rows"))
    return Report(limits=Limits(**found.pop("limits")), rows=rows, **found)


def merged(old: Report, new: Report) -> Report:
    """Rows of `new` in the place of rows of the same case, all else from `new`."""
    fresh = {(r.table, r.case): r for r in new.rows}
    kept = [fresh.pop((r.table, r.case), r) for r in old.rows]
    skipped = {**old.skipped, **new.skipped}
    return Report(new.versions, new.machine, new.limits, {**old.asked, **new.asked}, (*kept, *fresh.values()), skipped)


def mean_ratio(rows: Sequence[Row]) -> float | None:
    """The geometric mean of the ratios."""
    ratios = [r.ratio for r in rows if r.ratio]
    return exp(sum(map(log, ratios)) / len(ratios)) if ratios else None


TITLES = ("case", "ours", "ratio", "share", "peers")


def cells(row: Row, limits: Limits) -> tuple[str, ...]:
    """What is shown of a row: peers from the best to the slowest."""
    share = row.share(limits)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    peers = "; ".join(f"{name} {_number(t)}" for name, t in sorted(row.peers.items(), key=lambda pair: pair[1]))
    part = "" if share is None else f"{100 * share:.0f} % {row.bound(limits)}"
    return (row.case, f"{_number(row.ours)} {row.unit}", ratio, part, peers)


def line(row: Row, limits: Limits) -> str:
    case, ours, ratio, share, peers = cells(row, limits)
    return f"  {case:<38} {ours:>13}  {ratio:>6}  {share:>10}   {peers}".rstrip()


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
