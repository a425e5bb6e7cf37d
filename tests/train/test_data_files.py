"""Data by its name: what is known, files of arrays, folders of pictures; everything else is one error."""

import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datacases import IMAGE, LABEL, Input, X, numbered, only_one, picture
from hypothesis import given
from hypothesis import strategies as st
from refused import told

from indexlang.text.diagnostics import DataError
from indexlang.train.data.dataset import Dataset, chosen
from indexlang.train.data.feeds import comes_from_disk
from indexlang.train.data.fitting import fitted_data
from indexlang.train.data.reading import read_data

P = Input("p", ("B", 4, 5, 1))


def test_digits():
    pytest.importorskip("sklearn")
    data = fitted_data(read_data("digits", (IMAGE, LABEL)), (IMAGE, LABEL))
    image, label = data.columns["image"][:], data.columns["label"][:]
    assert image.shape == (1797, 8, 8, 1)
    assert (image.min(), image.max(), image.dtype) == (0, 1, np.float32)
    assert label[:10].tolist() == list(range(10))
    assert data.classes == tuple("0123456789")
    assert data.place(17) == "digits, example 17"


def test_digits_for_an_input_of_vectors():
    pytest.importorskip("sklearn")
    inputs = (Input("x", ("B", 64)), Input("k", ("B",), "int"))
    assert fitted_data(read_data("digits", inputs), inputs).columns["x"].shape == (1797, 64)


def test_faces():
    pytest.importorskip("skimage")
    data = read_data("faces", ())
    image, label = data.columns["image"][:], data.columns["label"][:]
    assert image.shape == (200, 25, 25, 1)
    assert 0 <= image.min() < image.max() <= 1
    assert (label[:100] == 1).all()
    assert (label[100:] == 0).all()
    assert data.classes == ("no face", "face")


@pytest.mark.parametrize(("name", "module"), [("digits", "sklearn.datasets"), ("faces", "skimage.data")])
def test_packages_that_are_missing(name: str, module: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, module, None)
    code, message, hint = told(read_data, name, ())
    assert code == "E0802"
    assert f"`{name}` needs the package scikit-" in message
    assert hint == "pip install 'indexlang[data]'"


UNKNOWN = (
    ("digts", "did you mean `digits`?"),
    ("Faces", "did you mean `faces`?"),
    ("nothing-like-it", "no file or folder has this name; there is digits, faces, PATH.npz"),
    ("a\0b", "no file"),
    ("\ud800", "no file"),
    ("x" * 5000, "no file"),
    ("x=a.npz", "NAME=PATH.npy"),
    ("x=a.npy,b.npy", "NAME=PATH.npy"),
)


@pytest.mark.parametrize(("spec", "hint"), UNKNOWN)
def test_data_that_is_not_there(spec: str, hint: str, tmp_path: Path):
    code, _, advice = told(read_data, spec, (X,), tmp_path)
    assert code == "E0801"
    assert hint in advice


def test_a_file_of_another_kind(tmp_path: Path):
    (tmp_path / "data.txt").write_text("1 2 3")
    code, _, hint = told(read_data, "data.txt", (X,), tmp_path)
    assert (code, "ends in .npz, .npy or .csv" in hint) == ("E0801", True)


@pytest.mark.parametrize("ending", ["npy", "npz", "csv"])
def test_files_that_cannot_be_read(tmp_path: Path, ending: str):
    assert told(read_data, f"missing.{ending}", (X,), tmp_path)[0] == "E0701"
    os.mkfifo(tmp_path / f"pipe.{ending}")
    assert told(read_data, f"pipe.{ending}", (X,), tmp_path)[0] == "E0701"
    (tmp_path / f"null.{ending}").symlink_to("/dev/null")
    assert told(read_data, f"null.{ending}", (X,), tmp_path)[0] == "E0701"


def test_arrays_of_an_archive(tmp_path: Path):
    x, label = np.arange(6.0).reshape(2, 3), np.array([1, 0])
    np.savez(tmp_path / "d.npz", x=x, label=label)
    np.savez_compressed(tmp_path / "c.npz", x=x, label=label)
    for name in ("d.npz", "c.npz", str(tmp_path / "d.npz")):
        found = read_data(name, (X, LABEL), tmp_path)
        assert (found.columns["x"][:] == x).all()
        assert (found.columns["label"][:] == label).all()
        assert found.place(1).endswith("npz, example 1")


