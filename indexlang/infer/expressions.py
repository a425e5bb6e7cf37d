"""Syntax → typed IR, for the expressions of one equation. Extents of indices are still symbols here."""

from indexlang.infer.accesses import Accesses
from indexlang.infer.context import INT_LIMIT
from indexlang.infer.operations import Operations
from indexlang.infer.reductions import Reductions
from indexlang.ir import ops
from indexlang.ir.build import Number
from indexlang.ir.expr import Expr
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error
from indexlang.text.source import Span


class Expressions(Accesses, Operations, Reductions):
    """Elaborates expressions of one equation; collects the uses of indices in `scope`."""

    def expr(self, e: ast.Expr) -> Expr:
        """The meaning of an expression. Raises ProgramError where it has none."""
        match e:
            case ast.Number(value=value, span=span):
                return self._number(value, span)
            case ast.Name():
                return self._name(e)
            case ast.Access():
                return self._access(e)
            case ast.Call():
                return self._call(e)
            case ast.Unary(op="not", operand=operand, span=span):
                return self._apply(ops.NOT, (self.expr(operand),), span)
            case ast.Unary(operand=operand, span=span):
                return self._apply(ops.NEG, (self.expr(operand),), span)
            case ast.Binary():
                return self._binary(e)
            case ast.Comparison():
                return self._comparison(e)
            case ast.Conditional(value=value, condition=condition, other=other, span=span):
                return self._choice(self.expr(condition), value, other, condition.span, span)
            case ast.Reduction():
                return self._reduction(e)
            case ast.Derivative(span=span):
                raise program_error(
                    "E0101",
                    span,
                    found="a derivative",
                    expected="a number",
                    hint="give the derivative an equation of its own",
                )
            case ast.Joined(span=span):
                raise program_error(
                    "E0421",
                    span,
                    message="`;` stands inside an expression",
                    advice="give the joined vector an equation of its own",
                )
            case ast.Table(span=span):
                raise program_error(
                    "E0101", span, found="a table", expected="a number; a table is a constant of its own line"
                )

    def _number(self, value: Number, span: Span) -> Expr:
        if isinstance(value, int) and abs(value) >= INT_LIMIT and not self.integers:
            shown = str(value) if value < 10**40 else "this number"
            raise program_error("E0315", span, value=shown)
        return self.build.number(value, span)
