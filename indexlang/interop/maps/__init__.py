"""Names and axes of other libraries' weights: maps as data, one file a family, and how a file is fitted to a program."""

from indexlang.interop.maps.convert import OWN_NAMES, THEIR_NAMES, to_ours, to_theirs
from indexlang.interop.maps.fit import Fit, best
from indexlang.interop.maps.told import Loaded, loaded, unfit

__all__ = ["OWN_NAMES", "THEIR_NAMES", "Fit", "Loaded", "best", "loaded", "to_ours", "to_theirs", "unfit"]
