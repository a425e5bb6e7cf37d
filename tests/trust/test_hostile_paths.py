"""Only the files that are named are read: inside the program's folder, ordinary, bounded; names are never code."""

import os
from pathlib import Path

import numpy as np
import pytest
from commandline import indexlang
from safetensors.numpy import save_file

import indexlang as il
from indexlang.text.source import MAX_TEXT

SECRET = "B[i:3] = 7.25*i\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program's folder, with all kinds of things in it and around it."""
    inside = tmp_path / "program"
    (inside / "sub").mkdir(parents=True)
    (tmp_path / "secret.idx").write_text(SECRET)
    np.save(tmp_path / "secret.npy", np.full(3, 7.25))
    (inside / "sub" / "part.idx").write_text("C[i:3] = 1.0*i\n")
    os.symlink(tmp_path / "secret.idx", inside / "link.idx")
    os.symlink(tmp_path / "secret.npy", inside / "link.npy")
    os.symlink(tmp_path, inside / "up")
    os.symlink("/dev/zero", inside / "zero.idx")
    os.mkfifo(inside / "pipe.idx")
    os.mkfifo(inside / "pipe.npy")
    with (inside / "huge.idx").open("wb") as file:
        file.truncate(1 << 40)
    return inside


NAMES = (
    *("../secret", "sub/../../secret", "up/secret", "link", "pipe", "huge", "zero", "sub", "", ".", "..", "/", "//x"),
    *("/etc/passwd", "/dev/zero", "/dev/stdin", "/dev/fd/0", "/proc/self/environ", "http://a/b", "https://a/b"),
    *("file:///etc/passwd", "ftp://a", "~/.bashrc", "$HOME/x", "`id`", "$(id)", "; rm -rf x", "| cat", "con", "nul"),
    *(
        "a\\0b",
        "x" * 5000,
        "../" * 500 + "etc/passwd",
        "𝒂",
        "é",
        "\u202e",
        "%2e%2e/secret",
        "..\\\\secret",
        "sub/../link",
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_include_reaches_outside(folder: Path, name: str) -> None:
    for spelled in (name, f"{name}.idx"):
        (folder / "main.idx").write_text(f'include "{spelled}"\nY[i:3] = 1.0*i\n')
        found = il.check(folder / "main.idx")
        assert found, spelled
        assert all(d.code in ("E0220", "E0002", "E0004", "E0104", "E0103", "E0101", "E0111", "E0001") for d in found), (
            found
        )
        assert all(d.hint and "7.25" not in str(d) for d in found)


@pytest.mark.parametrize("name", NAMES)
def test_no_data_path_reaches_outside(folder: Path, name: str) -> None:
    (folder / "main.idx").write_text(f'input X[3] from "{name}.npy"\nY[i] = 2*X[i]\n')
    ended = indexlang("run", str(folder / "main.idx"))
    assert ended.exit in (1, 3), ended
    assert "7.25" not in ended.out + ended.err
    assert "14.5" not in ended.out
    assert "Traceback" not in ended.err


def test_what_is_inside_is_read(folder: Path) -> None:
    (folder / "main.idx").write_text('include "sub/part.idx"\nY[i:3] = 2*C[i]\noutput Y\n')
    assert il.check(folder / "main.idx") == []
    assert list(il.load(folder / "main.idx")()) == [0, 2, 4]


@pytest.mark.parametrize("name", ["huge.idx", "zero.idx"])
def test_a_file_without_end_is_read_no_further_than_a_text_may_be(folder: Path, name: str) -> None:
    ended = indexlang("check", str(folder / name))
    assert ended.exit == 3
    assert f"more than {4 * MAX_TEXT} bytes" in ended.err


def test_includes_may_not_go_on_for_ever(tmp_path: Path) -> None:
    """A chain of files, each including the next: told, or read; never a crash."""
    for n in range(400):
        (tmp_path / f"f{n}.idx").write_text(f'include "f{n + 1}.idx"\n')
    (tmp_path / "f400.idx").write_text("C[i:3] = 1.0*i\n")
    ended = indexlang("check", str(tmp_path / "f0.idx"))
    assert ended.exit in (0, 1), ended.err
    assert "Traceback" not in ended.err
    assert ended.exit == 0 or "E0220" in ended.err


# -- names in weights

HOSTILE = (
    "",
    "W",
    "__class__",
    "a\0b",
    "x\nimport os",
    "'; DROP",
    "../../x",
    "𝐖",
    "\u202eW",
    "W" * 5000,
    "class",
    "${x}",
)


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_names_in_weights_are_only_looked_up(tmp_path: Path, ending: str) -> None:
    program = il.compile("input X[2]\nparam W[2] ~ xavier\nY[i] = W[i]*X[i]\noutput Y\n")
    for hostile in HOSTILE:
        arrays = {"W": np.ones(2, np.float32), hostile + "_": np.zeros(2, np.float32), hostile: np.ones(2, np.float32)}
        path = tmp_path / f"w.{ending}"
        try:
            save_file(arrays, path) if ending == "safetensors" else np.savez(path, **arrays)  # type: ignore[arg-type]
        except (ValueError, OSError, UnicodeError):
            continue  # the format has no such name
        try:
            program.load_weights(path)
        except il.DataError as error:
            assert all(d.hint for d in error.diagnostics)  # noqa: PT017
        else:
            assert list(program(np.ones(2, np.float32))) == [1, 1]
    assert [p.name for p in tmp_path.iterdir()] == [f"w.{ending}"]


@pytest.mark.parametrize(
    "name", ["a b.idx", "é𝒂.idx", "'quoted'.idx", "-x.idx", "a;b.idx", "\u202e.idx", "a\nb.idx", "$HOME.idx"]
)
def test_any_file_name_is_a_program(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("Y[i:3] = = 1.0*i\n")
    ended = indexlang("check", "--", name)
    assert ended.exit == 1
    assert "E0101" in ended.err + ended.out
    assert "\u202e" not in ended.err + ended.out
    Path(name).write_text("Y[i:3] = 1.0*i\noutput Y\n")
    assert indexlang("run", "--", name).exit == 0


@pytest.mark.parametrize("name", ["a\0b.idx", "\udc80.idx", "x" * 5000 + ".idx", "", "no/such.idx"])
def test_a_name_that_no_file_has_is_told(name: str) -> None:
    with pytest.raises((il.DataError, il.ProgramError)):
        il.load(name)
