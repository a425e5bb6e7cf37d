"""The cache changes speed, never results: damaged, cold for many, too small, of another machine, used by many threads."""

import multiprocessing
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from long_runs import part_of

import indexlang as il
from indexlang.emit.kernel import KernelText
from indexlang.emit.store import Store
from indexlang.run import kernels

ROOT = Path(__file__).parents[2]
TEXT = "input x[N]\nH[i] = tanh(3*x[i]) + x[i]\ny = sum[i] H[i]*H[i]\noutput H, y\n"
GIVEN = np.linspace(-2, 2, 37)


def computed(text: str = TEXT, threads: int = 1) -> bytes:
    found = il.compile(text, dtype="f64", threads=threads)(GIVEN)
    return b"".join(np.asarray(found[n]).tobytes() for n in ("H", "y"))


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Begins anew, as another process would, with the entries of one folder."""
    folder = tmp_path / "cache"

    def begin() -> Store:
        store = Store(folder)
        monkeypatch.setattr(kernels, "_stores", [store])
        monkeypatch.setattr(kernels, "_addresses", {})
        return store

    return begin


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was compiled, by symbol; a second time it is remembered, which is quicker."""
    seen: list[str] = []
    made: dict[str, bytes] = {}
    original = kernels._compile

    def remembered(kernel: KernelText) -> bytes:
        seen.append(kernel.symbol)
        if kernel.symbol not in made:
            made[kernel.symbol] = original(kernel)
        return made[kernel.symbol]

    monkeypatch.setattr(kernels, "_compile", remembered)
    return seen


