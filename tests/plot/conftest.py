"""Tests of plots need matplotlib, which is optional."""

import pytest

pytest.importorskip("matplotlib")
