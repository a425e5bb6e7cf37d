"""Syntax → typed IR, for the expressions of one equation. Extents of indices are still symbols here."""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

from indexlang.infer.random import DRAW
from indexlang.infer.scope import NUMBERS, GroupUse, Scope, Use, Var, World
from indexlang.ir import ops
from indexlang.ir.build import BadOperands, Number, integer
from indexlang.ir.dtypes import DType, joined
from indexlang.ir.equation import Role, Tensor
from indexlang.ir.expr import Apply, Border, Bound, Const, Expr, Index, Read, Reduce, Rule, free_indices, rewrite, walk
from indexlang.ir.size import Extent, Named, Size, names, symbol
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, diagnostic, program_error
from indexlang.text.names import is_capital, nearest, plural
from indexlang.text.source import Span

INT_LIMIT = 2**63
_RULES = {rule.value: rule for rule in Rule if rule is not Rule.VALUE}
_BUILT_IN = {"draw", "mean", "logsumexp", *ops.FOLDS}
_ARITIES = {"max": (2, 99), "min": (2, 99), "clip": (3, 3), "where": (3, 3)}


def is_function(name: str) -> bool:
    """Whether `name` is a built-in function of scalars."""
    return name.lower() in ops.FUNCTIONS or name.lower() in _ARITIES or name.lower() in _BUILT_IN


