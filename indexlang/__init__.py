"""indexlang: a compiler for tensor-index equations."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

# In a plain checkout or an editable install `grammar/` and `kernels/` stand beside this package;
# in a wheel they are inside it. Either way they are `indexlang.grammar` and `indexlang.kernels`.
_HERE = Path(__file__).parent
if not (_HERE / "grammar").is_dir():
    __path__.append(str(_HERE.parent))

__version__ = "0.1.0"

if TYPE_CHECKING:
    from indexlang.api import compile, load
    from indexlang.checking import check
    from indexlang.program import Program
    from indexlang.results import Results
    from indexlang.summary import TensorInfo
    from indexlang.text.diagnostics import DataError, Diagnostic, IndexlangError, NumericalError, ProgramError

_HOMES = {
    "check": "checking",
    "compile": "api",
    "load": "api",
    "Program": "program",
    "Results": "results",
    "TensorInfo": "summary",
    "DataError": "text.diagnostics",
    "Diagnostic": "text.diagnostics",
    "IndexlangError": "text.diagnostics",
    "NumericalError": "text.diagnostics",
    "ProgramError": "text.diagnostics",
}

__all__ = [  # noqa: RUF022  (grouped by use)
    "compile",
    "load",
    "check",
    "Program",
    "Results",
    "TensorInfo",
    "Diagnostic",
    "IndexlangError",
    "ProgramError",
    "DataError",
    "NumericalError",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that `import indexlang` stays cheap."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'indexlang' has no attribute {name!r}")
    value = getattr(import_module(f"indexlang.{home}"), name)
    globals()[name] = value
    return value
