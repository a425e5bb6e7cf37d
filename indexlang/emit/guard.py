"""What generated source may consist of: checked before it is compiled, so that no text of a user can become code."""

import ast
import re

_NODES = (
    *(ast.Module, ast.ImportFrom, ast.alias, ast.FunctionDef, ast.arguments, ast.arg, ast.For, ast.If, ast.Assign),
    *(ast.Expr, ast.Call, ast.Name, ast.Load, ast.Store, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp),
    *(ast.Compare, ast.IfExp, ast.Subscript, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_MODULES = {
    "indexlang.kernels.lang",
    "indexlang.kernels.lanes",
    "indexlang.kernels.scalar",
    "indexlang.kernels.contract",
    "numpy",
    "math",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BUILT_IN = {"range"}


class Forbidden(Exception):
    """Generated source holds something that no kernel needs: a defect of the emitter."""


def check_source(source: str) -> None:
    """Raise Forbidden unless the text is imports of kernels and one function of loops, arithmetic and known calls."""
    tree = ast.parse(source)
    callable_names = set(_BUILT_IN)
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise Forbidden(f"{type(node).__name__} in generated source")
        match node:
            case ast.ImportFrom(module=module, names=names):
                if module not in _MODULES:
                    raise Forbidden(f"import of {module}")
                callable_names.update(n.asname or n.name for n in names)
            case ast.Constant(value=value) if not isinstance(value, int | float | bool):
                raise Forbidden("a constant that is not a number")
            case ast.Name(id=name) if not _NAME.fullmatch(name) or name.startswith("__"):
                raise Forbidden(f"the name {name!r}")
            case _:
                pass
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in callable_names):
            raise Forbidden("a call of something else than a kernel")
