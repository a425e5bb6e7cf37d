"""What a refusal says."""

from collections.abc import Callable
from typing import Any

import pytest

from indexlang.text.diagnostics import DataError


def told(call: Callable[..., Any], *arguments: Any) -> tuple[str, str, str]:
    """Code, message and hint of the one DataError that the call ends in."""
    with pytest.raises(DataError) as caught:
        call(*arguments)
    (found,) = caught.value.diagnostics
    assert found.hint
    return found.code, found.message, found.hint
