"""The cache cannot hurt: missing, stale, damaged, foreign, read-only or written by many at once."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from indexlang.emit.store import MAGIC, Store, default_folder

PAYLOAD = bytes(range(256)) * 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def only_entry(store: Store) -> Path:
    assert store.folder is not None
    (path,) = store.folder.glob("*.obj")
    return path


def test_what_is_put_can_be_got_by_another_store(store: Store):
    store.put("k1", PAYLOAD)
    assert store.trouble is None
    assert store.get("k1") == PAYLOAD
    assert Store(store.folder).get("k1") == PAYLOAD
    assert store.get("k2") is None


def test_the_folder_is_private(store: Store):
    assert store.folder is not None
    assert store.folder.stat().st_mode & 0o777 == 0o700


def test_a_new_payload_replaces_the_old(store: Store):
    store.put("k", b"old")
    store.put("k", b"new")
    assert store.get("k") == b"new"


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "a/b", "a\0b", "\udc80", "x" * 5000, "AUX", "K", "k", "ﬁ"])
def test_any_text_is_a_key_and_stays_inside_the_folder(store: Store, key: str):
    store.put("other", b"other")
    store.put(key, PAYLOAD)
    assert store.get(key) == PAYLOAD
    assert store.get("other") == b"other"
    assert store.folder is not None
    assert len(list(store.folder.iterdir())) == 2


def test_an_entry_under_another_name_is_a_miss(store: Store):
    store.put("k", PAYLOAD)
    only_entry(store).rename(only_entry(store).with_name("j.obj"))
    assert store.get("j") is None


@pytest.mark.parametrize("length", [0, 1, len(MAGIC) - 1, len(MAGIC) + 5, len(MAGIC) + 32, len(MAGIC) + 33, -1])
def test_a_truncated_entry_is_a_miss_and_is_removed(store: Store, length: int):
    store.put("k", PAYLOAD)
    path = only_entry(store)
    path.write_bytes(path.read_bytes()[:length])
    assert store.get("k") is None
    assert not path.exists()
    store.put("k", PAYLOAD)
    assert store.get("k") == PAYLOAD


def test_no_flipped_byte_gets_through(store: Store):
    chance = random.Random(7)
    for _ in range(100):
        store.put("k", PAYLOAD)
        content = bytearray(only_entry(store).read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        only_entry(store).write_bytes(content)
        assert store.get("k") is None


def test_another_version_is_a_miss(store: Store):
    store.put("k", PAYLOAD)
    path = only_entry(store)
    path.write_bytes(path.read_bytes().replace(b"object 1", b"object 0"))
    assert store.get("k") is None


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_ordinary_file_is_a_miss(store: Store, tmp_path: Path, kind: str):
    assert store.folder is not None
    store.put("k", PAYLOAD)
    path = only_entry(store)
    real = path.rename(tmp_path / "real")
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(real)
        case _:
            os.mkfifo(path)
    assert store.get("k") is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write_is_not_used(tmp_path: Path, mode: int):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    store = Store(folder)
    assert store.folder is None
    assert store.trouble is not None
    assert "other users" in store.trouble
    store.put("k", PAYLOAD)
    assert store.get("k") == PAYLOAD
    assert store.source_path("k") is None
    assert store.put_source("k", "text") is None
    assert list(folder.iterdir()) == []
    assert store.size() == len(PAYLOAD)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_not_used(tmp_path: Path):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    assert "another user" in (Store(folder).trouble or "")


@pytest.mark.parametrize("name", ["file/below", "a\0b", "x" * 5000])
def test_an_impossible_folder_gives_a_store_in_memory(tmp_path: Path, name: str):
    (tmp_path / "file").write_text("not a folder")
    store = Store(tmp_path / name)
    assert store.folder is None
    assert store.trouble
    store.put("k", PAYLOAD)
    assert store.get("k") == PAYLOAD


def test_a_file_in_place_of_the_folder(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    assert Store(tmp_path / "file").trouble


def test_a_read_only_folder_is_read_and_new_entries_stay_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.put("old", b"old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    store.put("new", b"new")
    assert store.get("old") == b"old"
    assert store.get("new") == b"new"
    assert Store(store.folder).get("new") is None


def test_a_full_disk_leaves_no_litter(store: Store, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    store.put("k", PAYLOAD)
    assert store.get("k") == PAYLOAD
    assert store.folder is not None
    assert list(store.folder.iterdir()) == []


def test_a_folder_removed_underneath(store: Store):
    assert store.folder is not None
    store.folder.rmdir()
    store.put("k", PAYLOAD)
    assert store.get("k") == PAYLOAD
    assert store.size() == len(PAYLOAD)


def test_sources_are_readable_files(store: Store):
    path = store.put_source("k", "# L1[x] = α\n")
    assert path == store.source_path("k")
    assert path is not None
    assert path.read_text(encoding="utf-8") == "# L1[x] = α\n"


def test_clear_removes_only_our_files(store: Store):
    assert store.folder is not None
    (store.folder / "letter.txt").write_text("mine")
    store.put("k", PAYLOAD)
    store.put_source("k", "text")
    store.clear()
    assert [path.name for path in store.folder.iterdir()] == ["letter.txt"]
    assert store.get("k") is None


def test_the_size_stays_bounded_and_the_longest_unused_go_first(tmp_path: Path):
    store = Store(tmp_path / "cache", limit=10_000)
    for i in range(100):
        store.put(f"k{i}", bytes(1000))
        os.utime(store._path(f"k{i}", ".obj"), (1e9 + i, 1e9 + i))
        assert store.size() <= 12_000
    assert store.get("k99") is not None
    assert store.get("k0") is None


def test_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("INDEXLANG_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("INDEXLANG_CACHE")
    assert default_folder().name == "indexlang"


WRITER = """
import sys
from pathlib import Path
from indexlang.emit.store import Store
store = Store(Path(sys.argv[1]))
assert store.trouble is None, store.trouble
for turn in range(5):
    for i in range(30):
        payload = f"payload {i} ".encode() * 500
        found = store.get(f"k{i}")
        assert found is None or found == payload
        if found is None or i % 3 == turn % 3:
            store.put(f"k{i}", payload)
            assert store.get(f"k{i}") == payload
"""


@pytest.mark.parametrize("turn", range(2))
def test_eight_processes_on_one_cold_cache(tmp_path: Path, turn: int):
    folder = tmp_path / f"cold{turn}"
    command = [sys.executable, "-c", WRITER, str(folder)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(8)]
    for writer in writers:
        assert writer.wait(60) == 0, writer.communicate()[1].decode()
    assert len(list(folder.iterdir())) == 30
