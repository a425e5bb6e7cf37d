"""What a caller may give as data: mappings, names, and batches as they come."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datacases import LABEL, Input, X, numbered
from refused import told

from indexlang.train.data.dataset import Dataset
from indexlang.train.data.streams import Stream, dataset_of

INPUTS = (X, LABEL)


def batch(n: int, size: int = 2) -> dict[str, Any]:
    return {"x": np.full((size, 3), n, np.float64), "label": np.full(size, n)}


def stream(value: Any) -> Stream:
    found = dataset_of(value, INPUTS)
    assert isinstance(found, Stream)
    return found


def numbers(feed: Stream, epoch: int, start: int = 0) -> list[int]:
    return [int(b["label"][0]) for b in feed.batches(epoch, start)]


class Loader:
    """As other packages have them: a length, and an iterator as often as one is asked for."""

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (batch(n) for n in range(3))


def test_mappings_and_names(tmp_path: Path):
    found = dataset_of({"x": [[1, 2, 3]], "label": (4,)}, INPUTS)
    assert isinstance(found, Dataset)
    assert found.columns["x"][:].tolist() == [[1, 2, 3]]
    assert dataset_of(found, INPUTS) is found
    np.savez(tmp_path / "d.npz", x=np.ones((2, 3)))
    for value, folder in ((tmp_path / "d.npz", None), (str(tmp_path / "d.npz"), None), ("d.npz", tmp_path)):
        read = dataset_of(value, INPUTS, folder)
        assert isinstance(read, Dataset)
        assert len(read) == 2


@pytest.mark.parametrize("value", [[batch(0), batch(1), batch(2)], Loader(), lambda: (batch(n) for n in range(3))])
def test_batches_that_come_again(value: Any):
    feed = stream(value)
    assert dataset_of(feed, INPUTS) is feed
    assert feed.examples is None
    assert feed.steps == (None if callable(value) else 3)
    for epoch in (1, 2, 5):
        assert numbers(feed, epoch) == [0, 1, 2]
        assert numbers(feed, epoch, 1) == [1, 2]
        assert numbers(feed, epoch, 9) == []


def test_batches_are_fitted():
    (first,) = stream([{"X": [[1, 2, 3]], "k": np.array([4], np.uint8)}]).batches(1)
    assert {name: (a.dtype, a.tolist()) for name, a in first.items()} == {
        "x": (np.float32, [[1, 2, 3]]),
        "label": (np.int64, [4]),
    }


def test_an_iterator_is_gone_through_once():
    feed = stream(iter([batch(0), batch(1)]))
    assert numbers(feed, 1) == [0, 1]
    code, message, hint = told(numbers, feed, 2)
    assert (code, "epoch 2 needs it again" in message) == ("E0812", True)
    assert "a function that returns them anew" in hint


def test_a_list_is_entered_where_it_starts():
    class Batches(list[Any]):
        asked: tuple[int, ...] = ()

        def __getitem__(self, n: Any) -> Any:
            self.asked += (n,)
            return super().__getitem__(n)

    value = Batches([batch(0), batch(1), batch(2)])
    feed = stream(value)
    value.asked = ()
    assert numbers(feed, 1, 2) == [2]
    assert value.asked == (2,)


WRONG = (
    (lambda: iter([batch(0), [1, 2]]), "E0813", "batch 1 of the data is a list"),
    (lambda: iter([batch(0), None]), "E0813", "batch 1 of the data is a NoneType"),
    (lambda: [batch(0), {"x": np.ones((2, 3))}], "E0804", "no column of the data, batch 1 is for the input `label`"),
    (lambda: [batch(0), {**batch(1), "x": np.ones((2, 4))}], "E0805", "column `x` of the data, batch 1"),
    (lambda: [batch(0), {**batch(1), "label": np.ones(2)}], "E0806", "column `label` of the data, batch 1"),
    (lambda: [batch(0), {**batch(1), "label": np.ones(3, int)}], "E0808", "the data, batch 1 has columns of unequal"),
    (lambda: [{**batch(0), "x": np.full((2, 3), np.nan)}], "E0809", "the data, batch 0, example 0: `x` is nan"),
    (lambda: [{"x": [object()], "label": [0]}], "E0608", "`x`"),
    (lambda: [{}], "E0808", "the data, batch 0 has no columns"),
    (lambda: lambda: 5, "E0816", "a function that returns an int"),
)


@pytest.mark.parametrize(("make", "code", "message"), WRONG)
def test_batches_that_do_not_fit(make: Any, code: str, message: str):
    found = told(lambda: list(stream(make()).batches(1)))
    assert found[0] == code
    assert message in found[1]


NOT_DATA = (5, None, 1.5, b"digits", np.ones(3), (np.ones((2, 3)), np.ones(2)), [1, 2], ["digits"])


@pytest.mark.parametrize("value", NOT_DATA, ids=repr)
def test_what_is_no_data(value: Any):
    code, message, hint = told(dataset_of, value, INPUTS)
    assert (code, message.endswith("is no data of training"), "dict" in hint) == ("E0816", True, True)


def test_mappings_of_no_arrays():
    assert told(dataset_of, {"x": "cat"}, INPUTS)[0] == "E0608"
    assert told(dataset_of, {"x": np.ones(2, complex)}, INPUTS)[0] == "E0603"
    assert told(dataset_of, {}, INPUTS)[0] == "E0808"
    assert told(dataset_of, [batch(0)], (Input("x", (3,)),))[0] == "E0807"
    assert len(numbered(2)) == 2
