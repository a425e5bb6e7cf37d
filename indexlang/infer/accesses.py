"""Names and accesses: what a name means where it stands, and `T[...]` as a read with its uses of indices told."""

from typing import cast

from indexlang.infer.context import Context, capitals
from indexlang.infer.scope import NUMBERS, GroupUse, Use
from indexlang.ir import ops
from indexlang.ir.build import integer
from indexlang.ir.dtypes import DType, joined
from indexlang.ir.equation import Role, Tensor
from indexlang.ir.expr import Border, Const, Expr, Index, Read, Rule
from indexlang.ir.size import Extent, symbol
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.names import is_capital, plural
from indexlang.text.source import Span

_RULES = {rule.value: rule for rule in Rule if rule is not Rule.VALUE}


class Accesses(Context):
    """Elaborates names and accesses."""

    # -- names

    def _name(self, e: ast.Name) -> Expr:
        world, name = self.world, e.name
        var = self.lookup(name)
        if var is not None:
            return Index(var.name, e.span)
        if name in world.constants:
            return self.build.number(world.constants[name], e.span)
        if self.ranges and name in world.extents:
            return Const(world.extent(name), DType.INT, e.span)
        if name in world.tensors and not world.tensors[name].extents:
            return self._scalar(e)  # what a bare name always means, whatever an extent is called
        capital = self.index_of_capital(name)
        if capital is not None:
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
        if name in world.computed or world.is_broken(name):
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

    # -- accesses

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
        first = e.subscripts[0] if len(e.subscripts) == 1 else None
        if first is None or isinstance(first, ast.Ranged | ast.Group | ast.Pack):
            raise program_error(
                "E0301",
                e.span,
                tensor=e.name,
                wanted="1 axis",
                given="another number of subscripts is",
                advice=f"write `{e.name}[0]`",
            )
        at = self.constant(first, "the position in a table")
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
        return self.flattened(parts, group.span)

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

    def flattened(self, parts: list[tuple[Expr, Extent]], span: Span) -> Expr:
        """The row-major position of a group of parts with their extents."""
        found, _ = parts[0]
        for part, extent in parts[1:]:
            found = self.build.apply(ops.ADD, self.build.apply(ops.MUL, found, integer(extent)), part, span=span)
        return found
