"""Files of weights as they should be: what comes back is what was written, bit by bit."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from weight_files import (
    GOOD,
    SMALL,
    framed,
    npy,
    npz,
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

from indexlang.interop.weights import opened, read_weights, write_weights
from indexlang.interop.weights import safe as safe_file


def written(folder: Path, content: bytes, name: str = "w.pth") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tobytes() == array.tobytes(), name


def test_safetensors_are_written_as_the_package_reads_them(tmp_path: Path):
    arrays = {
        **{
            name: np.arange(6).astype(code).reshape(3, 2)
            for name, code in (("h", "f2"), ("f", "f4"), ("d", "f8"), ("u", "u1"))
        },
        "none": np.zeros((2, 0)),
        "scalar": np.asarray(2.5),
        "Φ.W": np.array([True, False]),
        "turned": np.ones((2, 3)).T,
        "high first": np.arange(3, dtype=">i4"),
    }
    safe_file.write(tmp_path / "w", arrays, {"note": "é"})
    with safe_open(tmp_path / "w", "numpy") as found:
        assert found.metadata() == {"note": "é"}
        assert set(found.keys()) == set(arrays)
        for name, array in arrays.items():
            read = found.get_tensor(name)
            assert read.dtype == array.dtype.newbyteorder("=")
            assert read.shape == array.shape
            assert (read == array).all()
    with pytest.raises(ValueError, match="complex"):
        safe_file.write(tmp_path / "w", {"z": np.zeros(2, complex)}, None)


def test_safetensors_are_written_into_the_file_itself(tmp_path: Path):
    """A file with a name of its own, renamed at the end, stays behind after a kill; and nobody else could read it."""
    path = tmp_path / "w"
    path.write_bytes(b"")
    path.chmod(0o644)
    before = path.stat()
    safe_file.write(path, SMALL, None)
    assert (path.stat().st_ino, path.stat().st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.parametrize("name", ["w.npz", "w.safetensors"])
def test_what_is_written_comes_back(tmp_path: Path, name: str):
    odd = np.array([np.nan, -0.0, np.inf, 1e-45], np.float32)
    arrays = {**SMALL, "Φ.W": odd, "double": np.arange(3.0), "turned": np.arange(6.0).reshape(2, 3).T}
    write_weights(tmp_path / name, arrays)
    found = read_weights(tmp_path / name)
    same({key: found[key] for key in arrays}, arrays)


def test_every_dtype_of_safetensors(tmp_path: Path):
    for dtype, code in {
        "F64": "f8",
        "I64": "i8",
        "I16": "i2",
        "I8": "i1",
        "U64": "u8",
        "U32": "u4",
        "U8": "u1",
    }.items():
        array = np.arange(3).astype(code)
        content = safe({"w": tensor(dtype, [3], [0, array.nbytes])}, array.tobytes())
        same(read_weights(written(tmp_path, content)), {"w": array})


def test_halves_become_floats_exactly(tmp_path: Path):
    every = np.arange(2**16, dtype=np.uint16)
    for dtype, wanted in (
        ("F16", every.view(np.float16).astype(np.float32)),
        ("BF16", (every.astype(np.uint32) << 16).view(np.float32)),
    ):
        path = written(tmp_path, safe({"w": tensor(dtype, [2**16], [0, 2**17])}, every.tobytes()))
        same(read_weights(path), {"w": wanted})
        with opened(path) as archive:
            assert archive.entries["w"].form.name == dtype


def test_arrays_of_npz_in_other_orders(tmp_path: Path):
    wanted = np.arange(6, dtype=np.float32).reshape(2, 3)
    members = {
        "big.npy": npy("(2, 3)", "'>f4'", wanted.astype(">f4").tobytes()),
        "turned.npy": npy("(2, 3)", data=np.asfortranarray(wanted).tobytes("F"), order="True"),
        "half.npy": npy("(2, 3)", "'<f2'", wanted.astype(np.float16).tobytes()),
    }
    found = read_weights(written(tmp_path, zipped(members), "w.npz"))
    for array in found.values():
        np.testing.assert_array_equal(array, wanted)
        assert array.dtype == np.float32


def test_the_name_of_a_file_says_nothing(tmp_path: Path):
    same(read_weights(npz(tmp_path / "w.npz").rename(tmp_path / "w.safetensors")), SMALL)
    found = read_weights(safetensors(tmp_path / "v.safetensors").rename(tmp_path / "v.pth"))
    assert sorted(found) == sorted(SMALL)


@pytest.mark.parametrize("made", [torch_zip, torch_stream])
def test_torch_files_by_hand(tmp_path: Path, made: Any):
    same(read_weights(written(tmp_path, made(GOOD))), {"w": np.zeros(4, np.float32)})
    same(read_weights(written(tmp_path, made(table({"w": strided((), ())})))), {"w": np.zeros((), np.float32)})
    same(
        read_weights(written(tmp_path, made(table({"w": strided((0, 9), (5, 5))})))),
        {"w": np.zeros((0, 9), np.float32)},
    )
    assert read_weights(written(tmp_path, made(table({"w": strided((3, 7), (0, 0), 3)}))))["w"].shape == (3, 7)


def test_a_state_among_other_things(tmp_path: Path):
    for value in (
        table({"epoch": b"K\3", "model": GOOD, "optimizer": table({"m": strided()})}),
        table({"a": table({"state_dict": GOOD})}),
    ):
        same(read_weights(written(tmp_path, torch_zip(value))), {"w": np.zeros(4, np.float32)})


@pytest.mark.parametrize(("order", "sign"), [(b"big", ">"), (b"little", "<"), (None, "<")])
def test_the_byte_order_is_told(tmp_path: Path, order: bytes | None, sign: str):
    said = {} if order is None else {"archive/byteorder": order}
    content = torch_zip(GOOD, {"0": struct.pack(sign + "4f", 1, 2, 3, 4)}, {**said, "archive/version": b"3"})
    path = written(tmp_path, content)
    assert read_weights(path)["w"].tolist() == [1, 2, 3, 4]
    torch = pytest.importorskip("torch")
    assert torch.load(path)["w"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("little", [b"\x88", b"\x89"])
def test_older_files_begin_with_the_lowest_byte_on_every_machine(tmp_path: Path, little: bytes):
    """torch writes them so, and only notes of what kind the machine was."""
    value = table({"w": strided(of=storage(more=b"N"))})
    data = struct.pack("<Q4f", 4, 1, 2, 3, 4)
    path = written(tmp_path, torch_stream(value, data=data, little=little))
    assert read_weights(path)["w"].tolist() == [1, 2, 3, 4]
    torch = pytest.importorskip("torch")
    assert torch.load(path)["w"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("notes", [None, {}, {"format": "pt"}])
def test_notes_of_safetensors(tmp_path: Path, notes: object):
    content = safe({"__metadata__": notes, "w": tensor()}, struct.pack("<2f", 1, 2))
    assert read_weights(written(tmp_path, content))["w"].tolist() == [1, 2]


def test_frames_of_a_pickle(tmp_path: Path):
    """What follows a frame need not be in one."""
    for value in (framed(len(GOOD) + 1) + GOOD, framed(len(GOOD)) + GOOD, framed(1) + GOOD):
        same(read_weights(written(tmp_path, torch_zip(value))), {"w": np.zeros(4, np.float32)})


def test_a_view_of_an_older_file(tmp_path: Path):
    data = struct.pack("<Q4f", 4, 1, 2, 3, 4)
    part = storage(more=b"(" + text("v") + b"K\1K\2t")
    path = written(tmp_path, torch_stream(table({"w": strided((2,), of=part)}), data=data))
    assert read_weights(path)["w"].tolist() == [2, 3]
    path = written(tmp_path, torch_stream(table({"w": strided(of=storage(more=b"N"))}), data=data))
    assert read_weights(path)["w"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("old", [False, True])
def test_beside_torch(tmp_path: Path, old: bool):
    torch = pytest.importorskip("torch")
    base = torch.arange(40.0).reshape(5, 8)
    tensors = {
        "turned": base.T,
        "part": base[1:4, ::3],
        "half": base.half(),
        "brain": base.bfloat16(),
        "double": base.double(),
        "ints": torch.arange(-3, 3),
        "bytes": torch.arange(3, dtype=torch.uint8),
        "truth": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
        "one": torch.tensor(3.5),
        "repeated": torch.ones(1).expand(7, 3),
        "parameter": torch.nn.Parameter(base),
    }
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    for state in (
        tensors,
        module,
        {"epoch": 3, "state_dict": module, "lr": 0.1, "note": "x", "best": None, "done": True},
    ):
        torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
        wanted = {name: t.detach() for name, t in state.get("state_dict", state).items()}
        floats = {n: t.float() if t.dtype in (torch.half, torch.bfloat16) else t for n, t in wanted.items()}
        same(read_weights(tmp_path / "w.pth"), {name: t.numpy() for name, t in floats.items()})


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickles(tmp_path: Path, protocol: int):
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 4).state_dict()
    torch.save(module, tmp_path / "w.pth", pickle_protocol=protocol)
    same(read_weights(tmp_path / "w.pth"), {name: t.numpy() for name, t in module.items()})
