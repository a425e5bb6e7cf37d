# pyright: reportMissingImports=false
"""Mutants of the core of the compiler: one sign, number, condition or loop of one file changed, as cosmic-ray changes them.

Left out are the places where nothing is computed (annotations, decorators) and changes that end in a TypeError whatever the
tests are, such as `a >> b` for `a + b`: they would only make the share of killed mutants look better.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[2]
CORE = (
    *("infer", "passes", "nest", "gradients.py", "differentiable.py", "pipeline.py"),
    *("ir/affine.py", "ir/expr.py", "ir/bounds.py", "ir/size.py", "ir/build.py", "ir/equation.py", "ir/parts.py"),
    *("ir/batches.py", "ir/lefts.py", "ir/layout.py"),
)
_SWAPS = {
    "ReplaceBinaryOperator": (
        *("Add_Sub", "Sub_Add", "Mul_Add", "Div_Mul", "FloorDiv_Mul", "Mod_FloorDiv", "Pow_Mul"),
        *("BitOr_BitAnd", "BitAnd_BitOr", "LShift_RShift", "RShift_LShift"),
    ),
    "ReplaceComparisonOperator": (
        *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt"),
        *("Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
    ),
    "ReplaceUnaryOperator": ("Delete_USub", "Delete_Not"),
}
OPERATORS = (
    *(f"core/{kind}_{swap}" for kind, swaps in _SWAPS.items() for swap in swaps),
    *("core/AddNot", "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue", "core/ReplaceAndWithOr"),
    *("core/ReplaceOrWithAnd", "core/ReplaceBreakWithContinue", "core/ReplaceContinueWithBreak"),
    *("core/NumberReplacer", "core/ZeroIterationForLoop"),
)
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mutant:
    """The change that `operator` makes at its `occurrence` in `file`, which lies at `place` (line and column)."""

    file: str
    operator: str
    occurrence: int
    place: Place

    def source(self) -> str:
        """The text of the file with the change."""
        changed = mutate_code(_text(self.file), get_operator(self.operator)(), self.occurrence)
        assert changed is not None
        return changed

    def lines(self) -> tuple[int, int]:
        """The changed line, and the first one of its statement, for which a run may be counted."""
        at = self.place[0]
        statements = (n for n in ast.walk(ast.parse(_text(self.file))) if isinstance(n, ast.stmt))
        return at, max(n.lineno for n in statements if n.lineno <= at <= (n.end_lineno or 0))

    def shown(self) -> str:
        """The changed line, before and after."""
        pairs = zip(_text(self.file).splitlines(), self.source().splitlines(), strict=False)
        before, after = next((a, b) for a, b in pairs if a != b)
        return f"{self.file}:{self.place[0]}\n  - {before.strip()}\n  + {after.strip()}"


def sample(seed: int, count: int) -> list[Mutant]:
    """`count` places drawn from all, and one change for each: a comparison has several, and would be drawn more often."""
    random = Random(seed)
    by_place: dict[tuple[str, Place], list[Mutant]] = {}
    for m in _all():
        by_place.setdefault((m.file, m.place), []).append(m)
    return [random.choice(by_place[k]) for k in random.sample(sorted(by_place), count)]


def _all() -> Iterator[Mutant]:
    for part in CORE:
        at = ROOT / "indexlang" / part
        for path in sorted(at.rglob("*.py")) if at.is_dir() else (at,):
            yield from of(path.relative_to(ROOT).as_posix())


def of(file: str) -> Iterator[Mutant]:
    """The mutants of one file."""
    text = _text(file)
    silent, patterns = tuple(_silent(text)), tuple(_alternatives(text))
    nodes = list(ast_nodes(get_ast(text)))
    for name in OPERATORS:
        operator = get_operator(name)()
        places = (start for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, place in enumerate(places):
            left_out = (*silent, *patterns) if "BitOr" in name else silent
            if not any(first <= place < last for first, last in left_out):
                yield Mutant(file, name, occurrence, place)


def _silent(text: str) -> Iterator[tuple[Place, Place]]:
    """Where annotations and decorators stand."""
    for node in ast.walk(ast.parse(text)):
        parts = [
            getattr(node, "annotation", None),
            getattr(node, "returns", None),
            *getattr(node, "decorator_list", ()),
        ]
        yield from (_extent(part) for part in parts if isinstance(part, ast.expr))


def _alternatives(text: str) -> Iterator[tuple[Place, Place]]:
    """Where `|` stands between the patterns of a `case`."""
    return (_extent(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.MatchOr))


def _extent(node: ast.expr | ast.pattern) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


@cache
def _text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")
