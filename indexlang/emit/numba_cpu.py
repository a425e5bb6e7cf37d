"""Nest → the Python source of a worker, which numba could compile too. One function a nest; flat addresses; the user's letters."""

import hashlib
from functools import partial

from indexlang.emit.kernel import KernelText
from indexlang.emit.names import Canonical, Readable
from indexlang.emit.statements import Statements
from indexlang.nest.nodes import Nest


def emit(nest: Nest) -> KernelText:
    """The source of a nest. Nests of equal structure get equal keys, whatever their names and extents."""
    canonical = Statements(nest, Canonical())
    canonical.worker()
    key = hashlib.sha256(canonical.text("kernel").encode()).hexdigest()
    symbol = f"kernel_{key[:16]}"
    return KernelText(key, symbol, tuple(canonical.args), partial(_readable, nest, symbol))


def _readable(nest: Nest, symbol: str) -> str:
    made = Statements(nest, Readable())
    made.worker()
    return f"# {_one_line(nest.title)}\n# schedule: {nest.schedule}\n{made.text(symbol)}"


def _one_line(text: str) -> str:
    """The text of a comment: printable ASCII only, so that nothing in it ends the line for Python."""
    spelled = text.encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else " " for c in spelled)[:500]
