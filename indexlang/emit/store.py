"""The cache of generated sources and object code, by content hash. It can change speed, never results.

An entry is one file: a magic line, the SHA-256 digest of key and payload, the payload. It appears by one rename and is
checked whenever it is read; anything odd (missing, truncated, damaged, of another version, unreadable) is a miss.
A folder that somebody else could write is not used: the store then lives in memory, and `trouble` says why.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

MAGIC = b"indexlang object 1\n"
_DIGEST_BYTES = 32
_ENTRY, _SOURCE, _ASIDE = ".obj", ".py", ".part"


def default_folder() -> Path:
    """The user's cache folder for indexlang, or the one that the environment variable INDEXLANG_CACHE names."""
    named = os.environ.get("INDEXLANG_CACHE")
    return Path(named) if named else user_cache_path("indexlang", appauthor=False)


class Store:
    """Payloads by key, in `folder` (None: in memory only). No method raises on an input or output problem.

    folder   where the entries lie, or None while in memory
    trouble  why there is no folder, as a sentence for the user; None when all is well
    limit    bytes that the folder may hold; beyond it the entries used longest ago go first
    """

    def __init__(self, folder: Path | None = None, limit: int = 1 << 30) -> None:
        self.limit = limit
        self.trouble: str | None = None
        self.folder: Path | None = None
        self._memory: dict[str, bytes] = {}
        self._until_check = 0
        if folder is not None:
            self._open(folder)

    def get(self, key: str) -> bytes | None:
        """The payload stored under `key`, or None. A digest of key and payload is checked before it is handed out."""
        if key in self._memory:
            return self._memory[key]
        if self.folder is None:
            return None
        path = self._path(key, _ENTRY)
        content = _read(path)
        if content is None:
            return None
        payload = _unseal(key, content)
        if payload is None:
            _remove(path)
            return None
        with suppress(OSError, ValueError):
            os.utime(path)
        return payload

    def put(self, key: str, payload: bytes) -> None:
        """Keep `payload` under `key`: written aside, then published by one rename. A failed write loses nothing."""
        if self.folder is None:
            self._memory[key] = payload
            return
        if not self._publish(self._path(key, _ENTRY), _seal(key, payload)):
            self._memory[key] = payload

    def source_path(self, key: str) -> Path | None:
        """Where the readable source of entry `key` belongs (whether or not it is there); None while in memory."""
        return None if self.folder is None else self._path(key, _SOURCE)

    def put_source(self, key: str, text: str) -> Path | None:
        """Write the readable source of entry `key`; its path, or None when there is no such file."""
        path = self.source_path(key)
        if path is None or not self._publish(path, text.encode("utf-8", "replace")):
            return None
        return path

    def size(self) -> int:
        """Bytes held, in memory and in the folder."""
        return sum(map(len, self._memory.values())) + sum(size for _, size, _ in self._files())

    def clear(self) -> None:
        """Forget everything. Only files of our own making are removed."""
        self._memory.clear()
        for _, _, path in self._files():
            _remove(path)

    def trim(self) -> None:
        """If there is more than `limit`, remove the entries used longest ago down to three quarters of it."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for _, size, path in files:
            if total <= self.limit * 3 // 4:
                return
            _remove(path)
            total -= size

    def _open(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.trouble = _distrust(folder)
        except (OSError, ValueError) as problem:
            self.trouble = f"the cache folder {str(folder)!r} cannot be used: {_reason(problem)}"
        if self.trouble is None:
            self.folder = folder

    def _path(self, key: str, ending: str) -> Path:
        """Keys are any text: those that are not plain hash names are hashed, so no key can name another folder."""
        assert self.folder is not None
        plain = key.isascii() and key.replace("_", "").isalnum() and key == key.lower() and len(key) <= 100
        return self.folder / ((key if plain else "h_" + _digest(key, b"").hex()) + ending)

    def _publish(self, path: Path, content: bytes) -> bool:
        aside = None
        try:
            handle, aside = tempfile.mkstemp(prefix=path.stem[:40] + ".", suffix=_ASIDE, dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(aside, path)
        except (OSError, ValueError):
            if aside is not None:
                _remove(Path(aside))
            return False
        self._keep_house(len(content))
        return True

    def _keep_house(self, written: int) -> None:
        """Look at the folder's size on the first write and then each sixteenth of the limit: listing costs time."""
        self._until_check -= written
        if self._until_check < 0:
            self._until_check = self.limit // 16
            self.trim()

    def _files(self) -> list[tuple[float, int, Path]]:
        """(last use, bytes, path) of our own files."""
        found: list[tuple[float, int, Path]] = []
        if self.folder is None:
            return found
        with suppress(OSError, ValueError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.name.endswith((_ENTRY, _SOURCE, _ASIDE)) and entry.is_file(follow_symlinks=False):
                        about = entry.stat(follow_symlinks=False)
                        found.append((about.st_mtime, about.st_size, Path(entry.path)))
        return found


def _distrust(folder: Path) -> str | None:
    """Why `folder` must not be used: it is not ours, or others may write to it. None when it is good."""
    about = os.lstat(folder)
    if stat.S_ISLNK(about.st_mode):
        about = os.stat(folder)
    if not stat.S_ISDIR(about.st_mode):
        return f"the cache folder {str(folder)!r} is not a folder"
    if hasattr(os, "getuid"):
        if about.st_uid != os.getuid():
            return f"the cache folder {str(folder)!r} belongs to another user"
        if about.st_mode & 0o022:
            return f"the cache folder {str(folder)!r} may be written by other users (mode {about.st_mode & 0o777:o})"
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"the cache folder {str(folder)!r} cannot be read"
    return None


def _seal(key: str, payload: bytes) -> bytes:
    return MAGIC + _digest(key, payload) + payload


def _unseal(key: str, content: bytes) -> bytes | None:
    """The payload inside an entry's `content`, or None when anything about it is odd."""
    start = len(MAGIC) + _DIGEST_BYTES
    if len(content) < start or not content.startswith(MAGIC):
        return None
    payload = content[start:]
    return payload if _digest(key, payload) == content[len(MAGIC) : start] else None


def _digest(key: str, payload: bytes) -> bytes:
    name = key.encode("utf-8", "surrogatepass")
    return hashlib.sha256(len(name).to_bytes(8, "little") + name + payload).digest()


def _read(path: Path) -> bytes | None:
    """The file's bytes; None when there is no ordinary file of ours to be read."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(handle)
            mine = not hasattr(os, "getuid") or about.st_uid == os.getuid()
            return file.read() if stat.S_ISREG(about.st_mode) and mine else None
    except (OSError, ValueError):
        return None


def _remove(path: Path) -> None:
    with suppress(OSError, ValueError):
        path.unlink()


def _reason(problem: Exception) -> str:
    return (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
