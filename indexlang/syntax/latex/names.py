"""Names that only the whole text can settle: `L_{\\ell+1}` is computed where ℓ is a constant, else it is a name."""

import re
from dataclasses import replace
from typing import Any

from indexlang.syntax import ast
from indexlang.syntax.latex.spell import WHOLE
from indexlang.syntax.rewrite import rewritten
from indexlang.text.values import immutable


@immutable
class Counted(ast.Binder):
    """The `i` of `\\sum_{i=0}^{N-1}`."""


_COMPUTED = re.compile(r"_\{([^{}]*)\}")
_SAID = {"+": "_plus_", "-": "_minus_", "*": "_times_", "/": "_over_", "'": "_prime", "(": "_", ")": "_"}


def plainly_named(statements: tuple[ast.Statement, ...]) -> tuple[ast.Statement, ...]:
    """Statements with the names of the notation.

    `L_{l+1}` stays a computed name where `l` counts a loop around it or is a constant of the text; else it is the
    name `L_l_plus_1`. `L_{(k)}` is computed always.
    The N of `\\sum_{i=0}^{N-1}` is written out where the text gives it; else i runs as far as its tensors go.
    """
    nodes = [node for s in statements for node in ast.nodes(s)]
    names = {n for node in nodes if isinstance(n := getattr(node, "name", None), str)}
    scripts = [script for n in names for script in _COMPUTED.findall(n)]
    computed = {
        letter
        for script in scripts
        if not script.isalnum() and not WHOLE.fullmatch(script)
        for letter in _letters(script)
    } | {"l"}
    constants = {n.name for n in nodes if isinstance(n, ast.Equation) and n.subscripts is None}
    constants |= {n.name for n in nodes if isinstance(n, ast.ConstantParam)}
    declared = (a for n in nodes if isinstance(n, ast.Input | ast.Param | ast.Declaration | ast.State) for a in n.axes)
    known = constants | {n.name for axis in declared for n in ast.nodes(axis) if isinstance(n, ast.Name)}
    known |= {n.name for n in nodes if isinstance(n, ast.For)}
    bound = frozenset(computed & constants)
    return tuple(_settled(s, bound, known) for s in statements)


def _settled(s: ast.Statement, bound: frozenset[str], known: set[str]) -> ast.Statement:
    """A statement, where the constants `bound` may stand in computed names."""
    match s:
        case ast.For(name=name, body=body):
            inside = tuple(_settled(inner, bound | {name}, known) for inner in body)
            head = rewritten(replace(s, body=()), lambda n: _named(n, bound, known))
            return replace(head, body=inside)
        case ast.If(then=then, other=other):
            head = rewritten(replace(s, then=(), other=()), lambda n: _named(n, bound, known))
            blocks = (tuple(_settled(inner, bound, known) for inner in block) for block in (then, other))
            return replace(head, then=next(blocks), other=next(blocks))
        case ast.Def(body=body) if body:
            head = rewritten(replace(s, body=()), lambda n: _named(n, bound, known))
            return replace(head, body=tuple(_settled(inner, bound, known) for inner in body))
        case _:
            return rewritten(s, lambda n: _named(n, bound, known))


def _named(node: Any, bound: frozenset[str], known: set[str]) -> Any:
    match node:
        case Counted(name=name, extent=extent, span=span):
            is_open = isinstance(extent, ast.Name) and extent.name not in known
            return ast.Binder(name, None if is_open else extent, span)
        case _:
            name = getattr(node, "name", None)
            return replace(node, name=flat(name, bound)) if isinstance(name, str) and "_{" in name else node


def flat(name: str, bound: frozenset[str]) -> str:
    """A name as it is read, without the subscripts that compute nothing."""
    return _COMPUTED.sub(lambda m: _script(m[1], bound), name)


def _script(script: str, bound: frozenset[str]) -> str:
    if WHOLE.fullmatch(script):
        return f"_{{{script[1:-1]}}}"
    letters = _letters(script)
    if letters and letters <= bound:
        return f"_{{{script}}}"
    for sign, word in _SAID.items():
        script = script.replace(sign, word)
    return f"_{script}"


def _letters(script: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W\d]\w*", script))
