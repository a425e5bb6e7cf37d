"""Files in and out: pictures fitted, arrays as they are, everything else refused with its code."""

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexlang.interop.files import read_input, write_output
from indexlang.interop.weights import read_weights, write_weights
from indexlang.text.diagnostics import DataError

CAT = Path(__file__).parents[2] / "examples" / "cat.jpg"


@dataclass(frozen=True)
class Info:
    extents: tuple[int | str, ...]
    dtype: str = "f32"
    name: str = "X"


def code(call: Any, *arguments: Any) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments)
    assert caught.value.diagnostics[0].hint
    return caught.value.diagnostics[0].code


def save(path: Path, pixels: np.ndarray, **how: Any) -> Path:
    Image.fromarray(pixels).save(path, **how)
    return path


PICTURES = (
    ((227, 227, 3), (227, 227, 3)),
    (("B", 227, 227, 3), (1, 227, 227, 3)),
    ((1, 5, 7, 3), (1, 5, 7, 3)),
    (("B", "X", "Y", 3), (1, 300, 451, 3)),
    (("X", 100, 3), (67, 100, 3)),
    ((30, 40), (30, 40)),
    ((30, 40, 1), (30, 40, 1)),
    (("B", 30, 40), (1, 30, 40)),
    ((8, 9, 4), (8, 9, 4)),
    ((1, 451, 3), (1, 451, 3)),
    ((2000, 1, 3), (2000, 1, 3)),
    ((0, 4, 3), (0, 4, 3)),
)


@pytest.mark.parametrize(("declared", "shape"), PICTURES)
def test_a_picture_fits_the_declared_extents(declared, shape):
    value = read_input(CAT, Info(declared))
    assert value.shape == shape
    assert value.dtype == np.float32
    assert value.flags.c_contiguous
    assert not value.size or (value.min() >= 0 and value.max() <= 1)


def test_float64_and_integer_pictures():
    assert read_input(CAT, Info((9, 9, 3), "f64")).dtype == np.float64
    whole = read_input(CAT, Info((9, 9, 3), "u8"))
    assert whole.dtype == np.uint8
    assert whole.max() > 1


def test_x_goes_down_and_the_middle_is_kept(tmp_path: Path):
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    pixels[0, :, :] = 0
    value = read_input(save(tmp_path / "p.png", pixels), Info((10, 10, 3)))
    assert (value[1:] == 1).all()
    assert (value[0] == 0).all()


def test_a_picture_of_16_bits_is_scaled(tmp_path: Path):
    grey = np.array([[0, 65535]], np.uint16)
    assert read_input(save(tmp_path / "p.png", grey), Info((1, 2))).tolist() == [[0, 1]]


@pytest.mark.parametrize("declared", [(3, 227, 227), (2, 9, 9, 3), (9,), (9, 9, 5), (), (2, 2, 9, 9, 3)])
def test_extents_that_no_picture_has(declared):
    assert code(read_input, CAT, Info(declared)) == "E0601"


def test_what_is_not_a_picture(tmp_path: Path):
    whole = CAT.read_bytes()
    for content in (b"", b"hello\n", whole[:100], whole[:5000], b"\xff\xd8\xff" + b"x" * 99, b"GIF89a" + b"\0" * 40):
        path = tmp_path / "p.jpg"
        path.write_bytes(content)
        assert code(read_input, path, Info((9, 9, 3))) == "E0702"


def test_arrays_are_taken_as_they_are(tmp_path: Path):
    value = np.arange(6, dtype=np.int16).reshape(2, 3)
    np.save(tmp_path / "a.npy", value)
    np.savez(tmp_path / "one.npz", anything=value)
    np.savez(tmp_path / "two.npz", X=value, Y=value + 1)
    for name in ("a.npy", "one.npz", "two.npz"):
        got = read_input(tmp_path / name, Info((9, 9)))
        assert got.dtype == np.int16
        assert (got == value).all()
    assert code(read_input, tmp_path / "two.npz", Info((2, 3), name="Z")) == "E0704"


