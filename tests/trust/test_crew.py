"""Work that threads share: all of it is done, and what goes wrong is told."""

import threading

import pytest

from indexlang.run.crew import each


@pytest.mark.parametrize(("count", "threads"), [(0, 1), (0, 4), (1, 4), (7, 1), (97, 3), (5, 50)])
def test_each_item_is_taken_once(count: int, threads: int) -> None:
    seen: list[int] = []
    each(seen.append, range(count), threads)
    assert sorted(seen) == list(range(count))


@pytest.mark.parametrize("kind", [ValueError, IndexError, KeyboardInterrupt])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_trouble_ends_the_work_and_is_passed_on(kind: type[BaseException], threads: int) -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 3:
            raise kind("trouble")

    with pytest.raises(kind, match="trouble"):
        each(work, range(100_000), threads)
    assert len(begun) < 100_000


def test_helpers_take_part() -> None:
    meeting = threading.Barrier(2, timeout=30)
    each(lambda _: meeting.wait(), range(2), 2)
