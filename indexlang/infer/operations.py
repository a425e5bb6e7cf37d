"""Operators, comparisons, choices, and the functions that are built in."""

from typing import cast

from indexlang.infer.context import Context
from indexlang.infer.random import DRAW
from indexlang.ir import ops
from indexlang.ir.build import BadOperands, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Apply, Const, Expr, Index
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import nearest, plural
from indexlang.text.source import Span

_BUILT_IN = {"draw", "mean", "logsumexp", *ops.FOLDS}
_EXACT = 2**53  # floats below it are apart by 1 at most
_ARITIES = {"max": (2, 99), "min": (2, 99), "clip": (3, 3), "where": (3, 3)}


def is_function(name: str) -> bool:
    """Whether `name` is a built-in function of scalars."""
    return name.lower() in ops.FUNCTIONS or name.lower() in _ARITIES or name.lower() in _BUILT_IN


class Operations(Context):
    """Elaborates operators and calls of built-in functions."""

    # -- functions

    def _call(self, e: ast.Call) -> Expr:
        name = e.name.lower()
        args = e.args
        if name == DRAW:
            return self._draw(e)
        if e.keywords and is_function(name):
            raise program_error(
                "E0212", e.keywords[0].span, name=e.name, keyword=e.keywords[0].name, problem="is not known",
                advice=f"`{e.name}` takes numbers only",
            )  # fmt: skip
        if name in _ARITIES:
            low, high = _ARITIES[name]
            if not low <= len(args) <= high:
                wanted = plural(low, "argument") if low == high else f"{low} or more arguments"
                raise program_error(
                    "E0205",
                    e.span,
                    name=e.name,
                    wanted=wanted,
                    given=len(args),
                    advice=f"`{e.name}` is called as in docs/notation.md",
                )
        match name, args:
            case "where", (condition, value, other):
                return self._choice(self.expr(condition), value, other, condition.span, e.span)
            case "clip", (x, low, high):
                inner = self._apply(ops.MAX, (self.expr(x), self.expr(low)), e.span)
                return self._apply(ops.MIN, (inner, self.expr(high)), e.span)
            case "max" | "min", (first, *rest):
                op = ops.MAX if name == "max" else ops.MIN
                found = self.expr(first)
                for other in rest:
                    found = self._apply(op, (found, self.expr(other)), e.span)
                return found
            case _:
                return self._function(e)

    def _draw(self, e: ast.Call) -> Expr:
        """The n-th random number of an element; its position in the tensor tells it from the others."""
        n = self.constant(e.args[0])
        position: Expr = integer(0)
        for var in self.scope.left.values():
            row = self.build.apply(ops.MUL, position, Const(var.extent, DType.INT))
            position = self.build.apply(ops.ADD, row, Index(var.name))
        stream = integer(-1 - cast(int, n))  # below 0: the tensor's own
        return Apply(ops.UNIFORM, (integer(0), stream, position), self.build.float_type, e.span)

    def _function(self, e: ast.Call) -> Expr:
        if e.name.lower() == "draw":
            stream, position = (self.subscript(a) for a in self._two(e))
            return Apply(ops.UNIFORM, (integer(0), stream, position), self.build.float_type, e.span)
        op = ops.FUNCTIONS.get(e.name.lower())
        if op is None:
            raise self._no_function(e)
        if len(e.args) != op.arity:
            raise program_error(
                "E0205",
                e.span,
                name=e.name,
                wanted=plural(op.arity, "argument"),
                given=len(e.args),
                advice=f"write `{op.name}(x)`",
            )
        arg = self.expr(e.args[0])
        if op in (ops.FLOOR, ops.CEIL, ops.ROUND):
            return self._rounding(op, arg, e.span)
        return self._apply(op, (arg,), e.span)

    def _two(self, e: ast.Call) -> tuple[ast.Expr, ...]:
        if len(e.args) != 2:
            raise program_error(
                "E0205", e.span, name=e.name, wanted="2 arguments", given=len(e.args),
                advice="write `draw(stream, position)`, two ints",
            )  # fmt: skip
        return e.args

    def _no_function(self, e: ast.Call) -> ProgramError:
        world = self.world
        if world.is_broken(e.name):
            return ProgramError([])
        if e.name in world.constants or e.name in world.tensors or self.lookup(e.name):
            return program_error(
                "E0204",
                e.name_span,
                name=e.name,
                advice=f"`{e.name}` is no function: write `*` to multiply, or `[…]` to read",
            )
        found = nearest(e.name, world.functions) or nearest(e.name.lower(), [*ops.FUNCTIONS, *_ARITIES, *_BUILT_IN])
        return program_error(
            "E0204",
            e.name_span,
            name=e.name,
            advice=f"did you mean `{found}`?" if found else "see docs/notation.md for the list",
        )

    def _rounding(self, op: ops.Op, arg: Expr, span: Span) -> Expr:
        whole = self.build.whole(op, arg, span) if op is not ops.ROUND else None
        if whole is not None:
            return whole
        if arg.dtype is DType.INT:
            return arg
        if isinstance(arg, Const) and isinstance(arg.value, float) and abs(arg.value) < _EXACT:
            return integer(int(op.value(arg.value)), span)
        rounded = self._apply(op, (arg,), span)
        return self._apply(ops.TO_INT, (rounded,), span) if self.integers and rounded.dtype.is_float else rounded

    # -- operators

    def _binary(self, e: ast.Binary) -> Expr:
        if e.op in ("and", "or"):
            return self._logic(e)
        left, right = self.expr(e.left), self.expr(e.right)
        if e.op == "^":
            return self._checked(lambda: self.build.power(left, right, e.span), ops.POW, (left, right), e.span)
        return self._apply(ops.INFIX[e.op], (left, right), e.span)

    def _logic(self, e: ast.Binary) -> Expr:
        """`and`, `or`: the second operand is evaluated under the first."""
        left = self.expr(e.left)
        self.conditions.append((left, e.op == "and"))
        right = self.expr(e.right)
        self.conditions.pop()
        return self._apply(ops.INFIX[e.op], (left, right), e.span)

    def _comparison(self, e: ast.Comparison) -> Expr:
        operands = [self.expr(o) for o in e.operands]
        links = [
            self._apply(ops.INFIX[op], (a, b), e.span) for op, a, b in zip(e.ops, operands, operands[1:], strict=False)
        ]
        found = links[0]
        for link in links[1:]:
            found = self._apply(ops.AND, (found, link), e.span)
        return found

    def _choice(self, condition: Expr, value: ast.Expr, other: ast.Expr, place: Span, span: Span) -> Expr:
        if condition.dtype is not DType.BOOL:
            raise program_error(
                "E0316", place, message="the condition is a number, not a bool", advice="compare it, as in `x != 0`"
            )
        self.conditions.append((condition, True))
        then = self.expr(value)
        self.conditions[-1] = (condition, False)
        otherwise = self.expr(other)
        self.conditions.pop()
        try:
            return self.build.select(condition, then, otherwise, span)
        except BadOperands:
            raise program_error(
                "E0316", span, message="one branch is a bool, the other a number", advice="give both branches one kind"
            ) from None
