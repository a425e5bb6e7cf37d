"""Files of weights as they should not be: each gives one message, runs nothing, and takes no more memory than it has bytes."""

import os
import pickle
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import indexlang
from damaged_weights import (
    ARCHIVES,
    BOMB,
    FOREIGN,
    HEADERS,
    NAMES,
    PICKLES,
    TENSORS,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weight_files import (
    HOOKS,
    MAGIC,
    REBUILD,
    STORAGE,
    npy,
    npz,
    number,
    pickled,
    safe,
    safetensors,
    storage,
    strided,
    table,
    tensor,
    text,
    torch_stream,
    torch_zip,
    zipped,
)

from indexlang.interop.weights import read_weights
from indexlang.text.diagnostics import DataError

LARGEST = 80 << 20  # bytes that any of these files may take to be refused, or read


def refusal(path: Path) -> Any:
    """The one message that reading gives, at little cost."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            read_weights(path)
        assert tracemalloc.get_traced_memory()[1] < LARGEST
    finally:
        tracemalloc.stop()
    (told,) = caught.value.diagnostics
    assert told.hint
    assert len(told.message) < 400
    return told


def of(folder: Path, content: bytes, name: str = "w.pth") -> Any:
    path = folder / name
    path.write_bytes(content)
    return refusal(path)


# -- code


@pytest.mark.parametrize(("value", "name"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
@pytest.mark.parametrize("made", [torch_zip, torch_stream, pickled, lambda value: value + b"."])
def test_code_is_named_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Any, value: bytes, name: str):
    monkeypatch.chdir(tmp_path)
    told = of(tmp_path, made(value))
    assert told.code == "E0706"
    assert name in told.message
    assert "nothing was run" in told.message
    assert os.listdir(tmp_path) == ["w.pth"]


class Trap:
    def __reduce__(self) -> Any:
        return os.system, ("touch hacked",)


@pytest.mark.parametrize("protocol", range(6))
def test_what_pickle_itself_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"w": Trap()}, protocol)
    for made in (content, zipped({"a/data.pkl": content}), MAGIC + content):
        told = of(tmp_path, made)
        assert told.code == "E0706"
        assert "system" in told.message
    assert os.listdir(tmp_path) == ["w.pth"]


# -- damage


@pytest.mark.parametrize(("value", "said"), [row[1:] for row in PICKLES], ids=[row[0] for row in PICKLES])
@pytest.mark.parametrize("made", [torch_zip, torch_stream])
def test_damaged_pickles(tmp_path: Path, made: Any, value: bytes, said: str):
    told = of(tmp_path, made(value))
    assert told.code == "E0704"
    assert said in told.message or made is torch_stream


@pytest.mark.parametrize(("value", "said"), [row[1:] for row in TENSORS], ids=[row[0] for row in TENSORS])
@pytest.mark.parametrize("made", [torch_zip, torch_stream])
def test_tensors_that_cannot_be(tmp_path: Path, made: Any, value: bytes, said: str):
    told = of(tmp_path, made(table({"w": value})))
    assert told.code == "E0704"
    assert said in told.message


def test_many_small_repetitions_together(tmp_path: Path):
    state = table({f"w{i}": strided((1 << 22,), (0,)) for i in range(100)})
    for made in (torch_zip, torch_stream):
        assert "claims 1600 MiB" in of(tmp_path, made(state)).message


@pytest.mark.parametrize("content", [row[1] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_headers_of_safetensors(tmp_path: Path, content: bytes):
    assert of(tmp_path, content, "w.safetensors").code == "E0704"


@pytest.mark.parametrize("content", [row[1] for row in ARCHIVES], ids=[row[0] for row in ARCHIVES])
def test_damaged_archives(tmp_path: Path, content: bytes):
    assert of(tmp_path, content, "w.npz").code == "E0704"


def test_bombs(tmp_path: Path):
    """Zeros pack a thousandfold: what is claimed honestly is refused all the same when it is out of proportion."""
    zeros = zipped(
        {f"w{i}.npy": npy("(20000000,)", "'|u1'", b"\0" * 20_000_000) for i in range(5)}, zipfile.ZIP_DEFLATED
    )
    assert len(zeros) < 100_000
    assert "claims 95 MiB" in of(tmp_path, zeros, "w.npz").message
    deep = zipped({"archive/data.pkl": pickled(b"}" * 40_000_000)}, zipfile.ZIP_DEFLATED)
    assert "too long" in of(tmp_path, deep).message
    for long in (b"}" * 2_000_000 + b"0" * 2_000_000, b"}" + b"2" * 3_000_000):
        assert of(tmp_path, torch_zip(long)).code == "E0704"


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in FOREIGN], ids=[row[0] for row in FOREIGN])
@pytest.mark.parametrize("ending", ["safetensors", "npz", "bin.gz"])
def test_foreign_files(tmp_path: Path, content: bytes, said: str, ending: str):
    told = of(tmp_path, content, f"w.{ending}")
    assert told.code == "E0704"
    assert said in told.message


def test_what_is_no_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.pth")
    (tmp_path / "nowhere.pth").symlink_to(tmp_path / "gone.pth")
    for path in (tmp_path, tmp_path / "missing.pth", tmp_path / "pipe.pth", tmp_path / "nowhere.pth", Path("a\0b.pth")):
        assert refusal(path).code == "E0701"
    (tmp_path / "link.pth").symlink_to(npz(tmp_path / "w.npz"))
    assert "n" in read_weights(tmp_path / "link.pth")


READER = """
import resource, sys
from pathlib import Path
from indexlang.interop.weights import read_weights
from indexlang.text.diagnostics import DataError

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, "read", len(read_weights(path)))
    except DataError as error:
        print(path.name, *(d.code for d in error.diagnostics), "needs more memory" in str(error))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit is set from what Linux tells of a process")
