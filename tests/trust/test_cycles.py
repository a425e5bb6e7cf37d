"""Programs that nothing refers to any more leave nothing behind: compile and run, a thousand times in one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MB = 1_000_000

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def grown(folder: Path, count: int, warm: int, kind: str) -> int:
    """Bytes by which a process of its own grows over `count` cycles, on a cache that was not there."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "INDEXLANG_CACHE": str(folder / "cache")}
    command = [sys.executable, str(HERE / "cycles.py"), str(count), str(warm), kind]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=7200)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return int(ended.stdout)


def test_a_hundred_cycles_of_known_kernels(tmp_path: Path) -> None:
    """A tenth of what a thousand may: programs, plans and arenas go with the last reference."""
    assert grown(tmp_path, 100, 30, "same") <= 5 * MB


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["same", "new"])
def test_a_thousand_cycles(tmp_path: Path, kind: str) -> None:
    """Kernels that are new each time stay loaded, and are counted."""
    assert grown(tmp_path, 1000, 30, kind) <= 50 * MB
