"""How many mutants of the compiler the tests find: `python tests/mutation/run.py --seed 1 --count 300`.

Wants the cosmic-ray package (`pip install -e '.[test,cover,mutate]'`), and a `.coverage` that tells which test reaches which
line (`coverage run -m pytest -p mutation.reached ...`, with PYTHONPATH=tests, then `coverage combine`). Each mutant is
given to tests that reach its line, the quickest of every test file in turn, for so many seconds of the processor, and
to more of them if it survives those; it is killed if one fails, or does not end. Every twentieth selection runs on the
unchanged compiler too, where all must pass. `mutants.jsonl` has a line for each; "passed" ones survived.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import coverage
import numba  # loaded once here, so that the forked runs need not
import numpy
import pytest
from mutation.mutants import ROOT, Mutant, sample

LOADED = (numba, numpy)
PARTS = ("indexlang", "kernels", "grammar", "tests", "examples", "docs", "pyproject.toml", "README.md", "benchmarks")
TIMED = (
    "tests/trust/",
    "tests/models/",
    "tests/property/test_scaling",
    "tests/property/test_text_bounds",
    "tests/cli/test_bench",
)
CONTROL = 20
Reached = dict[str, dict[int, list[str]]]


class Tests:
    """The tests that reach a line, in the order in which they are tried."""

    def __init__(self, data: Path, times: Path) -> None:
        self._data = coverage.CoverageData(str(data))
        self._data.read()
        self._files = {Path(f).as_posix(): f for f in self._data.measured_files()}
        self._seconds: dict[str, float] = json.loads(times.read_text())

    def of(self, m: Mutant, seconds: float) -> list[str]:
        """The quickest of every file in turn, as many as take `seconds`."""
        by_line = self._data.contexts_by_lineno(next(f for p, f in self._files.items() if p.endswith("/" + m.file)))
        whole = set(chain.from_iterable(by_line.values()))  # for what runs when the file is imported
        reach = next((r for line in m.lines() if (r := set(by_line.get(line, ())) - {""})), whole - {""})
        chosen: list[str] = []
        left = seconds
        for test in self._in_turn(t for t in reach if not t.startswith(TIMED)):
            if self._seconds[test] <= left:
                chosen.append(test)
                left -= self._seconds[test]
        return chosen

    def _in_turn(self, tests: Iterator[str]) -> Iterator[str]:
        by_file: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda t: (self._seconds.get(t, 1e9), t)):
            if test in self._seconds:
                by_file.setdefault(test.partition("::")[0], []).append(test)
        rows = zip_longest(*(by_file[f] for f in sorted(by_file)))
        return (test for row in rows for test in row if test is not None)


def outcome(tree: Path, tests: list[str], seconds: int, log: Path) -> str:
    """Run `tests` in a forked process: "passed", "failed", "broken" (nothing can be imported or collected), "endless"."""
    child = os.fork()
    if child == 0:
        _become(tree, tests, seconds, log)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "endless" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "failed"
    return {0: "passed", 1: "failed"}.get(os.WEXITSTATUS(status), "broken")


def _become(tree: Path, tests: list[str], seconds: int, log: Path) -> None:
    os.setpgrp()
    os.chdir(tree)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    sys.path[:] = [str(tree), *(p for p in sys.path if p and not Path(p).is_relative_to(ROOT))]
    sys.dont_write_bytecode = True
    os.environ["PYTHONPATH"] = str(tree)
    code = 70
    try:
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--tb=line", *tests])
    finally:
        os._exit(int(code))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="the number of the first one that is tried")
    parser.add_argument("--data", type=Path, default=ROOT / ".coverage")
    parser.add_argument("--times", type=Path, default=ROOT / "times.json")
    parser.add_argument("--seconds", type=float, default=6.0, help="of tests for a mutant")
    parser.add_argument("--more", type=float, default=60.0, help="seconds of tests for one that survives those")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which no other mutant is begun")
    parser.add_argument("--out", type=Path, default=Path("mutants.jsonl"))
    given = parser.parse_args()
    tests = Tests(given.data, given.times)
    end = time.monotonic() + 60 * given.minutes
    with tempfile.TemporaryDirectory() as folder, given.out.open("a") as out:
        tree = Path(folder) / "tree"
        for part in PARTS:
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, _made(tree / part))
        for number, mutant in enumerate(sample(given.seed, given.count)[given.first :], given.first):
            if time.monotonic() > end:
                break
            steps = (tests.of(mutant, given.seconds), tests.of(mutant, given.more))
            told = _tried(mutant, number, steps, tree, int(4 * given.more) + 20)
            print(json.dumps(told), file=out, flush=True)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _tried(mutant: Mutant, number: int, steps: tuple[list[str], ...], tree: Path, seconds: int) -> dict[str, object]:
    """What became of a mutant under the first tests, and under further ones if it survives those."""
    path, log = tree / mutant.file, tree / "log.txt"
    if number % CONTROL == 0:
        control = outcome(tree, steps[0], seconds, log)
        assert control == "passed", f"the unchanged compiler fails:\n{log.read_text()}"
    before, at = path.read_bytes(), path.stat()
    path.write_text(mutant.source(), encoding="utf-8")
    result, done = "not reached", list[str]()
    for step in steps:
        further = [t for t in step if t not in done]
        if result in ("not reached", "passed") and further:
            result = outcome(tree, further, seconds, log)
            done += further
    path.write_bytes(before)
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    told = log.read_text(errors="replace").strip().splitlines()[-3:] if done else []
    return {"number": number, "result": result, "tests": len(done), "shown": mutant.shown(), "told": told}


if __name__ == "__main__":
    main()
