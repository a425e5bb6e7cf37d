"""Packages that indexlang can do without: which version is installed, and their modules."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from indexlang.text.diagnostics import data_error


def version_of(package: str) -> str | None:
    """The installed version; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def optional(module: str, what: str, package: str, extra: str) -> Any:
    """A module of an optional package, which indexlang[extra] brings. Raises DataError E0802 where `what` cannot be had."""
    try:
        return import_module(module)
    except ImportError:
        raise data_error("E0802", what=what, package=package, extra=extra) from None


__all__ = ["optional", "version_of"]
