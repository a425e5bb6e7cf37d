"""Functions of scalars: `def leaky(x) = max(x, 0.01*x)` is put in the place of its call.

A bare name in a function's head is a scalar if the body computes with it, or passes it to a function of scalars;
it is a package if the body only passes it to others.
"""

from collections.abc import Callable
from dataclasses import replace

from indexlang.infer.operations import is_function
from indexlang.syntax import ast
from indexlang.syntax.rewrite import rewritten
from indexlang.text.diagnostics import program_error


def with_scalars(form: ast.Def, is_of_scalars: Callable[[str], bool]) -> ast.Def:
    """The function with each bare name that its body computes with as a tensor without axes.

    is_of_scalars  whether what is called by this name is a function of scalars
    """
    computed = _computed_with(form, is_of_scalars)
    params = tuple(
        ast.TensorParam(p.name, (), p.span) if isinstance(p, ast.PackageParam) and p.name in computed else p
        for p in form.params
    )
    return replace(form, params=params) if params != form.params else form


def _computed_with(form: ast.Def, is_of_scalars: Callable[[str], bool]) -> set[str]:
    out: set[str] = set()

    def look(e: object) -> None:
        if isinstance(e, ast.Name):
            out.add(e.name)
        elif isinstance(e, ast.Call) and not is_function(e.name) and not is_of_scalars(e.name):
            for a in e.args:
                if not isinstance(a, ast.Name):
                    look(a)
        else:
            for part in ast.children(e):
                look(part)

    for s in form.body:
        look(s)
    look(form.result)
    return out


def is_scalar_function(form: ast.Def) -> bool:
    """Whether a call is no more than its formula with the arguments put in (a formula that binds no index)."""
    if form.body or any(isinstance(n, ast.Reduction | ast.Access | ast.Derivative) for n in ast.nodes(form.result)):
        return False
    return all(isinstance(p, ast.ConstantParam) or (isinstance(p, ast.TensorParam) and not p.axes) for p in form.params)


def uses_once(form: ast.Def) -> bool:
    """Whether each parameter stands once in the formula, so that no argument is computed twice."""
    names = [n.name for n in ast.nodes(form.result) if isinstance(n, ast.Name)]
    return all(names.count(p.name) <= 1 for p in form.params if isinstance(p, ast.TensorParam))


def inlined(e: ast.Call, forms: tuple[ast.Def, ...]) -> ast.Expr:
    """The formula of a function of scalars with the arguments in the places of its parameters.

    Raises E0205, E0212, E0213 where the arguments do not fit.
    """
    form = next((f for f in forms if _takes(f) == len(e.args)), forms[0])
    scalars = [p for p in form.params if isinstance(p, ast.TensorParam)]
    constants = [p for p in form.params if isinstance(p, ast.ConstantParam)]
    if not len(scalars) <= len(e.args) <= len(scalars) + len(constants):
        wanted = f"{len(scalars)} argument{'s' if len(scalars) != 1 else ''}"
        raise program_error(
            "E0205",
            e.span,
            name=e.name,
            wanted=wanted,
            given=len(e.args),
            advice=f"it is defined as `{form.span.text}`",
            because=[(f"`{form.name}` is defined here", form.name_span)],
        )
    values: dict[str, ast.Expr] = {p.name: a for p, a in zip((*scalars, *constants), e.args, strict=False)}
    for k in e.keywords:
        p = next((p for p in constants if k.name in (p.keyword, p.name)), None)
        if p is None or p.name in values:
            problem = "is not known" if p is None else "is given twice"
            known = ", ".join(p.keyword for p in constants) or "none"
            raise program_error(
                "E0212", k.span, name=e.name, keyword=k.name, problem=problem, advice=f"it takes {known}"
            )
        values[p.name] = k.value
    for p in constants:
        if p.name not in values:
            if p.default is None:
                raise program_error("E0213", e.span, name=e.name, keyword=p.keyword)
            values[p.name] = p.default

    def put(n: object) -> object:
        return values[n.name] if isinstance(n, ast.Name) and n.name in values else n

    return rewritten(form.result, put)


def _takes(form: ast.Def) -> int:
    return sum(isinstance(p, ast.TensorParam) for p in form.params)
