"""Nest → the Python source of a worker that numba compiles. One function a nest; flat addresses; the user's letters."""

import hashlib

from indexlang.emit.kernel import KernelText
from indexlang.emit.names import Canonical, Readable
from indexlang.emit.statements import Statements
from indexlang.nest.nodes import Nest

# Words of the generated language that no user's letter may shadow.
_FRAME = frozenset(("start", "stop", "args", "n", "range", "f32", "f64", "i64", "inf", "nan"))
_FUNCTIONS = frozenset(
    ("shift", "plus", "times", "min", "max", "min2", "max2", "atomic_min", "relu", "sign", "absolute")
)
_RESERVED = _FRAME | _FUNCTIONS | {"floordiv", "mod", "to_int"}


def emit(nest: Nest) -> KernelText:
    """The source of a nest. Nests of equal structure get equal keys, whatever their names and extents."""
    canonical = Statements(nest, Canonical())
    canonical.worker()
    key = hashlib.sha256(canonical.text("kernel").encode()).hexdigest()
    symbol = f"kernel_{key[:16]}"
    readable = Statements(nest, Readable(_RESERVED))
    readable.worker()
    heading = f"# {_one_line(nest.title)}\n# schedule: {nest.schedule}\n"
    return KernelText(heading + readable.text(symbol), key, symbol, tuple(readable.args))


def _one_line(text: str) -> str:
    return text.replace("\n", " ").encode("ascii", "backslashreplace").decode()[:500]
