"""Which test reaches which line: `coverage run -m pytest -p mutation.reached` makes each test a context of its own.

How long each took, of the processor and not of the clock, is written to the file that REACHED_TIMES names.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path
from time import process_time

import coverage
import pytest

_seconds: dict[str, float] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    measured = coverage.Coverage.current()
    assert measured is not None, "run under `coverage run`"
    started = process_time()
    measured.switch_context(item.nodeid)
    try:
        return (yield)
    finally:
        measured.switch_context("")
        _seconds[item.nodeid] = process_time() - started


def pytest_sessionfinish() -> None:
    path = Path(os.environ.get("REACHED_TIMES", "times.json"))
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | _seconds))
