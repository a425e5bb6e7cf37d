"""How many mutants of the compiler the tests find: `python tests/mutation/run.py --seed 1 --count 300`.

Wants the cosmic-ray package (`pip install -e '.[test,cover,mutate]'`), and a `.coverage` that tells which test reaches which
line (`coverage run -m pytest -p mutation.reached ...`, with PYTHONPATH=tests, then `coverage combine`).

The tests are collected once. For each mutant a forked process takes over the changed code and runs tests that reach its
line, the quickest of every test file in turn, for so many seconds of the processor, and more of them if it survives
those. It is killed if one fails, or does not end. Every twentieth selection runs on the unchanged compiler too, where
all must pass. `mutants.jsonl` has a line for each: "passed" ones survived.
"""

import argparse
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import chain, zip_longest
from pathlib import Path
from types import ModuleType

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (2, 1)]

import coverage
import pytest
from _pytest.runner import runtestprotocol
from mutation.mutants import ROOT, Mutant, sample
from mutation.swap import swap

TIMED = (
    "tests/trust/",
    "tests/models/",
    "tests/property/test_scaling",
    "tests/property/test_text_bounds",
    "tests/cli/test_bench",
)
CONTROL = 20


class Tests:
    """The tests that reach a line, in the order in which they are tried."""

    def __init__(self, data: Path, times: Path, known: set[str]) -> None:
        self._data = coverage.CoverageData(str(data))
        self._data.read()
        self._files = {Path(f).as_posix(): f for f in self._data.measured_files()}
        took: dict[str, float] = json.loads(times.read_text())
        self._seconds = {test: s for test, s in took.items() if test in known and not test.startswith(TIMED)}

    def of(self, m: Mutant, seconds: float) -> list[str]:
        """The quickest of every file in turn, as many as take `seconds`."""
        by_line = self._data.contexts_by_lineno(next(f for p, f in self._files.items() if p.endswith("/" + m.file)))
        whole = set(chain.from_iterable(by_line.values()))  # for what runs when the file is imported
        reach = next((r for line in m.lines() if (r := set(by_line.get(line, ())) - {""})), whole - {""})
        chosen: list[str] = []
        left = seconds
        for test in self._in_turn(reach):
            if self._seconds[test] <= left:
                chosen.append(test)
                left -= self._seconds[test]
        return chosen

    def seconds(self, tests: list[str]) -> float:
        """How long they took while it was found out what they reach."""
        return sum(self._seconds[test] for test in tests)

    def _in_turn(self, tests: set[str]) -> Iterator[str]:
        by_file: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda t: (self._seconds.get(t, 1e9), t)):
            if test in self._seconds:
                by_file.setdefault(test.partition("::")[0], []).append(test)
        rows = zip_longest(*(by_file[f] for f in sorted(by_file)))
        return (test for row in rows for test in row if test is not None)


class Loop:
    """In place of pytest's own loop over the tests: one over mutants."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.items: dict[str, pytest.Item] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        given = self.given
        tests = self.tests = Tests(given.data, given.times, set(self.items))
        end = time.monotonic() + 60 * given.minutes
        with given.out.open("a") as out:
            for number, mutant in enumerate(sample(given.seed, given.count)[given.first :], given.first):
                if time.monotonic() < end:
                    told = self._tried(mutant, number, (tests.of(mutant, given.seconds), tests.of(mutant, given.more)))
                    print(json.dumps(told), file=out, flush=True)
        return True

    def _tried(self, mutant: Mutant, number: int, steps: tuple[list[str], ...]) -> dict[str, object]:
        """What became of a mutant under the first tests, and under further ones if it survives those."""
        if number % CONTROL == 0:
            control, which = self._outcome(None, steps[0])
            assert control == "passed", f"the unchanged compiler fails {which}"
        result, which, done = "not reached", "", list[str]()
        for step in steps:
            further = [t for t in step if t not in done]
            if result in ("not reached", "passed") and further:
                result, which = self._outcome(mutant, further)
                done += further
        return {"number": number, "result": result, "tests": len(done), "by": which, "shown": mutant.shown()}

    def _outcome(self, mutant: Mutant | None, tests: list[str]) -> tuple[str, str]:
        """Run `tests` in a forked process: "passed", "failed", "endless" or "not swapped", and the last one that ran."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._become(mutant, tests, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            which = "".join(pipe.read().splitlines()[-1:])
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return ("endless" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "failed"), which
        return {0: "passed", 1: "failed", 2: "not swapped"}[os.WEXITSTATUS(status)], which

    def _become(self, mutant: Mutant | None, tests: list[str], pipe: int) -> None:
        seconds = 10 + int(2 * self.tests.seconds(tests))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = 1
        try:
            if mutant is None or swap(_module(mutant), mutant.source()):
                code = int(not all(self._passes(t, pipe) for t in tests))
            else:
                code = 2
        finally:
            os._exit(code)

    def _passes(self, test: str, pipe: int) -> bool:
        os.write(pipe, f"{test}\n".encode())
        return not any(report.failed for report in runtestprotocol(self.items[test], log=False, nextitem=None))


def _module(mutant: Mutant) -> ModuleType:
    return import_module(mutant.file.removesuffix(".py").replace("/", "."))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", default=["tests"], help="of tests that are tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="the number of the first one that is tried")
    parser.add_argument("--data", type=Path, default=ROOT / ".coverage")
    parser.add_argument("--times", type=Path, default=ROOT / "times.json")
    parser.add_argument("--seconds", type=float, default=6.0, help="of tests for a mutant")
    parser.add_argument("--more", type=float, default=60.0, help="seconds of tests for one that survives those")
    parser.add_argument("--minutes", type=float, default=1e9, help="after which no other mutant is begun")
    parser.add_argument("--out", type=Path, default=ROOT / "mutants.jsonl")
    given = parser.parse_args()
    os.chdir(ROOT)
    pytest.main(["-q", "-s", "-p", "no:cacheprovider", *given.folders], plugins=[Loop(given)])


if __name__ == "__main__":
    main()
