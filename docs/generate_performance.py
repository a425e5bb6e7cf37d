"""Write the tables of docs/performance.md from a run of the benchmarks: `python docs/generate_performance.py out.json`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.report import TITLES, Report, cells, mean_ratio, read

PAGE = Path(__file__).with_name("performance.md")
BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->"


def tables(report: Report) -> str:
    """All tables as Markdown, with versions and limits."""
    limits = report.limits
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    said = [
        f"{versions}. {limits.threads} threads, vectors of {report.machine['vector_bits']} bits, "
        f"{limits.f32_peak / 1e9:.0f} GFLOP/s in registers, {limits.copy_bandwidth / 1e9:.1f} GB/s copied."
    ]
    for name in dict.fromkeys(r.table for r in report.rows):
        rows = [r for r in report.rows if r.table == name]
        lines = [
            f"| {' | '.join(row)} |"
            for row in (TITLES, ("---", *["--:"] * 3, "---"), *(cells(r, limits) for r in rows))
        ]
        mean = mean_ratio(rows)
        told = "" if mean is None else f" Geometric mean of the ratios: {mean:.2f}."
        said.append(f"### {name.capitalize()}\n\n{report.asked[name]}.{told}\n\n" + "\n".join(lines))
    said += [f"Left out: {name}: {reason}." for name, reason in report.skipped.items()]
    return "\n\n".join(said) + "\n"


def filled(page: str, text: str) -> str:
    """The page with other tables between its marks."""
    head, rest = page.split(BEGIN)
    return head + BEGIN + text + END + rest.split(END)[1]


if __name__ == "__main__":
    found = tables(read(Path(sys.argv[1])))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
