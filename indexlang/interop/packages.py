"""Which version of a package is installed."""

from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str | None:
    """The installed version; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


__all__ = ["version_of"]