class Expressions:
    """Elaborates expressions of one equation; collects the uses of indices in `scope`."""

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
        found = next((v for v in reversed(self.inner) if v.letter == letter), None)
        return found or self.scope.left.get(letter)

    def index_of_capital(self, name: str) -> Var | None:
        """The index whose capital `name` is, if it is in scope or bound anywhere in the equation."""
        for var in [*reversed(self.inner), *self.scope.left.values(), *self.scope.vars.values()]:
            if name in capitals(var.letter):
                return var
        return None

    # -- expressions

    def expr(self, e: ast.Expr) -> Expr:
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

    def subscript(self, e: ast.Expr) -> Expr:
        """An expression that must be an int."""
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
        """A constant expression that is an extent."""
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

    def _number(self, value: Number, span: Span) -> Expr:
        if isinstance(value, int) and abs(value) >= INT_LIMIT and not self.integers:
            shown = str(value) if value < 10**40 else "this number"
            raise program_error("E0315", span, value=shown)
        return self.build.number(value, span)

    def _name(self, e: ast.Name) -> Expr:
        world, name = self.world, e.name
        var = self.lookup(name)
        if var is not None:
            return Index(var.name, e.span)
        if name in world.constants:
            return self.build.number(world.constants[name], e.span)
        if self.ranges and name in world.extents:
            return Const(world.extent(name), DType.INT, e.span)
        capital = self.index_of_capital(name)
        if capital is not None and not (name in world.tensors and not world.tensors[name].extents):
            return Const(capital.extent, DType.INT, e.span)
        ahead = next((letter for letter in sorted(self.scope.ahead) if name in capitals(letter)), None)
        if ahead is not None and name not in world.tensors:
            self.scope.capitals[f"?{name}"] = ahead
            return Const(symbol(f"?{name}"), DType.INT, e.span)
        if name in world.extents:
            return Const(world.extent(name), DType.INT, e.span)
        if name.lower() in NUMBERS:
            return self.build.number(NUMBERS[name.lower()], e.span)
        return self._scalar(e)

    def _scalar(self, e: ast.Name) -> Expr:
        if self.integers and e.name not in self.world.tensors and self._may_be_index(e.name):
            advice = f"put `{e.name}` on the left side, or reduce over it: `sum[{e.name}] …`"
            raise program_error("E0302", e.span, index=e.name, advice=advice)
        tensor = self.tensor(e.name, e.span, 0, ())
        if tensor is None:
            letters = [v.letter for v in self.scope.vars.values()]
            raise program_error("E0201", e.span, name=e.name, advice=self.world.suggestion(e.name, letters))
        if tensor.extents:
            axes = ",".join(["…"] * len(tensor.extents))
            raise program_error(
                "E0301", e.span, tensor=e.name, wanted=plural(len(tensor.extents), "axis").replace("axiss", "axes"), given="none is",
                advice=f"write `{e.name}[{axes}]`", because=[(f"`{e.name}` is defined here", self.world.places.get(e.name, tensor.span))],
            )  # fmt: skip
        return Read(e.name, (), None, self._read_dtype(tensor), e.span)

    def tensor(self, name: str, span: Span, rank: int, letters: tuple[str, ...]) -> Tensor | None:
        """The tensor of that name; in a text without declarations an unknown one becomes an input."""
        world = self.world
        if name in world.tensors:
            return world.tensors[name]
        if name in world.computed or name in world.broken or name.partition(".")[0] in world.broken:
            raise ProgramError([])  # told where it is defined
        if world.declares:
            return None
        dtype = world.options.dtypes.get(name)
        if dtype is None:
            dtype = DType.INT if self.integers else world.options.float_type
        extents = tuple(self._shown_extent(letter, name, axis) for axis, letter in enumerate(letters))
        made = Tensor(name, extents, dtype, Role.INPUT, letters, span=span)
        world.tensors[name] = made
        world.places[name] = span
        return made

    def _shown_extent(self, letter: str, tensor: str, axis: int) -> Extent:
        """The named extent of an axis of an undeclared input: the one its index already has, or a fresh one."""
        var = self.lookup(letter) if letter else None
        if var is not None and var.written is None:
            for use in self.scope.uses:
                if (
                    isinstance(use.subscript, Index)
                    and use.subscript.name == var.name
                    and use.tensor in self.world.tensors
                ):
                    known = self.world.tensors[use.tensor]
                    if known.role is Role.INPUT and use.extent == known.extents[use.axis]:
                        return use.extent
        stem = capitals(letter)[0] if letter else f"{tensor}{axis}"
        return self.world.extent(self.world.fresh_extent(stem))

    def _access(self, e: ast.Access) -> Expr:
        world = self.world
        if e.name in world.tables:
            return self._table_item(e)
        if e.name not in world.tensors and e.name in world.constants:
            raise program_error(
                "E0209",
                e.name_span,
                name=e.name,
                what="a constant",
                advice="drop the brackets, or write `*` to multiply",
            )
        letters = tuple(s.name if isinstance(s, ast.Name) and self.lookup(s.name) else "" for s in e.subscripts)
        tensor = self.tensor(e.name, e.name_span, len(e.subscripts), letters)
        if tensor is None:
            raise program_error("E0201", e.name_span, name=e.name, advice=world.suggestion(e.name))
        if len(tensor.extents) != len(e.subscripts):
            raise self.rank_error(e, tensor)
        border = self._border(e, tensor)
        parts = tuple(self._axis(s, axis, e, tensor, border) for axis, s in enumerate(e.subscripts))
        dtype = self._read_dtype(tensor)
        if border and border.value is not None:
            value = border.value
            if (value.dtype is DType.BOOL) != (dtype is DType.BOOL):
                raise program_error(
                    "E0316",
                    e.span,
                    message="what follows `else` is of another kind than the tensor",
                    advice="use a number for a tensor of numbers",
                )
            if value.dtype.is_float and dtype is DType.INT:
                raise program_error(
                    "E0304",
                    cast(ast.Expr, e.border).span,
                    dtype="float",
                    hint="the tensor holds ints; give an int after `else`",
                )
        return Read(e.name, parts, border, dtype, e.span)

    def _read_dtype(self, tensor: Tensor) -> DType:
        """The type of an element as a value: floats are computed with in the program's float type, or a wider one."""
        return joined(tensor.dtype, self.build.float_type) if tensor.dtype.is_float else tensor.dtype.read

    def rank_error(self, e: ast.Access, tensor: Tensor) -> ProgramError:
        """An access with another number of subscripts than the tensor has axes."""
        count = len(tensor.extents)
        wanted = "no axes" if count == 0 else "1 axis" if count == 1 else f"{count} axes"
        given = f"{plural(len(e.subscripts), 'subscript')} {'is' if len(e.subscripts) == 1 else 'are'}"
        place = self.world.places.get(tensor.name, tensor.span)
        advice = (
            f"write `{tensor.name}`"
            if count == 0
            else f"give {plural(count, 'subscript')}, as in `{tensor.name}[{','.join('…' * count)}]`"
        )
        return program_error(
            "E0301",
            e.span,
            tensor=tensor.name,
            wanted=wanted,
            given=given,
            advice=advice,
            because=[(f"`{tensor.name}` has {wanted}", place)],
        )

    def _table_item(self, e: ast.Access) -> Expr:
        table = self.world.tables[e.name]
        if len(e.subscripts) != 1 or not isinstance(e.subscripts[0], ast.Number | ast.Name | ast.Binary):
            raise program_error(
                "E0301",
                e.span,
                tensor=e.name,
                wanted="1 axis",
                given="another number of subscripts is",
                advice=f"write `{e.name}[0]`",
            )
        at = self.constant(e.subscripts[0], "the position in a table")
        if not isinstance(at, int) or not 0 <= at < len(table):
            raise program_error(
                "E0412",
                e.span,
                subscript=str(at),
                axis=0,
                tensor=e.name,
                witness=f"it has {plural(len(table), 'item')}",
                advice="count from 0",
            )
        return self.build.number(table[at], e.span)

    def _border(self, e: ast.Access, tensor: Tensor) -> Border | None:
        if e.border is None:
            return None
        if isinstance(e.border, ast.Name) and e.border.name in _RULES and self.lookup(e.border.name) is None:
            return Border(_RULES[e.border.name])
        return Border(Rule.VALUE, self.expr(e.border))

    def _axis(self, s: ast.Subscript, axis: int, e: ast.Access, tensor: Tensor, border: Border | None) -> Expr:
        extent = tensor.extents[axis]
        if isinstance(s, ast.Group):
            return self._group(s, extent, axis, e, tensor, border)
        if isinstance(s, ast.Pack):
            raise program_error("E0101", s.span, found="`...`", expected="an index; a pack stands in a function's head")
        if isinstance(s, ast.Ranged):
            raise program_error(
                "E0101",
                s.span,
                found="`:`",
                expected="a subscript",
                hint="write ranges on the left side or in a reduction's list",
            )
        if isinstance(s, ast.Name) and self._is_unspecified(s.name):
            raise program_error(
                "E0421",
                s.span,
                message=f"`{s.name}` leaves an axis of `{e.name}` unspecified, but the left side names every axis",
                advice=f"write an index, or put `{s.name}` on the left side too",
            )
        found = self.subscript(s)
        self._use(found, extent, axis, s, e, border)
        return found

    def _is_unspecified(self, name: str) -> bool:
        """Whether a capital in a subscript has no value that could be meant."""
        world = self.world
        known = name in world.constants or name in world.extents or name in world.tensors or name in world.computed
        return is_capital(name) and not known and name.lower() not in NUMBERS and self.index_of_capital(name) is None

    def _use(self, found: Expr, extent: Extent, axis: int, s: ast.Expr, e: ast.Access, border: Border | None) -> None:
        bare = isinstance(found, Index) and isinstance(s, ast.Name)
        repeats = border.rule.value if border and border.rule is not Rule.VALUE else ""
        seen = (*self.scope.left.values(), *self.inner)
        conditions = tuple(self.conditions)
        use = Use(
            found, extent, e.name, axis, s.span, e.span, bare, border is not None, repeats, False, conditions, seen
        )
        self.scope.uses.append(use)

    def _group(
        self, group: ast.Group, extent: Extent, axis: int, e: ast.Access, tensor: Tensor, border: Border | None
    ) -> Expr:
        """`(g,i)` in an access splits the axis: g*I + i."""
        parts: list[tuple[Expr, Extent]] = []
        for place, item in enumerate(group.items):
            if isinstance(item, ast.Group | ast.Pack):
                raise program_error(
                    "E0101", item.span, found="a group", expected="an index", hint="groups do not nest: write one list"
                )
            inner = item.index if isinstance(item, ast.Ranged) else item
            found = self.subscript(inner)
            stated = self.extent(item.extent, "the extent of a part") if isinstance(item, ast.Ranged) else None
            if stated is None:
                stated = self._part_extent(found, place, item.span)
            parts.append((found, stated))
            self._use(found, stated, axis, inner, e, border)
        self.scope.groups.append(GroupUse(tuple(n for _, n in parts), extent, tensor.name, axis, group.span))
        return flattened(self, parts, group.span)

    def _part_extent(self, found: Expr, place: int, span: Span) -> Extent:
        if isinstance(found, Index):
            return self.scope.vars[found.name].extent
        if place == 0:  # the first part's extent matters to no stride: it is found by division
            return self.scope.new("part", span).extent
        raise program_error(
            "E0414",
            span,
            message="the extent of this part of the group is not known",
            advice="write it out: `(x, y+1:n)`",
        )

    # -- functions and operators

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
        if e.name in world.broken:
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
        rounded = self._apply(op, (arg,), span)
        return self._apply(ops.TO_INT, (rounded,), span) if self.integers and rounded.dtype.is_float else rounded

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

    def _apply(self, op: ops.Op, args: tuple[Expr, ...], span: Span) -> Expr:
        return self._checked(lambda: self.build.apply(op, *args, span=span), op, args, span)

    def _checked(self, make: "object", op: ops.Op, args: tuple[Expr, ...], span: Span) -> Expr:
        try:
            found = cast(Expr, make())  # type: ignore[operator]
        except BadOperands:
            given = " and ".join(_kind(a.dtype) for a in args)
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

    # -- reductions

    def _reduction(self, e: ast.Reduction) -> Expr:
        binders = self._implicit(e) if e.binders is None else self._explicit(e)
        self.inner.extend(binders)
        body = self.expr(e.body)
        del self.inner[len(self.inner) - len(binders) :]
        over = tuple(v.bound for v in binders)
        if e.binders is not None:
            self._check_used(e, binders, body)
        if e.op == "sum":
            self._warn_of_repeated_terms(e, {v.name for v in binders}, body)
        return self._fold(e, over, body)

    def _explicit(self, e: ast.Reduction) -> list[Var]:
        made: list[Var] = []
        for b in e.binders or ():
            around = self.lookup(b.name)
            twin = next((v for v in made if v.letter == b.name), around)
            if twin is not None:
                raise program_error(
                    "E0310", b.span, index=b.name, because=[(f"`{b.name}` is bound here already", twin.span)]
                )
            if b.name in self.world.constants:
                raise program_error(
                    "E0314", b.span, name=b.name, because=[(f"the constant `{b.name}`", self.world.places[b.name])]
                )
            written = self.extent(b.extent, f"the range of `{b.name}`") if b.extent else None
            made.append(self.scope.new(b.name, b.span, written))
        return made

    def _check_used(self, e: ast.Reduction, binders: list[Var], body: Expr) -> None:
        free = free_indices(body)
        for b, var in zip(e.binders or (), binders, strict=True):
            if var.name not in free and b.extent is None and not self._shows_extent(var, body):
                raise program_error("E0311", b.span, index=b.name, op=e.op)

    def _warn_of_repeated_terms(self, e: ast.Reduction, over: set[str], body: Expr) -> None:
        """`sum (W[i,j]*x[i] - B[j])` subtracts B once for each i: mostly the bracket should end before."""
        terms = list(_terms(body))
        for term in terms if len(terms) > 1 else ():
            if not free_indices(term) & over and any(isinstance(n, Read) for n in walk(term)):
                text = term.span.text or "a term"
                self.scope.warnings.append(diagnostic("W0301", e.op_span, op=e.op, term=f"`{text}`"))

    def _shows_extent(self, var: Var, body: Expr) -> bool:
        return var.symbol in {n for node in _walk_sizes(body) for n in node}

    def _implicit(self, e: ast.Reduction) -> list[Var]:
        letters = self.direct_indices(e.body)
        if not letters:
            self.expr(e.body)  # an unknown name in it, or one whose equation is wrong, says more
            raise program_error(
                "E0307", e.op_span, op=e.op, advice=f"name the index: `{e.op}[i] …`, or drop the `{e.op}`"
            )
        return [self.scope.new(letter, span) for letter, span in letters.items()]

    def direct_indices(self, e: ast.Expr) -> dict[str, Span]:
        """The letters in subscripts of a term that nothing around binds and no reduction inside claims."""
        found: dict[str, Span] = {}
        self._collect(e, found, (), False)
        return {letter: span for letter, span in found.items() if self.lookup(letter) is None}

    def _collect(self, e: object, found: dict[str, Span], bound: tuple[str, ...], inside: bool) -> None:
        match e:
            case ast.Name(name=name, span=span):
                if inside and name not in bound and self._may_be_index(name):
                    found.setdefault(name, span)
            case ast.Access(name=name, subscripts=subscripts, border=border):
                for s in subscripts:
                    self._collect(s, found, bound, name not in self.world.tables)
                self._collect(border, found, bound, False)
            case ast.Reduction(binders=binders, body=body):
                if binders is not None:  # without a list it binds its own
                    self._collect(body, found, (*bound, *(b.name for b in binders)), inside)
            case ast.Call(args=args):
                for a in args:
                    self._collect(a, found, bound, inside)
            case ast.Unary(operand=operand):
                self._collect(operand, found, bound, inside)
            case ast.Binary(left=left, right=right):
                self._collect(left, found, bound, inside)
                self._collect(right, found, bound, inside)
            case ast.Comparison(operands=operands):
                for o in operands:
                    self._collect(o, found, bound, inside)
            case ast.Conditional(value=value, condition=condition, other=other):
                for part in (value, condition, other):
                    self._collect(part, found, bound, inside)
            case ast.Group(items=items):
                for item in items:
                    self._collect(item, found, bound, inside)
            case ast.Ranged(index=index):
                self._collect(index, found, bound, inside)
            case _:
                return

    def _may_be_index(self, name: str) -> bool:
        world = self.world
        if name in world.constants or name.lower() in NUMBERS:
            return False
        if is_capital(name):
            return False
        scalar = world.tensors.get(name)
        return not (name in world.computed or (scalar is not None and not scalar.extents))

    def _fold(self, e: ast.Reduction, over: tuple[Bound, ...], body: Expr) -> Expr:
        build, span = self.build, e.span
        if e.op in ("any", "all") and body.dtype is not DType.BOOL:
            raise program_error(
                "E0306",
                e.body.span,
                op=e.op,
                given=f"a {_kind(body.dtype)}",
                advice="compare it first, as in `any (x != 0)`",
            )
        if e.op in ("argmax", "argmin") and (len(over) != 1 or e.binders is None):
            raise program_error("E0308", e.op_span, op=e.op)
        if e.op in ("argmax", "argmin", "mean"):
            self.scope.never_empty += [(e.op, self.scope.vars[b.name], e.op_span) for b in over]
        match e.op:
            case "mean":
                count = integer(1)
                for b in over:
                    count = cast(Const, build.apply(ops.MUL, count, integer(b.extent)))
                floats = body if body.dtype.is_float else build.apply(ops.MUL, self._one(), body)
                return self._apply(ops.DIV, (Reduce(ops.SUM, over, floats, floats.dtype, span), count), span)
            case "logsumexp":
                return self._logsumexp(over, body, span)
            case "argmax" | "argmin" | "any" | "all":
                dtype = DType.INT if e.op.startswith("arg") else DType.BOOL
                return Reduce(ops.FOLDS[e.op], over, body, dtype, span)
            case _:
                dtype = DType.INT if body.dtype is DType.BOOL else body.dtype
                inner = build.select(body, integer(1), integer(0)) if body.dtype is DType.BOOL else body
                return Reduce(ops.FOLDS[e.op], over, inner, dtype, span)

    def _again(self, e: Reduce) -> Reduce:
        """The same reduction with indices of its own, to stand inside another over the same ones."""
        twins = {b.name: self.scope.twin(self.scope.letters[b.name], b.span) for b in e.over}
        body = rewrite(
            e.body, lambda n: Index(twins[n.name].name, n.span) if isinstance(n, Index) and n.name in twins else n
        )
        over = tuple(Bound(twins[b.name].name, b.extent, b.span) for b in e.over)
        return Reduce(e.fold, over, body, e.dtype, e.span)

    def _one(self) -> Const:
        return Const(1.0, self.build.float_type)

    def _logsumexp(self, over: tuple[Bound, ...], body: Expr, span: Span) -> Expr:
        """m + log(sum exp(x - m)) with m the largest x, taken as 0 where it is infinite."""
        build = self.build
        x = body if body.dtype.is_float else build.apply(ops.MUL, self._one(), body)
        top = self._again(Reduce(ops.LARGEST, over, x, x.dtype, span))
        size_of_top = build.apply(ops.ABS, top)
        m = build.select(build.apply(ops.LT, size_of_top, build.number(float("inf"))), top, Const(0.0, x.dtype))
        terms = build.apply(ops.EXP, build.apply(ops.SUB, x, m))
        total = Reduce(ops.SUM, over, terms, x.dtype, span)
        return build.apply(ops.ADD, m, build.apply(ops.LOG, total), span=span)


def flattened(expressions: Expressions, parts: list[tuple[Expr, Extent]], span: Span) -> Expr:
    """The row-major position of a group of parts with their extents."""
    build = expressions.build
    found, _ = parts[0]
    for part, extent in parts[1:]:
        found = build.apply(ops.ADD, build.apply(ops.MUL, found, integer(extent)), part, span=span)
    return found


def capitals(letter: str) -> tuple[str, ...]:
    """The names that mean the extent of an index: `B` for b, `DX` or `Dx` for dx."""
    return tuple(dict.fromkeys(c for c in (letter.upper(), letter[:1].upper() + letter[1:]) if c != letter))


def _terms(e: Expr) -> Iterator[Expr]:
    """What a sum or difference is made of."""
    match e:
        case Apply(op=ops.ADD | ops.SUB, args=(a, b)):
            yield from _terms(a)
            yield from _terms(b)
        case _:
            yield e


def _kind(dtype: DType) -> str:
    return "bool" if dtype is DType.BOOL else "number"


def _walk_sizes(e: Expr) -> "list[set[str]]":
    return [names(node.value) for node in walk(e) if isinstance(node, Const) and isinstance(node.value, Size)]
