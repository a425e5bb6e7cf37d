"""Parts of a long run: none is left out, none is done twice."""

import pytest
from long_runs import parsed, part_of


@pytest.mark.parametrize("count", [0, 1, 50, 1000, 1003])
@pytest.mark.parametrize("parts", [1, 3, 100])
def test_each_number_is_in_one_part(count: int, parts: int) -> None:
    found = [n for k in range(parts) for n in part_of(range(7, 7 + count), f"{k + 1}/{parts}")]
    assert found == list(range(7, 7 + count))


@pytest.mark.parametrize("part", ["", "0/3", "4/3", "3", "1/0", "a/b", "1/2/3"])
def test_what_is_no_part_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="SOAK_PART"):
        parsed(part)
