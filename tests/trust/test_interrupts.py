"""Ctrl-C at any time: a command ends within two seconds with exit code 130, and leaves no partial file."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from long_runs import part_of
from own_time import let_compute, seconds_until_end

ROOT = Path(__file__).parents[2]
SECONDS = 2.0
STARTED = "in main"  # of a traceback, when the command line had begun

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends a signal")


class Command:
    """`indexlang …` in a process of its own, with Ctrl-C heeded whatever started it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "indexlang", *arguments]
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            **streams,
        )

    def interrupted(self) -> str:
        """Ctrl-C now: what was told, after all that is promised is found to hold."""
        assert self.process.poll() is None, f"it ended before: {self.process.communicate()}"
        self.process.send_signal(signal.SIGINT)
        took = seconds_until_end(self.process)
        _, told = self.process.communicate()
        assert took < SECONDS + 0.5, took  # what starting to look and being looked at may take
        assert self.process.returncode == 130, told
        assert "Traceback" not in told
        return told


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.rglob("*") if ".part" in p.name or p.name == "out.npz"]


# Each would take minutes: in one piece for each thread, as a serial step, as one iteration that nothing can divide.
LONG = {
    "a sum in blocks": "y = sum[i:100000,j:10000000] sin(1.0*i*j)\noutput y\n",
    "a serial scatter": "input t[T] : int\ntensor C[3]\nC[t[n]] += 1.5*sum[k:1000000] sin(1.0*k*n)\noutput C\n",
    "one iteration": "y[k:1] = max[i:100000,j:10000000] sin(1.0*i*j+k)\noutput y\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_a_kernel_of_minutes_is_left(tmp_path: Path, kind: str) -> None:
    (tmp_path / "long.idx").write_text(LONG[kind])
    more: list[str] = []
    if "input t" in LONG[kind]:
        np.save(tmp_path / "t.npy", np.arange(200_000) % 3)
        more = ["--input", "t=t.npy"]
    command = Command(tmp_path, "run", "long.idx", "--out", f"{'C' if more else 'y'}=out.npz", *more)
    let_compute(command.process, 6)  # more than starting and compiling take
    command.interrupted()
    assert not leftovers(tmp_path)


def at_random_times(folder: Path, rounds: range, seed: int, longest: float, *arguments: str) -> int:
    """How many of the rounds were interrupted before they ended by themselves."""
    hit = 0
    for turn in rounds:
        after = random.Random(f"{seed}/{turn}").uniform(0.02, longest)
        command = Command(folder, *arguments)
        time.sleep(after)
        if command.process.poll() is None:
            command.process.send_signal(signal.SIGINT)
            took = seconds_until_end(command.process)
            _, told = command.process.communicate()
            assert took < SECONDS + 0.5, (seed, turn, after, took)
            code = command.process.returncode
            if "Traceback" in told and STARTED not in told:
                code = 130  # Python itself was starting: nobody could heed it yet
            else:
                assert "Traceback" not in told, (seed, turn, after, told)
            assert code in (0, 130, -signal.SIGINT), (seed, turn, after, told)  # the last: Python itself was ending
            hit += code != 0
        else:
            command.process.communicate()
        assert not leftovers(folder), (seed, turn, after)
    return hit


def big(folder: Path) -> Path:
    text = "input a0[9]\n" + "".join(f"a{n + 1}[i] = 2*a{n}[i] - 1\n" for n in range(5500))
    (folder / "big.idx").write_text(text)
    return folder


def test_check_is_left_at_any_time(tmp_path: Path) -> None:
    assert at_random_times(big(tmp_path), range(4), 11, 1.2, "check", "big.idx")


@pytest.mark.soak
@pytest.mark.parametrize("command", ["check", "run"])
def test_commands_are_left_at_many_times(tmp_path: Path, command: str) -> None:
    rounds = part_of(range(50))
    assert at_random_times(big(tmp_path), rounds, 12, 6.0, command, "big.idx") >= len(rounds) // 5


# The first step is left at once, so that the second is of interest: it takes seconds, in pieces or in one.
SLOW = {
    "in pieces": "E = sum[a:30000,b:30000] sin(1.0*a*b + X[0,0])\n",
    "in one": "M[k:1] = max[a:20000,b:10000] sin(1.0*a*b + X[k,0])\nE = M[0]\n",
}
NET = """
input X[N, 4]
input label[N] : int
param W[4,3] ~ xavier
s[n,k] = sum X[n,j]*W[j,k]
{}loss = CrossEntropy(s, label) + 0*E
output s, loss
"""


@pytest.mark.parametrize("kind", SLOW)
def test_a_step_of_seconds_is_given_up(tmp_path: Path, kind: str) -> None:
    random_ = np.random.default_rng(0)
    np.savez(
        tmp_path / "d.npz", X=random_.standard_normal((64, 4)).astype(np.float32), label=random_.integers(0, 3, 64)
    )
    (tmp_path / "net.idx").write_text(NET.format(SLOW[kind]))
    command = Command(tmp_path, "train", "net.idx", "--data", "d.npz", "--save", "r", "--batch", "8", "--seed", "1")
    told_of = tmp_path / "r" / "metrics.jsonl"
    until = time.monotonic() + 600
    while time.monotonic() < until and not (told_of.exists() and told_of.read_text().count("\n")):
        assert command.process.poll() is None, command.process.communicate()
        time.sleep(0.05)
    time.sleep(0.3)
    told = command.interrupted()
    assert not leftovers(tmp_path)
    if kind == "in pieces":
        assert "interrupted after" in told
        assert (tmp_path / "r" / "checkpoint.safetensors").exists()
