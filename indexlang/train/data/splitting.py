"""A part of the examples kept apart for validation."""

from indexlang.text.diagnostics import DataError, data_error
from indexlang.train.data import draws
from indexlang.train.data.dataset import Dataset, chosen


def split(dataset: Dataset, part: float | int | Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Training and validation data: disjoint, and together all examples. Nothing is copied.

    part    a share between 0 and 1 (rounded to examples, at least 1), or a number of examples, that go to validation: a
            simple random choice by the seed, not one by labels, so classes may be unevenly divided in small sets.
            Or validation data of its own, which is returned as it is, and `dataset` whole
    errors  E0815
    """
    if isinstance(part, Dataset):
        return dataset, part
    n = len(dataset)
    count = _count(dataset, part)
    order = draws.shuffled(n, "split", seed)
    kept, apart = order[count:], order[:count]
    kept.sort()
    apart.sort()
    return chosen(dataset, kept), chosen(dataset, apart)


def _count(dataset: Dataset, part: float | int) -> int:
    n = len(dataset)
    if isinstance(part, float):
        if not 0 < part < 1:
            raise _wrong(
                dataset, f"the share {part} is not between 0 and 1", "give a share such as 0.1, or a number of examples"
            )
        count = max(1, round(part * n))
    else:
        count = part
    if not 0 < count < n:
        said = f"{count} of {n} examples for validation leave {max(0, n - count)} for training"
        raise _wrong(dataset, said, f"give a number from 1 to {n - 1}" if n > 1 else "give validation data of its own")
    return count


def _wrong(dataset: Dataset, message: str, advice: str) -> DataError:
    return data_error("E0815", data=dataset.name, message=message, advice=advice)
