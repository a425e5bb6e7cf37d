"""How many axes a function's result has, from its text alone: what its head names, mapped axes left out."""

from indexlang.infer.operations import is_function
from indexlang.syntax import ast

_LIMIT = 50


def own_rank(form: ast.Def) -> int | None:
    """The axes of what a function returns; None where its text does not show them (a pack, a call)."""
    heads = {
        p.name: None if any(isinstance(a, ast.Pack) for a in p.axes) else len(p.axes)
        for p in form.params
        if isinstance(p, ast.TensorParam)
    }
    bodies = {s.name: s for s in _equations(form.body)}
    return _rank(form.result, heads, bodies, {}, 0)


def _equations(body: tuple[ast.Statement, ...]) -> list[ast.Equation]:
    out: list[ast.Equation] = []
    for s in body:
        match s:
            case ast.Equation():
                out.append(s)
            case ast.If(then=then, other=other):
                out += [*_equations(other), *_equations(then)]
            case ast.Quantifier(equation=ast.Equation() as equation):
                out.append(equation)
            case _:
                pass
    return out


def _rank(
    e: ast.Expr,
    heads: dict[str, int | None],
    bodies: dict[str, ast.Equation],
    known: dict[str, int | None],
    depth: int,
) -> int | None:
    """`known` are the ranks of the body's tensors that were looked at: each is, once."""
    if depth > _LIMIT:
        return None
    if any(isinstance(n, ast.Call) and not is_function(n.name) for n in ast.nodes(e)):
        return None  # another function: its own result decides
    found: list[int | None] = [0]
    for n in _names(e):
        if n.name in heads:
            found.append(heads[n.name])
        elif n.name in bodies:
            equation = bodies[n.name]
            if equation.subscripts is not None:
                found.append(len(equation.subscripts))
                continue
            if n.name not in known:
                known[n.name] = _rank(equation.body, heads, bodies, known, depth + 1)
            found.append(known[n.name])
    return None if None in found else max(x for x in found if x is not None)


def _names(e: object) -> list[ast.Name]:
    """Bare names outside accesses and reductions."""
    match e:
        case ast.Name():
            return [e]
        case ast.Access() | ast.Reduction():
            return []
        case ast.Call(args=parts) | ast.Joined(parts=parts):
            return [n for p in parts for n in _names(p)]
        case ast.Unary(operand=operand):
            return _names(operand)
        case ast.Binary(left=left, right=right):
            return [*_names(left), *_names(right)]
        case ast.Derivative(wrt=wrt):
            return _names(wrt)
        case ast.Conditional(value=value, other=other):
            return [*_names(value), *_names(other)]
        case _:
            return []
