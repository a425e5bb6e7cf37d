"""What elaborating an expression needs everywhere: the names in scope, the indices found so far, constants, checks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from indexlang.infer.scope import NUMBERS, Scope, Var, World
from indexlang.ir import ops
from indexlang.ir.build import BadOperands, Number, integer
from indexlang.ir.dtypes import DType
from indexlang.ir.expr import Const, Expr, walk
from indexlang.ir.size import Extent, Named, Size
from indexlang.syntax import ast
from indexlang.text.diagnostics import program_error
from indexlang.text.names import is_capital
from indexlang.text.source import Span

INT_LIMIT = 2**63


class Context(ABC):
    """One equation being elaborated; its parts (accesses, operations, reductions) are the subclasses."""

    def __init__(self, world: World, scope: Scope) -> None:
        self.world = world
        self.scope = scope
        self.build = world.build
        self.inner: list[Var] = []  # bound by reductions around, innermost last
        self.conditions: list[tuple[Expr, bool]] = []
        self.ranges = 0  # > 0 where an extent is written: a named extent is meant there, not that of an index
        self.integers = 0  # > 0 inside a subscript: floor gives an int there

    # -- names

    def lookup(self, letter: str) -> Var | None:
        """The index of that letter here: the innermost reduction that binds it, else the left side."""
        found = next((v for v in reversed(self.inner) if v.letter == letter), None)
        return found or self.scope.left.get(letter)

    def index_of_capital(self, name: str) -> Var | None:
        """The index whose capital `name` is, if it is in scope or bound anywhere in the equation."""
        for var in [*reversed(self.inner), *self.scope.left.values(), *self.scope.vars.values()]:
            if name in capitals(var.letter):
                return var
        return None

    # -- expressions
    @abstractmethod
    def expr(self, e: ast.Expr) -> Expr:
        """The expression in the IR. Raises ProgramError."""

    def subscript(self, e: ast.Expr) -> Expr:
        """An expression that must be an int. Raises E0304, or E0305 where a quotient is none."""
        self.integers += 1
        try:
            found = self.expr(e)
        finally:
            self.integers -= 1
        if found.dtype is DType.INT:
            return found
        quotient = next((n.value for n in walk(found) if isinstance(n, Const) and isinstance(n.value, Fraction)), None)
        if quotient is not None:
            raise program_error("E0305", e.span, left=quotient.numerator, right=quotient.denominator)
        kind = "bool" if found.dtype is DType.BOOL else "float"
        raise program_error("E0304", e.span, dtype=kind)

    def constant(self, e: ast.Expr, what: str = "this") -> Number:
        """The value of a constant expression. Raises E0312 where it is none."""
        found = self._named_quotient(e) or self.expr(e)
        if not isinstance(found, Const):
            advice = "use numbers, constants and extents"
            raise program_error("E0312", e.span, what=what, advice=advice)
        return found.value

    def _named_quotient(self, e: ast.Expr) -> Const | None:
        """`J/G` of named extents, which must divide: told when they have values."""
        if not isinstance(e, ast.Binary) or e.op != "/":
            return None
        match self.expr(e.left), self.expr(e.right):
            case Const(value=int() | Size() as above), Const(value=int() | Size() as below) if below != 0:
                is_named = isinstance(above, Size | Named) or isinstance(below, Size | Named)
                rest = above % below if is_named else 1
                return integer(above // below) if is_named and (isinstance(rest, Size) or rest == 0) else None
            case _:
                return None

    def extent(self, e: ast.Expr, what: str) -> Extent:
        """A constant expression that is an extent; `what` is its name in a message.

        Raises E0312 (no constant), E0304 and E0305 (no int), E0417 (below 0), E0902 (too large to count with).
        """
        self.integers += 1
        self.ranges += 1
        try:
            value = self.constant(e, what)
        finally:
            self.integers -= 1
            self.ranges -= 1
        if isinstance(value, bool) or not isinstance(value, int | Size):
            if isinstance(value, Fraction):
                raise program_error("E0305", e.span, left=value.numerator, right=value.denominator)
            raise program_error("E0304", e.span, dtype="float")
        if isinstance(value, int):
            if value < 0:
                raise program_error("E0417", e.span, what=what, value=value)
            if value >= INT_LIMIT:
                raise program_error(
                    "E0902", e.span, what=what, value=value if value < 10**40 else "a number of more than 40 digits"
                )
        return value

    # -- parts
    def _may_be_index(self, name: str) -> bool:
        world = self.world
        if name in world.constants or name.lower() in NUMBERS:
            return False
        if is_capital(name):
            return False
        scalar = world.tensors.get(name)
        return not (name in world.computed or (scalar is not None and not scalar.extents))

    def _apply(self, op: ops.Op, args: tuple[Expr, ...], span: Span) -> Expr:
        return self._checked(lambda: self.build.apply(op, *args, span=span), op, args, span)

    def _checked(self, make: Callable[[], Expr], op: ops.Op, args: tuple[Expr, ...], span: Span) -> Expr:
        try:
            found = make()
        except BadOperands:
            given = " and ".join(kind_of(a.dtype) for a in args)
            advice = "compare with `==` or `<` to make a bool" if op.kind is ops.Kind.LOGIC else "use numbers"
            raise program_error("E0306", span, op=op.infix or op.name, given=given, advice=advice) from None
        except (ZeroDivisionError, OverflowError):
            raise program_error("E0313", span) from None
        if (
            isinstance(found, Const)
            and isinstance(found.value, int)
            and abs(found.value) >= INT_LIMIT
            and not self.integers
        ):
            raise program_error("E0315", span, value="the result")
        return found


@lru_cache(maxsize=4096)
def capitals(letter: str) -> tuple[str, ...]:
    """The names that mean the extent of an index: `B` for b, `DX` or `Dx` for dx."""
    return tuple(dict.fromkeys(c for c in (letter.upper(), letter[:1].upper() + letter[1:]) if c != letter))


def kind_of(dtype: DType) -> str:
    """What messages call the values of a type."""
    return "bool" if dtype is DType.BOOL else "number"
