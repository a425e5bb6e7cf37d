"""What a public function raises by itself stands in its docstring, by its code. That there is one, ruff sees (D1)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "indexlang"
MODULES = sorted(ROOT.rglob("*.py"))


def public_functions(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for child in node.body:
        match child:
            case ast.FunctionDef(name=name) if not name.startswith("_"):
                yield child
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield from public_functions(child)
            case _:
                pass


def raised(function: ast.FunctionDef) -> set[str]:
    """The codes in `raise` statements of the function itself."""
    raises = (n.exc for n in ast.walk(function) if isinstance(n, ast.Raise) and n.exc is not None)
    constants = (n.value for e in raises for n in ast.walk(e) if isinstance(n, ast.Constant))
    return {value for value in constants if isinstance(value, str) and re.fullmatch(r"E\d{4}", value)}


def untold(function: ast.FunctionDef) -> set[str]:
    """Codes that are raised and not told; `ProgramError` alone tells all that check finds."""
    text = ast.get_docstring(function) or ""
    told = set(re.findall(r"E\d{4}", text))
    return set() if "ProgramError" in text and not told else raised(function) - told


def test_what_is_untold_is_seen():
    (function,) = public_functions(
        ast.parse('def f(x):\n    """Raises E0102."""\n    raise program_error("E0101", x) from g("E0102")')
    )
    assert untold(function) == {"E0101"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_codes_that_a_function_raises_are_told(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [(f.name, f.lineno, codes) for f in public_functions(tree) if (codes := untold(f))]
    assert not wrong