def test_arrays_of_their_own(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    np.save(tmp_path / "b=b.npy", np.array([1, 0]))
    assert list(read_data("a.npy", (X,), tmp_path).columns) == ["a"]
    assert list(read_data("b=b.npy", (X,), tmp_path).columns) == ["b=b"]
    found = read_data("x=a.npy, label=b=b.npy", (X, LABEL), tmp_path)
    assert found.columns["x"][:].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.columns["label"][:].tolist() == [1, 0]
    assert told(read_data, "x=a.npy,x=a.npy", (X,), tmp_path)[0] == "E0801"


@pytest.mark.parametrize("fortran", [False, True])
def test_large_arrays_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fortran: bool):
    x = np.arange(12, dtype=">f8").reshape(4, 3)
    x = np.asfortranarray(x) if fortran else x
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "d.npz", x=x, label=np.arange(4))
    np.savez_compressed(tmp_path / "c.npz", x=x)
    monkeypatch.setattr("indexlang.train.data.arrays.LARGE", 1)
    for name, mapped in (("x.npy", True), ("d.npz", True), ("c.npz", False)):
        data = fitted_data(read_data(name, (X,), tmp_path), (X,))
        assert comes_from_disk(data.columns["x"]) == mapped
        assert data.columns["x"].dtype == np.float32
        taken = data.take(np.array([2, 0]))["x"]
        assert taken.tolist() == [[6, 7, 8], [0, 1, 2]]
        assert type(taken) is np.ndarray
        assert taken.flags.c_contiguous


BAD_ARCHIVES = (
    (b"", "damaged"),
    (b"hello", "damaged"),
    ({"x": np.array([{}, None])}, "Python objects"),
    ({"x": np.array(["cat"])}, "not numbers"),
    ({"x": np.zeros(2, np.complex64)}, "not numbers"),
)


@pytest.mark.parametrize(("content", "message"), BAD_ARCHIVES)
@pytest.mark.parametrize("large", [1, 2**30])
def test_archives_that_hold_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, message: str, large: int
):
    path = tmp_path / "d.npz"
    path.write_bytes(content if isinstance(content, bytes) else packed(**content))
    monkeypatch.setattr("indexlang.train.data.arrays.LARGE", large)
    code, said, _ = told(read_data, str(path), (X,))
    assert code == "E0704"
    assert message in said


def packed(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_an_archive_without_arrays(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "d.npz", "w"):
        pass
    assert told(read_data, "d.npz", (X,), tmp_path)[:2] == ("E0808", f"{tmp_path / 'd.npz'} has no columns")


NPZ = packed(x=np.arange(30, dtype=np.float32).reshape(10, 3), label=np.arange(10))


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(30, dtype=np.float32).reshape(10, 3))
    return file.getvalue()


WHOLE = {"npz": NPZ, "npy": npy()}
DAMAGE = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=4)


