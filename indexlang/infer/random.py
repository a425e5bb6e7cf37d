"""`M[b,j] ~ bernoulli(p)`: a random tensor as an equation over draws, one or two for each element."""

from dataclasses import replace
from math import pi

from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error
from indexlang.text.names import nearest
from indexlang.text.source import Span

DRAW = "~"  # a function that no text can call: the n-th number in [0, 1) of this element

_COUNTS = {"bernoulli": 1, "uniform": 2, "normal": 2}
_FORMS = {"bernoulli": "bernoulli(p)", "uniform": "uniform(a, b)", "normal": "normal(m, s)"}


def drawn(e: ast.Equation) -> ast.Equation:
    """The equation with its distribution written out.

    bernoulli(p)   1 with probability p, else 0          uniform(a,b)  in [a, b)
    normal(m,s)    mean m, standard deviation s (Box and Muller, 1958)
    Draws are multiples of 2^-24, so that f32 and f64 programs draw the same numbers.
    Raises E0206 for an unknown distribution, E0205 for a wrong count of arguments.
    """
    body = e.body
    name = body.name.lower() if isinstance(body, ast.Name | ast.Call) else ""
    if name not in _COUNTS:
        near = nearest(name, _COUNTS)
        shown = f"there are {', '.join(_FORMS.values())}"
        raise program_error(
            "E0206",
            body.span,
            name=getattr(body, "name", body.span.text),
            advice=f"did you mean `{_FORMS[near]}`?" if near else shown,
        )
    args = body.args if isinstance(body, ast.Call) else ()
    if len(args) != _COUNTS[name]:
        raise program_error(
            "E0205",
            body.span,
            name=name,
            wanted=f"{_COUNTS[name]} number{'s' if _COUNTS[name] > 1 else ''}",
            given=len(args),
            advice=f"write `~ {_FORMS[name]}`",
        )
    return replace(e, body=_value(name, args, body.span), sign="=")


def _value(name: str, args: tuple[ast.Expr, ...], span: Span) -> ast.Expr:
    def number(x: float) -> ast.Expr:
        return ast.Number(x, span)

    def binary(op: str, left: ast.Expr, right: ast.Expr) -> ast.Expr:
        return ast.Binary(op, left, right, span)

    def call(function: str, arg: ast.Expr) -> ast.Expr:
        return ast.Call(function, (arg,), span, span)

    def draw(n: int) -> ast.Expr:
        return call(DRAW, ast.Number(n, span))

    match name, args:
        case "bernoulli", (p,):
            below = ast.Comparison(("<",), (draw(0), p), span)
            return ast.Conditional(number(1.0), below, number(0.0), span)
        case "uniform", (low, high):
            return binary("+", low, binary("*", binary("-", high, low), draw(0)))
        case _:
            mean, deviation = args
            radius = call("sqrt", binary("*", number(-2.0), call("log", binary("-", number(1.0), draw(0)))))
            angle = call("cos", binary("*", number(2 * pi), draw(1)))
            return binary("+", mean, binary("*", deviation, binary("*", radius, angle)))