def forged(shape: str, descr: str = "'<f4'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 16


BAD_ARRAYS = (
    b"",
    b"hello",
    b"\x93NUMPY",
    forged("(3,"),
    forged("(99,)"),
    forged("(1000000000000000000, 1000000000000000000)"),
    forged("(-1,)"),
    forged("(4,)", "'|O'"),
    forged("(2,)", "'<U2'"),
    forged("(2,)", "'<c8'"),
    forged("(2,)", "[('a', '<f4')]"),
    forged("(__import__('os'),)"),
)


@pytest.mark.parametrize("content", BAD_ARRAYS)
@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_what_is_not_an_array(tmp_path: Path, content: bytes, ending: str):
    path = tmp_path / f"a.{ending}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("X.npy", content)
    path.write_bytes(content if ending == "npy" else packed.getvalue())
    assert code(read_input, path, Info((2,))) == "E0704"


def test_damaged_archives(tmp_path: Path):
    np.savez_compressed(tmp_path / "good.npz", X=np.arange(1000))
    whole = (tmp_path / "good.npz").read_bytes()
    for content in (b"hello", whole[:50], whole[:-30], whole[:80] + b"\xff" * 40 + whole[120:]):
        path = tmp_path / "a.npz"
        path.write_bytes(content)
        assert code(read_input, path, Info((2,))) == "E0704"


def test_archives_that_would_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two members of one name hide an array; a thousandfold of zeros is read only where there is the memory."""
    path = tmp_path / "a.npz"
    one, two = (zipfile.ZipInfo(f"{name}.npy") for name in ("X", "Y"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(one, forged("(4,)"))
        archive.writestr(two, forged("(4,)"))
    path.write_bytes(path.read_bytes().replace(b"Y.npy", b"X.npy"))
    assert code(read_input, path, Info((4,))) == "E0704"
    np.savez_compressed(path, X=np.zeros(1_000_000))
    assert read_input(path, Info((1_000_000,))).size == 1_000_000
    monkeypatch.setenv("INDEXLANG_MEMORY", "1000000")
    assert code(read_input, path, Info((1_000_000,))) == "E0704"


def test_files_that_cannot_be_read(tmp_path: Path):
    assert code(read_input, tmp_path / "missing.npy", Info((2,))) == "E0701"
    assert code(read_input, tmp_path, Info((2,))) == "E0701"
    assert code(read_input, Path("/dev/zero"), Info((2,))) == "E0701"
    assert code(read_input, tmp_path / ("x" * 5000), Info((2,))) == "E0701"
    assert code(read_input, Path("a\0b.npy"), Info((2,))) == "E0701"
    os.mkfifo(tmp_path / "pipe.npy")
    assert code(read_input, tmp_path / "pipe.npy", Info((2,))) == "E0701"


def test_a_program_reads_only_its_own_folder(tmp_path: Path):
    folder = tmp_path / "program"
    (folder / "data").mkdir(parents=True)
    value = np.arange(3.0)
    for place in (tmp_path / "out.npy", folder / "in.npy", folder / "data" / "deep.npy"):
        np.save(place, value)
    (folder / "link.npy").symlink_to(folder / "in.npy")
    (folder / "way").symlink_to(folder / "data")
    (folder / "null.npy").symlink_to("/dev/null")
    for good in ("in.npy", "data/deep.npy", "./in.npy", str(folder / "in.npy")):
        assert (read_input(Path(good), Info((3,)), folder) == value).all()
    outside = ("../out.npy", str(tmp_path / "out.npy"), "data/../in.npy", "/etc/passwd", "http://a/b.npy")
    for bad in (*outside, "link.npy", "way/deep.npy", "null.npy"):
        assert code(read_input, Path(bad), Info((3,)), folder) == "E0703"
    assert code(read_input, Path("missing.npy"), Info((3,)), folder) == "E0701"
    assert code(read_input, Path("data"), Info((3,)), folder) == "E0701"


@pytest.mark.parametrize("name", ["out.npy", "out.npz"])
def test_outputs_come_back(tmp_path: Path, name: str):
    value = np.random.default_rng(0).normal(size=(3, 1, 4)).astype(np.float32)
    write_output(tmp_path / name, "allow_pickle", value)
    assert (read_input(tmp_path / name, Info((3, 1, 4))) == value).all()
    assert os.listdir(tmp_path) == [name]


def test_an_output_as_a_picture(tmp_path: Path):
    value = np.linspace(-0.5, 1.5, 7 * 5 * 3).reshape(1, 7, 5, 3)
    write_output(tmp_path / "out.png", "A", value)
    back = read_input(tmp_path / "out.png", Info(("B", 7, 5, 3)))
    assert np.abs(back - np.clip(value, 0, 1)).max() <= 0.5001 / 255
    assert code(write_output, tmp_path / "out.png", "A", np.zeros((2, 2, 2, 2))) == "E0705"


def test_outputs_that_cannot_be_written(tmp_path: Path):
    value = np.zeros(3)
    for path in (tmp_path / "no" / "a.npy", tmp_path / "a.txt", tmp_path / ("x" * 300 + ".npy"), Path("a\0.npy")):
        assert code(write_output, path, "A", value) == "E0705"
    (tmp_path / "folder.npy").mkdir()
    assert code(write_output, tmp_path / "folder.npy", "A", value) == "E0705"
    assert os.listdir(tmp_path) == ["folder.npy"]


def test_weights_come_back(tmp_path: Path):
    arrays = {
        "W1": np.arange(12.0).reshape(3, 4).T,
        "Φ.W": np.array([1, np.nan], np.float32),
        "n": np.array(3),
        "empty": np.zeros((0, 2)),
    }
    write_weights(tmp_path / "w.safetensors", arrays)
    back = read_weights(tmp_path / "w.safetensors")
    assert sorted(back) == sorted(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    np.savez(tmp_path / "w.npz", **arrays)
    np.testing.assert_array_equal(read_weights(tmp_path / "w.npz")["W1"], arrays["W1"])


def test_a_scalar_stays_one(tmp_path: Path):
    write_weights(tmp_path / "w.safetensors", {"scale": np.array(3.0, np.float32)})
    assert read_weights(tmp_path / "w.safetensors")["scale"].shape == ()


def test_damaged_weights(tmp_path: Path):
    write_weights(tmp_path / "good.safetensors", {"W": np.arange(100.0)})
    whole = (tmp_path / "good.safetensors").read_bytes()
    path = tmp_path / "w.safetensors"
    long_header = (2**62).to_bytes(8, "little") + whole[8:]
    for content in (b"", b"hello", whole[:5], whole[:40], whole[:-1], whole + b"x", long_header):
        path.write_bytes(content)
        assert code(read_weights, path) == "E0704"
    assert code(read_weights, tmp_path / "missing.safetensors") == "E0701"
    assert code(write_weights, tmp_path / "no" / "w.safetensors", {}) == "E0705"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "w.safetensors"
    write_weights(path, {"W": np.zeros(2)})
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert code(write_weights, path, {"W": np.ones(2)}) == "E0705"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["w.safetensors"]
