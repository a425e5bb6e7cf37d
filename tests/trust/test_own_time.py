"""The clock of the Ctrl-C tests finds what takes too long: a process that computes, and one that sleeps."""

import subprocess
import sys

import pytest
from own_time import let_compute, processor_seconds, seconds_until_end

COMPUTE = "import time\nuntil = time.process_time() + {0}\nwhile time.process_time() < until: pass"
SLEEP = "import time\ntime.sleep({0})"


@pytest.mark.parametrize("program", [COMPUTE, SLEEP], ids=["computing", "asleep"])
def test_what_a_process_does_is_counted(program: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", program.format(1.5)], text=True)
    assert seconds_until_end(process) > 1.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_others_take_is_not_counted() -> None:
    """Six that compute for a second each, on fewer processors than that or on more: none takes much longer for itself."""
    crowd = [subprocess.Popen([sys.executable, "-c", COMPUTE.format(1.0)], text=True) for _ in range(6)]
    assert seconds_until_end(crowd[0]) < 3.0
    for process in crowd:
        process.wait()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_is_let_compute() -> None:
    process = subprocess.Popen([sys.executable, "-c", COMPUTE.format(60)], text=True)
    let_compute(process, 0.5)
    used = processor_seconds(process)
    process.kill()
    process.wait()
    assert used is not None
    assert 0.5 <= used < 30
