"""Every bad program ends with its exit code and its diagnostic: no traceback, no hang, whatever was wrong."""

import os
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_programs import BAD, CALLS, Bad, BadCall
from commandline import indexlang

import indexlang as il

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 2.0
CHECKED = [row for row in BAD if row.command == "check bad.idx" and row.exit == 1]


def by_name(row: Bad | BadCall) -> str:
    return row.name


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """What a first call loads is not counted to the row that happens to be first."""
    il.compile("y[i] = 2*x[i]")(x=np.ones(3))


@pytest.mark.parametrize("row", BAD, ids=by_name)
def test_a_bad_program_gets_its_message(row: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out(row, tmp_path)
    monkeypatch.chdir(tmp_path)
    started = time.perf_counter()
    ended = indexlang(*row.command.split())
    seconds = time.perf_counter() - started
    assert_told(row, ended.exit, ended.out, ended.err)
    assert seconds < SECONDS


@pytest.mark.parametrize("row", CHECKED, ids=by_name)
def test_check_returns_what_the_command_prints(row: Bad, tmp_path: Path) -> None:
    laid_out(row, tmp_path)
    found = [d for d in il.check(tmp_path / "bad.idx") if d.severity.value == "error"]
    assert found
    assert any(re.fullmatch(row.code, d.code) for d in found)
    for d in found:
        assert d.message
        assert d.hint


@pytest.mark.parametrize("row", CALLS, ids=by_name)
def test_wrong_arguments_get_their_message(row: BadCall) -> None:
    with pytest.raises(il.IndexlangError) as caught:
        il.compile(row.text)(**row.arguments)
    told = str(caught.value)
    assert any(re.fullmatch(row.code, d.code) for d in caught.value.diagnostics), told
    missing = [word for word in row.words if word.lower() not in told.lower()]
    assert not missing, told
    assert not [frame for frame in traceback.extract_tb(caught.tb) if "numba" in frame.filename]


def test_several_mistakes_are_told_in_one_go() -> None:
    text = "input X[3]\nA[i] = X[i] + * 2\nC[i] = Y[i]\nD[i] = rleu(X[i])\nE[i] = (X[i]\nF[i] = X[i,i]\nG[i] = X[i]"
    told = {(d.code, d.line) for d in il.check(text)}
    assert {("E0101", 2), ("E0201", 3), ("E0204", 4), ("E0104", 5), ("E0301", 6)} <= told
    assert not [line for _, line in told if line == 7]


def test_one_mistake_is_told_once() -> None:
    told = il.check("input X[3]\nA[i] = Y[i]\nC[i] = 2*A[i]\nD[i] = C[i] + A[i]")
    assert [(d.code, d.line) for d in told] == [("E0201", 2)]


def test_a_mistake_in_a_call_is_told_once() -> None:
    """Neither whole tensors nor the packages of a call that went wrong are told again."""
    layer = "def F(L[I], Φ, features J = ?):\n    param W[I,J]\n    R[j] = sum W[i,j]*L[i]*oops\n    return R\n"
    told = il.check(layer + "input X[4]\nA[3] = F(X, Φ1)\na = max abs(A - A)\nw = Φ1.W[0,0]\nm = max Φ1.W")
    assert [(d.code, d.line) for d in told] == [("E0201", 3)]
    assert [d.code for d in il.check("input X[3]\nm = max Y")] == ["E0201"]


def test_a_good_program_has_no_message() -> None:
    assert not il.check("input X[3]\nA[i] = 2*X[i]")


@pytest.mark.parametrize("kind", ["a file", "a folder that may not be read", "a folder that others may write"])
def test_a_bad_cache_folder_changes_nothing_but_speed(kind: str, tmp_path: Path) -> None:
    (tmp_path / "good.idx").write_text('input X[3] from "x.npy"\nA[i] = 2*X[i]\n')
    np.save(tmp_path / "x.npy", np.array([1.0, 2.0, 3.0], np.float32))
    ended = in_process("run", "good.idx", "--out", "A=a.npy", folder=tmp_path, cache=bad_cache(kind, tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.array([2.0, 4.0, 6.0], np.float32))


def test_a_new_process_says_the_same(tmp_path: Path) -> None:
    row = next(row for row in BAD if row.name == "one past the end")
    laid_out(row, tmp_path)
    ended = in_process(*row.command.split(), folder=tmp_path, cache=tmp_path / "cache")
    assert_told(row, ended.returncode, ended.stdout, ended.stderr)


def laid_out(row: Bad, folder: Path) -> None:
    """The program and its files, as the command finds them."""
    (folder / "bad.idx").write_bytes(row.text if isinstance(row.text, bytes) else row.text.encode())
    for name, content in row.files.items():
        match content:
            case np.ndarray():
                np.save(folder / name, content, allow_pickle=True)
            case str():
                (folder / name).write_text(content)
            case _:
                (folder / name).write_bytes(content)


def assert_told(row: Bad, exit: int, out: str, err: str) -> None:
    told = f"exit {exit}\n--- stdout\n{out}\n--- stderr\n{err}"
    assert exit in (row.exit if isinstance(row.exit, tuple) else (row.exit,)), told
    assert "Traceback" not in out + err, told
    if row.code:
        assert re.search(rf"\[({row.code})\]", err), told
    missing = [word for word in row.words if word.lower() not in err.lower()]
    assert not missing, f"{missing} not in {told}"
    if row.command == "check bad.idx" and not isinstance(row.text, bytes) and row.code != "E0003":
        assert re.search(r"bad\.idx:\d+:\d+", err), told


def bad_cache(kind: str, folder: Path) -> Path:
    cache = folder / "cache"
    if kind == "a file":
        cache.write_text("in the way")
    else:
        cache.mkdir(mode=0o700)
        cache.chmod(0o000 if "read" in kind else 0o777)
    return cache


def in_process(*arguments: str, folder: Path, cache: Path) -> Any:
    """The command in a process of its own, as a user starts it."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    environment = {**os.environ, "INDEXLANG_CACHE": str(cache), "PYTHONPATH": path}
    command = [sys.executable, "-m", "indexlang", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
