"""How tightly each form of an expression binds: who writes one needs to know where brackets must stand."""

from indexlang.syntax import ast

# Loosest first. A part that binds less tightly than its place asks gets brackets.
VECTOR, CHOICE, OR, AND, NOT, COMPARE, SUM, FOLD, PRODUCT, MINUS, POWER, ATOM = range(12)

LEVEL = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT}
# What the right operand of an operator must be; the left one may be of the operator's own level.
RIGHT = {PRODUCT: MINUS, SUM: FOLD, OR: AND, AND: NOT}


def ends_in_fold(e: ast.Expr) -> bool:
    """Whether this is a reduction, or minus one: such may only end a product."""
    match e:
        case ast.Reduction():
            return True
        case ast.Unary(op="-", operand=operand):
            return ends_in_fold(operand)
        case _:
            return False


def ends_in_d(e: ast.Expr) -> bool:
    """Whether the text of this ends in `d(…)`, a call: before `/d(…)` it would be a derivative."""
    match e:
        case ast.Call(name="d"):
            return True
        case ast.Unary(operand=last) | ast.Binary(right=last) | ast.Reduction(body=last):
            return ends_in_d(last)
        case _:
            return False


def begins_with_d(e: ast.Expr) -> bool:
    """Whether the text of this begins with `d(…)`, a call."""
    match e:
        case ast.Call(name="d"):
            return True
        case ast.Binary(op="^", left=first):
            return begins_with_d(first)
        case _:
            return False
