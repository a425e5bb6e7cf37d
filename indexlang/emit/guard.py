"""What generated source may consist of: checked before it is compiled, so that no text of a user can become code.

The text is imports of kernels by name and one function of loops, arithmetic and calls of what was imported. It is
not asked what is dangerous: what is not in the list is refused.
"""

import ast
import re

from indexlang.emit.words import ARGUMENTS, IMPORTS

_BODY = (
    *(ast.For, ast.If, ast.Assign, ast.Expr, ast.Call, ast.Name, ast.Load, ast.Store, ast.Constant, ast.BinOp),
    *(ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_COMMENT = re.compile(r"[ -~]*", re.ASCII)
_LARGEST = 2**63  # of a whole number in the text


class Forbidden(Exception):
    """Generated source holds something that no kernel needs: a defect of the emitter."""


def check_source(source: str) -> None:
    """Raise Forbidden unless the text is imports of kernels and one function of loops, arithmetic and known calls."""
    if any(not _COMMENT.fullmatch(line) for line in source.split("\n")):
        raise Forbidden("a character that is not printable ASCII")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise Forbidden(f"text that Python cannot read: {problem}") from None
    *imports, function = tree.body or [ast.Pass()]
    words = {"range"}
    for node in imports:
        words |= _imported(node)
    if not isinstance(function, ast.FunctionDef):
        raise Forbidden(f"{type(function).__name__} where the function should be")
    _check_head(function)
    for statement in function.body:
        for node in ast.walk(statement):
            _check_node(node, words)


def _imported(node: ast.stmt) -> set[str]:
    """The names that an import brings, all of them words of the kernels."""
    if not isinstance(node, ast.ImportFrom) or node.level != 0 or node.module not in IMPORTS:
        raise Forbidden(f"{type(node).__name__} of something else than kernels")
    for alias in node.names:
        text = alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"
        if not IMPORTS[node.module].fullmatch(text):
            raise Forbidden(f"import of {text} from {node.module}")
    return {alias.asname or alias.name for alias in node.names}


def _check_head(f: ast.FunctionDef) -> None:
    """The function has the three arguments of a worker, and nothing around them that is evaluated."""
    plain = ast.arguments([], [ast.arg(name) for name in ARGUMENTS], None, [], [], None, [])
    if ast.dump(f.args) != ast.dump(plain) or f.decorator_list or f.returns or getattr(f, "type_params", ()):
        raise Forbidden("a function that is no worker")
    if not re.fullmatch(r"kernel_[0-9a-f]{16}", f.name):
        raise Forbidden(f"the function name {f.name}")


def _check_node(node: ast.AST, words: set[str]) -> None:
    if not isinstance(node, _BODY):
        raise Forbidden(f"{type(node).__name__} in generated source")
    match node:
        case ast.Constant(value=value):
            if not isinstance(value, int | float) or (isinstance(value, int) and value > _LARGEST):
                raise Forbidden("a constant that is no number of 64 bits")
        case ast.Name(id=name, ctx=ctx):
            if not _NAME.fullmatch(name) or name.startswith("__"):
                raise Forbidden(f"the name {name!r}")
            if isinstance(ctx, ast.Store) and name in words | {*ARGUMENTS}:
                raise Forbidden(f"a new value for {name}")
        case ast.Call(func=func, keywords=keywords):
            if not (isinstance(func, ast.Name) and func.id in words) or keywords:
                raise Forbidden("a call of something else than a kernel")
        case ast.For(orelse=orelse, iter=over) if orelse or not _is_range(over):
            raise Forbidden("a loop over something else than a range")
        case ast.BinOp(op=ast.Pow() | ast.LShift() | ast.MatMult()):
            raise Forbidden("an operation that no kernel needs")
        case _:
            pass


def _is_range(e: ast.expr) -> bool:
    return isinstance(e, ast.Call) and isinstance(e.func, ast.Name) and e.func.id == "range"
