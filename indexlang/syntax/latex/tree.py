# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUntypedBaseClass=false, reportGeneralTypeIssues=false
"""Parse trees of LaTeX → syntax tree: the rules that grammar/latex.lark adds."""

from typing import Any

from indexlang.syntax import ast
from indexlang.syntax.latex.names import Counted
from indexlang.syntax.lexer import Token
from indexlang.syntax.tree import Tree
from indexlang.text.diagnostics import program_error
from indexlang.text.source import Span


class LatexTree(Tree):
    """Called by the parser for each rule as it is recognised."""

    def quantified(self, equation: ast.Equation, start: Token, *items: Any) -> ast.Quantifier:
        r"""`\forall b` behind an equation."""
        made = self.quantifier(start, *items)
        return ast.Quantifier(made.names, equation, equation.span.to(made.span), made.ranges)

    def fraction(
        self, start: Token, _o: Token, above: ast.Expr, _c: Token, _p: Token, below: ast.Expr, end: Token
    ) -> ast.Expr:
        r"""`\frac{a}{b}`."""
        return ast.Binary("/", above, below, _span(start).to(_span(end)))

    def partial(self, *items: Any) -> ast.Derivative:
        r"""`\frac{\partial L}{\partial W}`. Raises E0101 as `derivative` does."""
        return self.derivative(*items)

    def absolute(self, start: Token, inner: ast.Expr, end: Token) -> ast.Expr:
        """`|x|`: a call of `abs`."""
        return ast.Call("abs", (inner,), _span(start).to(_span(end)), _span(start))

    def case(self, value: ast.Expr, _when: Token, condition: ast.Expr, _row: Token) -> tuple[ast.Expr, ast.Expr]:
        """One row of `cases`: a value and its condition."""
        return value, condition

    def cases(self, start: Token, *items: Any) -> ast.Expr:
        r"""`\begin{cases}`: conditionals in each other, the last row being what else there is."""
        span = _span(start).to(_span(items[-1]))
        last = next(item for item in items if not isinstance(item, tuple | Token))
        for value, condition in reversed([item for item in items if isinstance(item, tuple)]):
            last = ast.Conditional(value, condition, last, span)
        return last

    def applied(self, function: Token, operand: ast.Expr) -> ast.Expr:
        r"""`\log x`: a function of the one factor behind it, without brackets."""
        return ast.Call(function.text, (operand,), _span(function).to(operand.span), _span(function))

    def exponential(self, euler: Token, _power: Token, operand: ast.Expr) -> ast.Expr:
        """`e^{x}`: a call of `exp`."""
        return ast.Call("exp", (operand,), _span(euler).to(operand.span), _span(euler))

    def counted(self, *items: Any) -> ast.Expr:
        r"""`\sum_{i=0}^{N-1}`: an index with its range. Raises E0123 where it does not begin at 0."""
        op, _, name, _, first, _, _, last, body = items
        if first != ast.Number(0, first.span):
            raise program_error("E0123", first.span, index=name.text)
        binder = Counted(name.text, _one_more(last), _span(name).to(last.span))
        return ast.Reduction(op.text, (binder,), body, _span(op).to(body.span), _span(op))


def _one_more(e: ast.Expr) -> ast.Expr:
    """e + 1; `N-1` gives `N`."""
    match e:
        case ast.Number(value=int(value)):
            return ast.Number(value + 1, e.span)
        case ast.Binary(op="-", left=left, right=ast.Number(value=1)):
            return left
        case _:
            return ast.Binary("+", e, ast.Number(1, e.span), e.span)


def _span(token: Token) -> Span:
    return token.span
