"""What the command line does whatever the command: exit codes, streams, failures of ours and of the system."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest
from commandline import indexlang

from indexlang.cli.commands import explain
from indexlang.text.codes import CODES
from indexlang.text.diagnostics import DataError, NumericalError, ProgramError, diagnostic

ROOT = Path(__file__).parents[2]


def process(*arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **how.pop("env", {})}
    command = [sys.executable, "-m", "indexlang", *arguments]
    how = {"capture_output": True, "text": True, "timeout": 60, **how}
    return subprocess.run(command, env=environment, **how)


def test_help_names_every_command():
    ended = indexlang("--help")
    assert ended.exit == 0
    for name in ("run", "check", "show", "explain", "doctor"):
        assert f"  {name} " in ended.out
    assert ended.err == ""


@pytest.mark.parametrize("arguments", [["--help"], ["check", "examples/models/densenet.idx", "-D", "depth=201"]])
def test_no_heavy_package_is_loaded_for_help_and_checks(arguments: list[str]):
    code = (
        f"import sys\nfrom indexlang.cli.app import outcome\nassert outcome({arguments}) == 0\n"
        "heavy = {'numpy', 'numba', 'llvmlite', 'lark', 'PIL', 'rich', 'platformdirs'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["--nonsense"], ["run"], ["check"], ["run", "a.idx", "--top", "x"], ["explain", "E9999"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str]):
    ended = indexlang(*arguments)
    assert ended.exit == 2
    assert ended.out == ""
    assert ended.err
    assert "Traceback" not in ended.err


def test_version():
    assert indexlang("--version").out.startswith("indexlang 0.")


# -- explain


@pytest.mark.parametrize("code", CODES)
def test_explain_tells_every_code(code: str):
    ended = indexlang("explain", code.lower())
    assert ended.exit == 0
    assert CODES[code].title in ended.out


def test_explain_without_a_code_lists_them():
    assert len(indexlang("explain").out.splitlines()) == len(CODES)


def test_explain_offers_the_nearest():
    assert "E0412" in indexlang("explain", "E412").err


# -- failures


def failing(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> Any:
    """The end of a command that raises `problem`."""

    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(explain, "command", click.Command("explain", callback=fail))
    return indexlang("explain")


FAILURES = (
    (ProgramError([diagnostic("E0307", op="sum", advice="x")]), 1, "error[E0307]"),
    (DataError([diagnostic("E0704", path="a", reason="b")]), 3, "error[E0704]"),
    (NumericalError([diagnostic("E0307", op="sum", advice="x")]), 4, "error[E0307]"),
    (KeyboardInterrupt(), 130, "interrupted"),
)


@pytest.mark.parametrize(("problem", "code", "told"), FAILURES)
def test_a_failure_has_its_exit_code(monkeypatch: pytest.MonkeyPatch, problem: BaseException, code: int, told: str):
    ended = failing(monkeypatch, problem)
    assert ended.exit == code
    assert told in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    "problem", [ZeroDivisionError("a\x1b[2J\nb"), RecursionError(), AssertionError(), MemoryError()]
)
def test_a_bug_of_ours_has_a_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, problem: BaseException):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    ended = failing(monkeypatch, problem)
    assert ended.exit == 70
    assert "Traceback" not in ended.err
    assert "\x1b" not in ended.err
    (log,) = tmp_path.rglob("*.log")
    assert str(log) in ended.err
    assert "Traceback" in log.read_text()


def test_a_bug_without_a_place_for_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    ended = failing(monkeypatch, ZeroDivisionError())
    assert ended.exit == 70
    assert "could not be written" in ended.err


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.6, 1.5])
def test_ctrl_c_ends_any_command_soon(tmp_path: Path, seconds: float):
    command = [sys.executable, "-m", "indexlang", "run", "examples/alexnet.idx", "--repeat", "1000000"]
    environment = {**os.environ, "INDEXLANG_CACHE": str(tmp_path)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as running:
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        started = time.perf_counter()
        _, told = running.communicate(timeout=30)
    assert running.returncode == 130
    assert time.perf_counter() - started < 2
    assert "Traceback" not in told


# -- streams


def test_a_reader_that_goes_away_is_no_bug():
    reader, writer = os.pipe()
    os.close(reader)
    ended = process("explain", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (3, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told():
    with open("/dev/full", "w") as full:
        ended = process("explain", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 3
    assert "cannot write the result" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_closed_streams(closed: str):
    shut = {"stdout": ">&-", "stderr": "2>&-", "both": ">&- 2>&-"}[closed]
    ended = process_in_shell(f"{sys.executable} -m indexlang explain E0412 {shut}")
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    ended = process_in_shell(f"{sys.executable} -m indexlang explain E9999 {shut}")
    assert ended.returncode == 2


def process_in_shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_an_ascii_terminal():
    ended = process("explain", "E0108", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert ended.returncode == 0
    assert ended.stdout.isascii()


@pytest.mark.parametrize("columns", ["40", "80", "0", "-1", "x", "9" * 99])
def test_any_width(columns: str):
    ended = process("explain", "E0412", env={"COLUMNS": columns})
    assert ended.returncode == 0
    if columns == "40":
        assert max(map(len, ended.stdout.splitlines())) <= 40


# -- doctor


def test_doctor_as_text_and_as_json(tmp_path: Path):
    there = {"INDEXLANG_CACHE": str(tmp_path / "cache")}
    text = process("doctor", env=there)
    assert text.returncode == 0
    for word in ("indexlang", "Python", "numba", "SIMD", "cores", "f32 peak", "bandwidth", "cache folder"):
        assert word in text.stdout
    value = json.loads(process("doctor", "--json", env=there).stdout)
    assert value["schema"] == 1
    assert value["f32_peak"] > 1e9
    assert value["copy_bandwidth"] > 1e8
    assert value["cache_folder"] == str(tmp_path / "cache")


def test_doctor_tells_of_a_bad_cache_folder(tmp_path: Path):
    (tmp_path / "cache").write_text("in the way")
    ended = process("doctor", env={"INDEXLANG_CACHE": str(tmp_path / "cache")})
    assert ended.returncode == 0
    assert "trouble" in ended.stdout
    assert "in memory" in ended.stdout
