"""Shared settings of the tests: the checkout is importable, hypothesis prints its seeds and keeps to small sizes."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).resolve().parent
for folder in (
    HERE,
    HERE / "property",
    HERE / "passes",
    HERE / "train",
    HERE / "trust",
    HERE.parent,
    HERE.parent / "docs",
):  # `cases`, `generate`; indexlang when it is not installed; the scripts that make pages
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

settings.register_profile(
    "small",
    deadline=None,
    print_blob=True,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("soak", settings.get_profile("small"), derandomize=False, max_examples=5000)
settings.load_profile("small")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`soak` tests run only when asked for with `-m soak`."""
    if config.getoption("-m"):
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="a long run: pytest -m soak"))