def damaged(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    match chance.randrange(6):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes([chance.randrange(256)]) + content[at:]
        case 2:
            return content[:at] + content[at + 1 + chance.randrange(64) :]
        case 3:
            return content[:at] + bytes(min(512, len(content) - at)) + content[at + 512 :]
        case 4:
            return content + content
        case _:
            flipped = bytearray(content)
            flipped[at % len(content)] ^= 1 << chance.randrange(8)
            return bytes(flipped)


def hurt(cold: Any, compiled: list[str], rounds: range, seed: int) -> None:
    cold()
    good = computed()
    for turn in rounds:
        chance = random.Random(f"{seed}/{turn}")
        store = cold()
        path = chance.choice(sorted(store.folder.glob("*.obj")))
        before = path.read_bytes()
        after = damaged(before, chance)
        path.write_bytes(after)
        count = len(compiled)
        assert computed() == good, (seed, turn)
        assert "walker" in path.name or (len(compiled) > count) == (after != before), (seed, turn)
        path.write_bytes(before)


def test_damage_at_a_hundred_places(cold: Any, compiled: list[str]) -> None:
    hurt(cold, compiled, range(100), 17)


@pytest.mark.soak
def test_damage_at_a_thousand_places(cold: Any, compiled: list[str]) -> None:
    hurt(cold, compiled, part_of(range(1000)), 18)


def test_a_second_start_compiles_nothing(cold: Any, compiled: list[str]) -> None:
    cold()
    good, count = computed(), len(compiled)
    assert count
    cold()
    assert computed() == good
    assert len(compiled) == count


@pytest.mark.parametrize("what", ["cpu_key", "__version__", "_FORMAT"])
def test_what_another_machine_or_version_left_is_not_loaded(
    cold: Any, compiled: list[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    cold()
    good, count = computed(), len(compiled)
    monkeypatch.setattr(kernels, what, (lambda: "another processor") if what == "cpu_key" else "another")
    store = cold()
    assert computed() == good
    assert len(compiled) == 2 * count
    assert len([p for p in store.folder.glob("*.obj") if "walker" not in p.name]) == 2 * count


def test_a_sealed_entry_that_is_no_object_code_is_compiled_anew(cold: Any, compiled: list[str]) -> None:
    """An entry of another toolchain under our key: its digest is right."""
    store = cold()
    good, count = computed(), len(compiled)
    keys: list[str] = []
    store.get = lambda key, get=store.get: keys.append(key) or get(key)  # type: ignore[method-assign]
    kernels._addresses.clear()
    assert computed() == good
    for key in keys:
        Store(store.folder).put(key, b"MZ something else")
    cold()
    assert computed() == good
    assert len(compiled) == 2 * count


CHILD = """
import sys, numpy as np, indexlang as il
found = il.compile(sys.argv[1], dtype="f64", threads=1)(np.linspace(-2, 2, 37))
sys.stdout.buffer.write(b"".join(np.asarray(found[n]).tobytes() for n in ("H", "y")))
"""


def started(folder: Path, before: str = "") -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "INDEXLANG_CACHE": str(folder)}
    command = [sys.executable, "-c", before + CHILD, TEXT]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def crowd(folder: Path) -> None:
    """Eight processes begin at once on a cache that is not there yet."""
    processes = [started(folder) for _ in range(8)]
    found = [p.communicate(timeout=300) for p in processes]
    assert [p.returncode for p in processes] == [0] * 8, found
    assert {out for out, _ in found} == {computed()}
    assert not list(folder.glob("*.part"))
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("turn", range(2))
def test_eight_processes_on_one_cold_cache(tmp_path: Path, turn: int) -> None:
    crowd(tmp_path / f"cold{turn}")


@pytest.mark.soak
def test_eight_processes_fifty_times(tmp_path: Path) -> None:
    for turn in part_of(range(50)):
        crowd(tmp_path / f"cold{turn}")


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
@pytest.mark.parametrize("limit", [0, 1000])
def test_a_disk_with_no_room(tmp_path: Path, limit: int) -> None:
    process = started(
        tmp_path / "full", f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    )
    out, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert out == computed()
    assert not list((tmp_path / "full").glob("*.part"))
    assert not list((tmp_path / "full").glob("*.obj"))


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    process = started(folder)
    out, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert out == computed()
    assert list(folder.iterdir()) == []


# -- threads and processes


def at_once(*jobs: Any) -> list[Any]:
    """What each job gives when all begin together, each in a thread of its own."""
    found: list[Any] = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def work(k: int) -> None:
        gate.wait()
        found[k] = jobs[k]()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(jobs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
        assert not t.is_alive()
    return found


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_two_python_threads_on_one_program(cold: Any, threads: int) -> None:
    cold()
    program = il.compile(TEXT, dtype="f64", threads=threads)
    inputs = [GIVEN + k for k in range(4)]
    wanted = [program(x)["y"] for x in inputs]

    def many(x: np.ndarray, y: float):
        return lambda: all(program(x)["y"] == y for _ in range(200))

    assert all(at_once(*(many(x, y) for x, y in zip(inputs, wanted, strict=True))))


def test_two_python_threads_compile_two_programs_cold(cold: Any) -> None:
    cold()
    other = TEXT.replace("tanh(3*x[i])", "exp(-x[i]*x[i])")
    wanted = computed(), computed(other)
    cold()
    assert tuple(at_once(computed, lambda: computed(other))) == wanted


def test_other_extents_at_once(cold: Any) -> None:
    """The first call for each size is planned under a lock; results belong to their callers."""
    cold()
    program = il.compile(TEXT, dtype="f64", threads=2)
    sizes = (1, 2, 17, 100, 1000)
    found = at_once(*(lambda n=n: program(np.full(n, 0.5))["y"] for n in sizes))
    one = float(program(np.full(1, 0.5))["y"])
    np.testing.assert_allclose(found, [n * one for n in sizes], rtol=1e-13)


def test_children_that_are_spawned() -> None:
    good = computed()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(computed, [TEXT] * 4) == [good] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_after_use() -> None:
    program = il.compile(TEXT, dtype="f64", threads=3)
    wanted = float(program(GIVEN)["y"])
    child = os.fork()
    if child == 0:
        os._exit(0 if float(program(GIVEN)["y"]) == wanted else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert float(program(GIVEN)["y"]) == wanted