def test_no_file_takes_more_address_space_than_it_may(tmp_path: Path):
    """All of them in one process that cannot have 120 MiB more than it began with."""
    folder = tmp_path / "files"
    folder.mkdir()
    contents = [row[1] for row in (*HEADERS, *ARCHIVES, *FOREIGN)]
    for rows in (PICKLES, [(n, table({"w": v}), s) for n, v, s in TENSORS], NAMES):
        contents += [made(row[1]) for row in rows for made in (torch_zip, torch_stream)]
    for number_, content in enumerate(contents):
        (folder / f"{number_:03}.pth").write_bytes(content)
    command = [sys.executable, "-c", READER, folder, str(120 << 20)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lines = ended.stdout.splitlines()
    assert len(lines) == len(contents) > 150
    for line in lines:
        assert line.split()[1:] in (["E0704", "False"], ["E0706", "False"]), line


@pytest.mark.parametrize("content", [b"", BOMB, safe({}, length=1 << 62), torch_zip(b"cos\nsystem\n)R"), FOREIGN[1][1]])
def test_the_command_line_tells_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes):
    monkeypatch.chdir(tmp_path)
    Path("w.pth").write_bytes(content)
    Path("net.idx").write_text("input X[3]\nparam W[3] = 0\nA[i] = W[i]*X[i]\n")
    np.save("x.npy", np.ones(3))
    run = ("run", "net.idx", "--input", "X=x.npy", "--weights", "w.pth")
    for command in (run, ("weights", "show", "w.pth"), ("weights", "convert", "w.pth", "o.npz", "--as", "indexlang")):
        ended = indexlang(*command)
        assert ended.exit == 3
        assert ended.err.count("error[E") == 1
        assert not Path("o.npz").exists()


@pytest.mark.parametrize("made", ["safetensors", "npz", "pth"])
def test_names_do_nothing_to_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str):
    """A tensor's name is a stranger's text: tables, JSON and messages spell out what would act on a terminal."""
    name = "\x1b[31mred\x9b2J\x07\r\n\u202e"
    monkeypatch.chdir(tmp_path)
    content = {
        "safetensors": safe({name: tensor()}, b"\0" * 8),
        "npz": zipped({f"{name}.npy": npy()}),
        "pth": torch_zip(table({name: strided()})),
    }[made]
    Path("w").write_bytes(content)
    Path("net.idx").write_text("input X[3]\nparam W[3] = 0\nA[i] = W[i]*X[i]\n")
    np.save("x.npy", np.ones(3))
    run = ("run", "net.idx", "--input", "X=x.npy", "--weights", "w")
    for command in (("weights", "show", "w"), ("weights", "show", "w", "--json"), run):
        ended = indexlang(*command)
        assert "red" in ended.out + ended.err
        assert all(c == "\n" or c.isprintable() for c in ended.out + ended.err)


# -- cut and turned bits

FORMATS = {
    "safetensors": lambda folder: safetensors(folder / "w").read_bytes(),
    "npz": lambda folder: npz(folder / "w.npz").read_bytes(),
    "torch": lambda folder: torch_zip(table({"w": strided(), "v": strided((2, 2), (1, 2))})),
    "torch-older": lambda folder: torch_stream(table({"w": strided(), "v": strided((2, 2), (1, 2))})),
}


@pytest.mark.parametrize("name", FORMATS)
def test_files_that_are_cut_off(tmp_path: Path, name: str):
    whole = FORMATS[name](tmp_path)
    for length in range(len(whole)):
        assert of(tmp_path, whole[:length]).code in ("E0704", "E0706"), length


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_turned_bytes_give_arrays_or_one_error(tmp_path: Path, name: str, data: st.DataObject):
    whole = bytearray(FORMATS[name](tmp_path))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "w.pth"
    path.write_bytes(whole)
    tracemalloc.start()
    try:
        arrays_or_one_error(path)
        assert tracemalloc.get_traced_memory()[1] < LARGEST
    finally:
        tracemalloc.stop()


def arrays_or_one_error(path: Path) -> None:
    told = 1
    try:
        assert all(isinstance(array, np.ndarray) for array in read_weights(path).values())
    except DataError as error:
        told = len(error.diagnostics)
    assert told == 1


OPCODES = (
    b"}", b"]", b")", b"(", b"N", b"K\1", b"t", b"\x85", b"\x86", b"\x87", b"u", b"s", b"e", b"a", b"d", b"l", b"R", b"b", b"Q",
    b"0", b"1", b"2", b"q\0", b"h\0", b"\x94", b"\x93", text("a"), number(2**70), STORAGE, REBUILD, storage(), strided(), HOOKS,
)  # fmt: skip


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(OPCODES), max_size=30))
def test_opcodes_in_any_order(tmp_path: Path, opcodes: list[bytes]):
    path = tmp_path / "w.pth"
    path.write_bytes(torch_zip(b"".join(opcodes)))
    arrays_or_one_error(path)
