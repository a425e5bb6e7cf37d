"""Files of weights as they should not be: each gives one message, runs nothing, and takes no more memory than it has bytes."""

import os
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commandline import indexlang
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weight_files import (
    GOOD,
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

NAMES = (
    ("the system", b"cos\nsystem\n(" + text("touch hacked") + b"tR", "os.system"),
    ("protocol 0", b"cos\nsystem\n(S'touch hacked'\ntR", "os.system"),
    ("eval", b"cbuiltins\neval\n(" + text("1+1") + b"tR", "builtins.eval"),
    ("eval of Python 2", b"c__builtin__\neval\n(" + text("1+1") + b"tR", "__builtin__.eval"),
    ("an instance", b"(" + text("x") + b"ios\nsystem\n", "os.system"),
    (
        "a name from the memo",
        text("os") + b"q\0" + text("system") + b"q\1" + b"h\0h\1\x93" + b"(" + text("x") + b"tR",
        "os.system",
    ),
    ("a name from the stack", text("posix") + text("system") + b"\x93)R", "posix.system"),
    ("a class", b"csubprocess\nPopen\n)\x81", "subprocess.Popen"),
    ("an extension", b"\x82\x01", "EXT1"),
    ("a new object of a known name", b"ccollections\nOrderedDict\n)\x81", "NEWOBJ"),
    ("an object of a known name", b"(ccollections\nOrderedDict\no", "OBJ"),
    ("a storage that is called", STORAGE + b")R", "call"),
    ("a text that is called", text("os.system") + b")R", "call"),
    ("a state", b"ctorch._utils\n_rebuild_parameter\n}b", "state"),
    ("a whole model", b"ctorchvision.models.resnet\nResNet\n)\x81", "torchvision.models.resnet.ResNet"),
    ("settings", b"cargparse\nNamespace\n)R}b", "argparse.Namespace"),
    ("another function of torch", b"ctorch\nload\n(" + text("/etc/passwd") + b"tR", "torch.load"),
    ("a name that looks known", b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n", "_rebuild_tensor_v2.__globals__"),
    (
        "the source of a module",
        b"(" + text("module") + b"ccollections\nOrderedDict\n" + text("a") + text("b") + b"tQ",
        "source",
    ),
    ("a persistent text", b"Pos.system\n", "os.system"),
)


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

LONG = b"x" * 300
PICKLES = (
    ("no value", b"", "takes more"),
    ("too many values", b"NN", "left over"),
    ("an unknown opcode", b"\xff", "cannot be read"),
    ("no mark", b"t", "takes more"),
    ("a memo that is empty", b"h\7", "has not made"),
    ("items for a list", b"](" + text("a") + b"Nu", "no dictionary"),
    ("an odd number of items", b"}(" + text("a") + b"u", "no dictionary"),
    ("appended to a text", text("a") + b"Na", "no list"),
    ("a key that is a list", b"}]Ns", "no names"),
    ("a set", b"\x8f", "EMPTY_SET"),
    ("a name twice", b"}(" + text("w") + strided() + text("w") + strided() + b"u", "twice"),
    ("a list", b"]", "no state_dict"),
    ("a number", b"K\1", "no state_dict"),
    ("no tensors", table({"a": b"K\1", "b": b"K\2"}), "dictionary of a, b"),
    ("states in states", b"".join(b"}" + text("model") for _ in range(20)) + b"}" + b"s" * 20, "no state_dict"),
    ("a tensor of a text", REBUILD + b"(" + text("a") + b"tR", "tensor"),
    ("a parameter of nothing", b"ctorch._utils\n_rebuild_parameter\n(NtR", "parameter"),
    ("a storage of nothing", b"NQ", "single value"),
    ("a storage of texts", b"(" + text("storage") + b"tQ", "storage"),
    ("a storage that does not count", storage(elements=-1), "storage"),
    ("a dictionary of numbers", b"ccollections\nOrderedDict\n(K\1tR", "dictionary"),
    ("a dictionary of singles", b"ccollections\nOrderedDict\n(]K\1atR", "dictionary"),
)
TENSORS = (
    ("an axis too long", strided((5,)), "leaves its storage"),
    ("an offset too far", strided((4,), offset=1), "leaves its storage"),
    ("an offset before it", strided((4,), offset=-1), "leaves its storage"),
    ("strides too far", strided((2, 2), (3, 1)), "leaves its storage"),
    ("strides backwards", strided((4,), (-1,), 3), "cannot be"),
    ("fewer strides than axes", strided((2, 2), (1,)), "leaves its storage"),
    ("an extent below zero", strided((-4,)), "cannot be"),
    (
        "extents that are texts",
        REBUILD + b"(" + storage() + b"K\0(" + text("a") + b"t)\x89" + HOOKS + b"tR",
        "cannot be",
    ),
    ("2^62 repetitions", strided((1 << 62,), (0,)), "more numbers"),
    ("2^200 repetitions", strided((1 << 50, 1 << 50, 1 << 50, 1 << 50), (0, 0, 0, 0)), "2^63"),
    ("16 million repetitions", strided((1 << 24,), (0,)), "more numbers"),
    ("33 axes", strided((1,) * 33, (1,) * 33), "no extents"),
    ("two storages of one name", REBUILD + b"(" + storage() + storage(elements=5) + b"t", "two things"),
)


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


HEADERS = (
    ("empty", b""),
    ("short", b"\1\0\0"),
    ("longer than the file", safe({}, length=1000)),
    ("2^62 bytes long", safe({}, length=1 << 62)),
    ("2^64 - 1 bytes long", safe({}, length=(1 << 64) - 1)),
    ("no JSON", safe("{'w': 1}")),
    ("no UTF-8", struct.pack("<Q", 3) + b'{"\xff'),
    ("a list", safe([])),
    ("deep", safe("[" * 100_000)),
    ("deeper", safe('{"a":' * 100_000)),
    ("a long number", safe('{"w":' + "9" * 5000 + "}")),
    ("a name twice", safe('{"w":%s,"w":%s}' % (('{"dtype":"F32","shape":[2],"data_offsets":[0,8]}',) * 2), b"\0" * 8)),
    ("a key twice", safe('{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8)),
    ("a lone surrogate", safe('{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"\0" * 8)),
    ("no table", safe({"w": 1})),
    ("no shape", safe({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, b"\0" * 8)),
    ("an unknown dtype", safe({"w": tensor("F8_E4M3", [8])}, b"\0" * 8)),
    ("complex numbers", safe({"w": tensor("C64", [1])}, b"\0" * 8)),
    ("a dtype that is a number", safe({"w": tensor(4)}, b"\0" * 8)),
    ("an extent below zero", safe({"w": tensor(shape=[-2])}, b"\0" * 8)),
    ("an extent that is a fraction", safe({"w": tensor(shape=[2.0])}, b"\0" * 8)),
    ("an extent that is a truth", safe({"w": tensor(shape=[True, 2])}, b"\0" * 8)),
    ("2^63 elements", safe({"w": tensor(shape=[1 << 63])}, b"\0" * 8)),
    ("2^80 elements", safe({"w": tensor(shape=[1 << 40, 1 << 40])}, b"\0" * 8)),
    ("10 GB", safe({"w": tensor(shape=[2_500_000_000], offsets=[0, 10_000_000_000])}, b"\0" * 8)),
    ("offsets turned round", safe({"w": tensor(offsets=[8, 0])}, b"\0" * 8)),
    ("an offset below zero", safe({"w": tensor(offsets=[-8, 0])}, b"\0" * 8)),
    ("behind the end", safe({"w": tensor(offsets=[0, 8])}, b"\0" * 4)),
    ("a gap", safe({"w": tensor(offsets=[4, 12])}, b"\0" * 12)),
    ("an overlap", safe({"v": tensor(), "w": tensor(offsets=[4, 12])}, b"\0" * 12)),
    ("the same place twice", safe({"v": tensor(), "w": tensor()}, b"\0" * 8)),
    ("bytes behind", safe({"w": tensor()}, b"\0" * 9)),
)


@pytest.mark.parametrize("content", [row[1] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_headers_of_safetensors(tmp_path: Path, content: bytes):
    assert of(tmp_path, content, "w.safetensors").code == "E0704"


def overwritten(content: bytes, mark: bytes, at: int, new: bytes) -> bytes:
    """`content` with `new` at `at` bytes behind the last `mark`."""
    place = content.rindex(mark) + at
    return content[:place] + new + content[place + len(new) :]


ONE = zipped({"w.npy": npy()})
CENTRAL, END = b"PK\1\2", b"PK\5\6"
BOMB = zipped({"w.npy": npy("(1000000000,)", "'|u1'", b"\0" * 1_000_000)}, zipfile.ZIP_DEFLATED)
ARCHIVES = (
    ("no end", ONE[:-1]),
    ("half an end", END + b"\0" * 17),
    ("an end that lies", overwritten(ONE, END, 12, b"\xff\xff\xff\x7f")),
    ("many members", overwritten(ONE, END, 10, b"\xfe\xff")),
    ("a 64-bit end that is not there", overwritten(ONE, END, 10, b"\xff\xff")),
    ("encrypted", overwritten(ONE, CENTRAL, 8, b"\1")),
    ("another compression", overwritten(ONE, CENTRAL, 10, b"\x0e")),
    ("a size that it does not have", overwritten(ONE, CENTRAL, 24, b"\xff\xff\xff\x7f")),
    (
        "a packed size that it does not have",
        overwritten(overwritten(ONE, CENTRAL, 24, b"\xff\xff\xff\x7f"), CENTRAL, 20, b"\xff\xff\xff\x7f"),
    ),
    ("another checksum", overwritten(ONE, CENTRAL, 16, b"\0\0\0\0")),
    ("a place behind the end", overwritten(ONE, CENTRAL, 42, b"\xff\xff\xff\x7f")),
    ("a place that is no member", overwritten(ONE, CENTRAL, 42, b"\5\0\0\0")),
    ("two members of a name", zipped({"w.npy": npy(), "v.npy": npy()}).replace(b"v.npy", b"w.npy")),
    ("members over each other", overwritten(zipped({"w.npy": npy(), "v.npy": npy()}), CENTRAL, 42, b"\0\0\0\0")),
    ("a way out", zipped({"../w.npy": npy()})),
    ("a way out in the middle", zipped({"a/../../w.npy": npy()})),
    ("an absolute way", zipped({"/etc/w.npy": npy()})),
    ("a way out of Windows", zipped({"..\\w.npy": npy()})),
    ("a text among arrays", zipped({"w.npy": npy(), "readme.txt": b"hello"})),
    ("a deflated member that is none", overwritten(ONE, CENTRAL, 10, b"\x08")),
    ("a claim of 10^9 behind a million", BOMB),
    ("no npy", zipped({"w.npy": b"hello"})),
    ("no header", zipped({"w.npy": npy()[:10]})),
    ("an unknown version", zipped({"w.npy": npy().replace(b"\x93NUMPY\1", b"\x93NUMPY\3")})),
    ("a header that is code", zipped({"w.npy": npy("(__import__('os').getpid(),)")})),
    ("a deep header", zipped({"w.npy": npy("(" * 5000)})),
    ("2^60 numbers", zipped({"w.npy": npy("(1 << 60,)")})),
    ("10^18 numbers", zipped({"w.npy": npy("(10**18,)".replace("10**18", "1" + "0" * 18))})),
    ("an extent below zero", zipped({"w.npy": npy("(-2,)")})),
    ("more than there is", zipped({"w.npy": npy("(3,)")})),
    ("less than there is", zipped({"w.npy": npy("(1,)")})),
    ("objects", zipped({"w.npy": npy(descr="'|O'")})),
    ("texts", zipped({"w.npy": npy(descr="'<U1'")})),
    ("complex numbers", zipped({"w.npy": npy("(1,)", "'<c8'")})),
    ("records", zipped({"w.npy": npy(descr="[('a', '<f4')]")})),
)


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


FOREIGN = (
    ("HDF5", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "HDF5"),
    ("a web page", b"<!DOCTYPE html><html>not found</html>", "web page"),
    ("a pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS"),
    ("gzip", b"\x1f\x8b\x08\0" + b"\0" * 100, "gzip"),
    ("npy", npy(), ".npy"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "picture"),
    ("zeros", b"\0" * 1000, "safetensors"),
    ("a text", b"these are no weights, but a text of some length\n", "safetensors"),
    ("nothing", b"", "empty"),
    ("TorchScript", torch_zip(GOOD, more={"archive/constants.pkl": b"x", "archive/code/a.py": b""}), "TorchScript"),
    ("a lone pickle", pickle.dumps({"w": 1}), "not one that `torch.save`"),
)


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
