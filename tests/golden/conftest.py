"""`pytest tests/golden --update-golden` rewrites the golden files; review the difference like code."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files")