@given(DAMAGE, st.integers(0, 700), st.sampled_from(["npz", "npy"]), st.sampled_from([1, 2**30]))
def test_damaged_arrays_give_data_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, int]], cut: int, ending: str, large: int
):
    content = bytearray(WHOLE[ending])
    for at, byte in damage:
        content[at % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / f"damaged.{ending}"
    path.write_bytes(bytes(content[: -cut or None] if cut < 100 else content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexlang.train.data.arrays.LARGE", large)
        try:
            found = fitted_data(read_data(str(path), (X,)), (X,))
        except DataError as problem:
            only_one(problem)
        else:
            assert isinstance(found, Dataset)
            assert np.isfinite(found.columns["x"][:]).all()


def laid_out(folder: Path) -> Path:
    for name, grey in (("cats/003.png", 0), ("cats/001.jpg", 51), ("dogs/2.PNG", 255), (".hidden/x.png", 9)):
        path = picture(folder / name.lower(), np.full((8, 10), grey))
        path.rename(folder / name)
    (folder / "cats" / "notes.txt").write_text("of cats")
    (folder / "readme.md").write_text("pictures")
    return folder


def test_pictures_by_class(tmp_path: Path):
    data = fitted_data(read_data(str(laid_out(tmp_path)), (P, LABEL)), (P, LABEL))
    assert data.classes == ("cats", "dogs")
    assert data.columns["label"][:].tolist() == [0, 0, 1]
    assert data.columns["p"].shape == (3, 4, 5, 1)
    assert np.allclose(data.columns["p"][:][:, 0, 0, 0], [0.2, 0, 1], atol=0.01)
    assert data.place(1) == str(tmp_path / "cats" / "003.png")
    assert chosen(data, np.array([2])).place(0) == str(tmp_path / "dogs" / "2.PNG")


def test_pictures_in_colour_in_bytes_and_of_their_own_size(tmp_path: Path):
    laid_out(tmp_path)
    for wanted, shape, most in (
        (Input("p", ("B", 4, 5, 3)), (3, 4, 5, 3), 1),
        (Input("p", ("B", 4, 5)), (3, 4, 5), 1),
        (Input("p", ("B", 4, 5, 1), "u8"), (3, 4, 5, 1), 255),
        (Input("p", ("B", "X", "Y", 1)), (3, 8, 10, 1), 1),
    ):
        data = fitted_data(read_data(str(tmp_path), (wanted, LABEL)), (wanted, LABEL))
        assert data.columns["p"].shape == shape
        assert data.columns["p"][:].max() == most
    picture(tmp_path / "dogs" / "3.png", np.zeros((9, 9)))
    code, message, hint = told(read_data, str(tmp_path), (Input("p", ("B", "X", "Y", 1)),))
    assert (code, "3.png is [9, 9, 1]" in message, "extents" in hint) == ("E0805", True, True)


def test_folders_that_are_not_of_pictures(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    picture(tmp_path / "flat" / "1.png", np.zeros((2, 2)))
    (tmp_path / "bare" / "cats").mkdir(parents=True)
    picture(tmp_path / "deep" / "cats" / "young" / "1.png", np.zeros((2, 2)))
    rows = (
        ("empty", "it is empty"),
        ("flat", "it has no folder for each class"),
        ("bare", "it holds no PNG or JPEG pictures"),
        ("deep", "it is a folder inside that of a class"),
    )
    for name, message in rows:
        code, said, hint = told(read_data, name, (P,), tmp_path)
        assert code == "E0811"
        assert message in said
        assert "folder/class/picture.png" in hint


@pytest.mark.parametrize("large", [0, 2**30])
def test_pictures_that_cannot_be_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int):
    monkeypatch.setattr("indexlang.train.data.pictures.LARGE", large)
    picture(tmp_path / "cats" / "1.png", np.zeros((4, 5)))
    bad = tmp_path / "cats" / "2.png"
    for content in (b"", b"hello", b"GIF89a" + b"\0" * 40):
        bad.write_bytes(content)
        code, message, _ = told(lambda: fitted_data(read_data(str(tmp_path), (P,)), (P,)))
        assert (code, str(bad) in message) == ("E0702", True)
    bad.unlink()
    bad.symlink_to(tmp_path / "gone")
    assert told(lambda: fitted_data(read_data(str(tmp_path), (P,)), (P,)))[0] == "E0701"
    bad.unlink()
    (tmp_path / "cats" / "3.gif").write_bytes(b"GIF89a")
    code, message, hint = told(read_data, str(tmp_path), (P,))
    assert (code, "3.gif" in message, "PNG or JPEG" in hint) == ("E0702", True, True)


def test_a_large_set_tells_of_damage_when_it_decodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("indexlang.train.data.pictures.LARGE", 0)
    picture(tmp_path / "cats" / "1.png", np.zeros((40, 50)))
    noise = np.random.default_rng(0).integers(0, 255, (40, 50))
    bad = picture(tmp_path / "cats" / "2.png", noise)
    bad.write_bytes(bad.read_bytes()[:600])
    data = fitted_data(read_data(str(tmp_path), (P,)), (P,))
    code, message, _ = told(data.take, np.array([0, 1]))
    assert (code, str(bad) in message) == ("E0702", True)


def test_programs_that_take_no_pictures(tmp_path: Path):
    laid_out(tmp_path)
    assert told(read_data, str(tmp_path), (X, LABEL))[0] == "E0804"
    assert told(read_data, str(tmp_path), (P, Input("q", ("B", 4, 5, 1))))[0] == "E0804"
    assert told(read_data, str(tmp_path), (Input("p", ("B", 4, 5, 7)),))[0] == "E0601"
    assert told(read_data, str(tmp_path), (Input("p", (4, 5, 1)),))[0] == "E0807"


def test_a_dataset_says_what_it_is():
    assert repr(numbered(2)) == (
        "Dataset(data: 2 examples, `x`[2, 3] of float32, `label`[2] of int64, `image`[2, 4, 5, 2] of float32)"
    )
