"""A loaded module does what another text says: functions, methods, what decorators wrap, and plain constants."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from mutation.swap import swap

TEXT = """
from functools import lru_cache
MOST = 3
def plain(x):
    return x + 1
@lru_cache
def kept(x):
    return x + 2
class Held:
    @property
    def twice(self):
        return [v * 2 for v in (1, 2)]
def under_the_limit(x):
    return x < MOST
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "to_be_changed.py").write_text(TEXT)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module("to_be_changed")
    del sys.modules["to_be_changed"]


@pytest.mark.parametrize(
    ("old", "new", "asked", "wanted"),
    [
        ("x + 1", "x - 1", "plain(5)", 4),
        ("x + 2", "x - 2", "kept(5)", 3),
        ("v * 2", "v + 2", "Held().twice", [3, 4]),
        ("MOST = 3", "MOST = 4", "under_the_limit(3)", True),
    ],
)
def test_a_change_takes_effect(module: ModuleType, old: str, new: str, asked: str, wanted: object) -> None:
    held = vars(module)
    assert eval(asked, held) != wanted
    module.kept.cache_clear()
    assert swap(module, TEXT.replace(old, new))
    assert eval(asked, held) == wanted


def test_the_same_text_changes_nothing(module: ModuleType) -> None:
    assert not swap(module, TEXT)


def test_what_was_computed_before_is_forgotten() -> None:
    from indexlang.ir import affine

    kept = [v for v in vars(affine).values() if isinstance(v, type(lru_cache(len)))]
    text = Path(str(affine.__file__)).read_text(encoding="utf-8")
    assert not swap(affine, text)
    assert all(f.cache_info().currsize == 0 for f in kept)
