"""`include`: files beside the program, each read once, and every mistake told where it is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import indexlang as il

Write = Callable[..., Path]

BLOCKS = "def Twice(a) = 2*a\ndef Half(a) = a/2\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into the program's folder (`sub__a` is sub/a.idx); the path of the first."""

    def all_of(**texts: str) -> Path:
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.idx"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / f"{next(iter(texts))}.idx"

    return all_of


def messages(path: Path) -> list[str]:
    return [" ".join(str(il.ProgramError([d])).split()) for d in il.check(path)]


def test_definitions_of_another_file(write: Write) -> None:
    net = il.load(write(main='include "blocks.idx"\ninput X[N]\nY[i] = Twice(X[i]) + Half(X[i])', blocks=BLOCKS))
    np.testing.assert_array_equal(net(np.arange(3.0)), 2.5 * np.arange(3.0))


def test_equations_and_constants_of_another_file(write: Write) -> None:
    main = write(main='include "first.idx"\nY[i] = c*H[i]', first="c = 3\ninput X[N]\nH[i] = X[i] + 1")
    np.testing.assert_array_equal(il.load(main)(np.arange(2.0)), [3, 6])


def test_a_file_is_read_once_however_often_it_is_included(write: Write) -> None:
    main = write(
        main='include "a.idx"\ninclude "b.idx"\ninclude "blocks.idx"\ninput X[N]\nY[i] = A(X[i]) + B(X[i])',
        a='include "blocks.idx"\ndef A(a) = Twice(a)',
        b='include "blocks.idx"\ndef B(a) = Half(a)',
        blocks=BLOCKS,
    )
    np.testing.assert_array_equal(il.load(main)(np.ones(2)), [2.5, 2.5])


def test_paths_are_those_of_the_including_file_and_may_go_up_inside_the_folder(write: Write) -> None:
    main = write(
        main='include "sub/a.idx"\ninput X[N]\nY[i] = A(X[i])',
        sub__a='include "b.idx"\ninclude "../blocks.idx"\ndef A(a) = Twice(B(a))',
        sub__b="def B(a) = a + 1",
        blocks=BLOCKS,
    )
    np.testing.assert_array_equal(il.load(main)(np.zeros(1)), [2])


def test_a_mistake_is_told_in_its_file(write: Write) -> None:
    (found,) = il.check(write(main='include "a.idx"\ninput X[N]\nY[i] = A(X[i])', a="def A(a) = a + q"))
    assert (found.code, found.span.source.name, found.span.text) == ("E0201", "a.idx", "q")


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"main": 'include "main.idx"'}, "each other: main.idx → main.idx"),
        ({"main": 'include "a.idx"', "a": 'include "b.idx"', "b": 'include "a.idx"'}, "a.idx → b.idx → a.idx"),
        ({"main": 'include "../other.idx"'}, "outside the program's folder"),
        ({"main": 'include "/etc/passwd"'}, "outside the program's folder"),
        ({"main": 'include "sub/a.idx"', "sub__a": 'include "../../other.idx"'}, "outside the program's folder"),
        ({"main": 'include "none.idx"'}, "none.idx"),
        ({"main": 'include "sub"', "sub__a": ""}, "name a file, not a folder"),
        ({"main": 'include "a\\0b.idx"'}, "E0"),
    ],
    ids=["itself", "a circle", "up", "absolute", "up from below", "missing", "a folder", "a hostile name"],
)
def test_refused(write: Write, texts: dict[str, str], words: str) -> None:
    """One message, and nothing said of what would have been in the file."""
    main = write(**{n: t + ("\ninput X[N]\nY[i] = Twice(X[i])" if n == "main" else "") for n, t in texts.items()})
    first, *more = messages(main)
    assert words in first
    assert not [m for m in more if "E0220" in m]


def test_a_link_out_of_the_folder_is_outside(write: Write, tmp_path: Path) -> None:
    main = write(inner__main='include "link.idx"\ninput X[N]\nY[i] = 2*X[i]', secret="def S(a) = a")
    main = tmp_path / "inner" / "main.idx"
    (tmp_path / "inner" / "link.idx").symlink_to(tmp_path / "secret.idx")
    assert "outside the program's folder" in messages(main)[0]


def test_bytes_that_are_no_text(write: Write, tmp_path: Path) -> None:
    main = write(main='include "a.idx"\ninput X[N]\nY[i] = 2*X[i]')
    (tmp_path / "a.idx").write_bytes(b"c = 3\n\xff\n")
    (found,) = il.check(main)
    assert found.code == "E0001"


def test_a_text_without_a_folder_includes_nothing() -> None:
    (found, *_) = il.check('include "a.idx"\ninput X[N]\nY[i] = 2*X[i]')
    assert found.code == "E0220"
