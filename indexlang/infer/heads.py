"""A function's head meets the arguments of a call: what its names stand for in the body."""

import re
from math import prod
from typing import TYPE_CHECKING, cast

from indexlang.infer.declarations import is_constant_shape
from indexlang.infer.expressions import Expressions
from indexlang.infer.mapping import Alias, Leading
from indexlang.infer.matching import Binding, NumberGiven, TensorGiven, pack_axis, tensor_params
from indexlang.infer.ranks import own_rank
from indexlang.infer.scope import Scope, World
from indexlang.infer.solutions import open_names, open_symbol
from indexlang.infer.unroll import Value, filled
from indexlang.ir.build import Number
from indexlang.ir.equation import Role, Tensor
from indexlang.ir.size import Extent, Size, same
from indexlang.syntax import ast
from indexlang.text.diagnostics import Note, ProgramError, program_error
from indexlang.text.source import Span

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame

_OPEN = re.compile(r"(\w+)@(\S+)")  # an open extent, as its symbol is called
_ABOUT_EXTENTS = ("E0402", "E0404", "E0412", "E0414", "E0415")
_NOWHERE, _NEGATIVE = "E0423", "E0417"  # a window that fits nowhere; so little room that a range is below 0
_ABOUT_NUMBERS = ("E0304", "E0305", "E0313", "E0417")


class Head:
    """The head of one call.

    world   the names of the body       values   its constants and extents     from_where  why they are what they are
    aliases its tensors, the caller's   leading  the axes that are mapped      letters     the caller's indices for these
    """

    def __init__(self, caller: "Frame", call: ast.Call, binding: Binding, name: str, lead: int | None) -> None:
        self.caller, self.call, self.binding, self.form = caller, call, binding, binding.form
        self.lead = lead
        self.path = f"{caller.path}.{name}" if caller.path else name
        self.values: dict[str, Value | Extent] = {}
        self.from_where: dict[str, tuple[str, Span]] = {}
        self.aliases: dict[str, Alias] = {}
        self.packs: dict[str, tuple[tuple[Extent, ...], Span]] = {}
        self.letters: tuple[str, ...] = ()
        self.leading: list[Leading] = []
        self.world = self._world(caller)

    def _world(self, caller: "Frame") -> World:
        """What a body sees from outside: a function of the text its constants and tables, one of the library none."""
        outer = caller.world
        world = World(outer.options, outer.build, True, solutions=outer.solutions, looked=outer.looked)
        if caller.library.is_own(self.form):
            headed = {p.name for p in self.form.params} | {a.name for p in tensor_params(self.form) for a in p.axes}
            world.constants.update((n, v) for n, v in outer.constants.items() if n not in headed)
            world.tables.update((n, v) for n, v in outer.tables.items() if n not in headed)
        world.constants["training"] = outer.constants.get("training", False)
        world.places.update({n: outer.places[n] for n in world.constants if n in outer.places})
        return world

    def bind(self) -> None:
        """Give every name of the head its value. Raises E0217, E0219."""
        self._bind_constants()
        self._bind_tensors()
        self._bind_defaults()

    def reasons(self, code: str) -> list[Note]:
        """What this call has to do with a mistake inside the function."""
        if code in _ABOUT_NUMBERS:
            found = [Note(*self.from_where[name]) for name in self.binding.constants if name in self.from_where]
            return [*found, *self._tensors_given()] if code == _NEGATIVE else found
        if code == _NOWHERE:
            return self._tensors_given()
        return self.open_extents() if code in _ABOUT_EXTENTS else []

    def _tensors_given(self) -> list[Note]:
        """What the names of the head's tensors stand for, and how large that is."""
        named = ((p, self.binding.tensors.get(p.name)) for p in tensor_params(self.form))
        pairs = [(p, given) for p, given in named if isinstance(given, TensorGiven)]
        found = ((p, given, self.caller.world.tensors[given.name].extents) for p, given in pairs)
        return [
            Note(
                f"`{p.name}` is `{given.span.text or given.name}`, of extents [{', '.join(map(str, extents))}]",
                given.span,
            )
            for p, given, extents in found
        ]

    def open_extents(self) -> list[Note]:
        """Why the constants that the head leaves open are what they are in this call."""
        out: list[Note] = []
        for p in self.form.params:
            if not isinstance(p, ast.ConstantParam) or not p.is_open:
                continue
            if p.name in self.binding.constants:
                out.append(Note(*self.from_where[p.name]))
                continue
            symbols = open_names(open_symbol(p.keyword, self.path))
            for s in symbols & self.world.solutions.reasons.keys():
                reason = self.world.solutions.reasons[s]
                value = self.world.solutions.values[s]
                text = _OPEN.sub(r"\1 of \2", reason.text)
                out.append(Note(f"so `{p.keyword}` is {value}: {text}", reason.span))
        return out

    # -- what the head names

    def _bind_constants(self) -> None:
        for p in self.form.params:
            if isinstance(p, ast.ConstantParam) and p.name in self.binding.constants:
                given = self.binding.constants[p.name]
                self._bind(p.name, given.value, f"`{p.keyword}` is {given.value}", given.span)

    def _bind(self, name: str, value: Value | Extent, text: str, span: Span) -> None:
        self.values[name] = value
        self.from_where[name] = (text, span)

    def _bind_tensors(self) -> None:
        most = 0
        for p in tensor_params(self.form):
            given = self.binding.tensors[p.name]
            if isinstance(given, NumberGiven):
                self._bind(p.name, given.value, f"`{p.name}` is {given.value}", given.span)
                continue
            tensor = self.caller.world.tensors[given.name]
            lead = self._lead_of(p, given, len(tensor.extents))
            self._bind_axes(p, given, tensor, lead)
            most = max(most, lead)
            if len(given.letters) > len(self.letters):
                self.letters = given.letters
            self._map(tensor, given, lead)

    def _lead_of(self, p: ast.TensorParam, given: TensorGiven, rank: int) -> int:
        """How many axes of an argument the function does not see."""
        if pack_axis(p) is None:
            return rank - len(p.axes)
        least = len(p.axes)
        if given.letters:
            lead = len(given.letters)
        elif self.lead is not None:
            lead = self.lead
        elif rank == least or self.caller.around or self._result_is_scalar():
            lead = 0
        else:
            raise self._unclear_pack(p, given, rank, f"the head of `{self.form.name}` asks for `{p.span.text}`", p.span)
        if rank - lead < least:
            reason = f"the left side leaves {lead} of them out of the pack"
            raise self._unclear_pack(p, given, rank, reason, self.call.span)
        return lead

    def _unclear_pack(
        self, p: ast.TensorParam, given: TensorGiven, rank: int, reason: str, place: Span
    ) -> ProgramError:
        pack, name = p.span.text, self.form.name
        because = [(reason, place)]
        return program_error(
            "E0217", self.call.span, name=name, pack=pack, tensor=given.name, rank=rank, because=because
        )

    def _result_is_scalar(self) -> bool:
        return own_rank(self.form) == 0

    def _bind_axes(self, p: ast.TensorParam, given: TensorGiven, tensor: Tensor, lead: int) -> None:
        """The names in a parameter's brackets stand for the extents of the argument."""
        at = pack_axis(p)
        rest = tensor.extents[lead:]
        packs: dict[int, tuple[Extent, ...]] = {}
        seen: list[Extent] = []
        if at is not None:
            count = len(rest) - len(p.axes) + 1
            packed = rest[at : at + count]
            self._bind_pack(p.axes[at].name, packed, given.span)
            if len(packed) > 1:
                packs[at] = packed
            seen = [*rest[:at], prod(packed, start=cast(Extent, 1)), *rest[at + count :]]
        else:
            seen = list(rest)
        for axis, extent in zip(p.axes, seen, strict=True):
            text = f"`{axis.name}` is {extent}, of `{given.span.text or given.name}`"
            self._bind_extent(axis.name, extent, text, given.span)
        axes = tensor.axes if len(tensor.axes) == len(tensor.extents) else ("",) * len(tensor.extents)
        self.aliases[p.name] = Alias(given.name, lead, packs, axes)
        kept = tuple(axes[lead:]) if not packs else ()
        self.world.tensors[p.name] = Tensor(p.name, tuple(seen), tensor.dtype, Role.COMPUTED, kept, span=p.span)
        self.world.places[p.name] = p.span

    def _bind_pack(self, name: str, extents: tuple[Extent, ...], span: Span) -> None:
        """One pack of a head is the same axes by every argument, not only as many elements."""
        shown = "×".join(str(n) for n in extents) or "no axis"
        known, place = self.packs.setdefault(name, (extents, span))
        if known is extents:
            return
        for a, b in zip(known, extents, strict=False):
            if same(a, b) is None:
                self.world.solutions.unify(a, b, f"both are of `{name}...`", span)
        if len(known) != len(extents) or any(same(a, b) is False for a, b in zip(known, extents, strict=True)):
            first = "×".join(str(n) for n in known) or "no axis"
            because = [(f"it is {first} here", place), (f"it is {shown} here", span)]
            raise program_error(
                "E0219", span, name=f"{name}...", function=self.form.name, first=first, second=shown, because=because
            )

    def _bind_extent(self, name: str, extent: Extent, text: str, span: Span) -> None:
        known = self.values.get(name)
        if known is None:
            self._bind(name, extent, text, span)
            return
        first = self.from_where[name]
        if isinstance(known, int | Size) and not isinstance(known, bool):
            if same(known, extent) is None:
                self.world.solutions.unify(known, extent, text, span)
            if same(known, extent) is not False:
                return
        raise program_error(
            "E0219", span, name=name, function=self.form.name, first=known, second=extent, because=[first, (text, span)]
        )

    def _map(self, tensor: Tensor, given: TensorGiven, lead: int) -> None:
        axes = tensor.axes if len(tensor.axes) == len(tensor.extents) else ("",) * len(tensor.extents)
        for n in range(lead):
            letter = given.letters[n] if n < len(given.letters) else axes[n] or "bcd"[min(n, 2)]
            if n == len(self.leading):
                self.leading.append(Leading(letter, tensor.extents[n], given.span))
                continue
            known = self.leading[n]
            if same(known.extent, tensor.extents[n]) is None:
                self.world.solutions.unify(known.extent, tensor.extents[n], "mapped axes agree", given.span)
            if same(known.extent, tensor.extents[n]) is False:
                raise program_error(
                    "E0219",
                    given.span,
                    name=f"the mapped axis {n}",
                    function=self.form.name,
                    first=known.extent,
                    second=tensor.extents[n],
                    because=[
                        (f"it is {known.extent} here", known.span),
                        (f"it is {tensor.extents[n]} here", given.span),
                    ],
                )

    def _bind_defaults(self) -> None:
        for p in self.form.params:
            if not isinstance(p, ast.ConstantParam) or p.name in self.values:
                continue
            if p.is_open:
                self.caller.library.bodies.opened += 1
                extent = self.world.solutions.now(open_symbol(p.keyword, self.path))
                self._bind(p.name, extent, f"`{p.keyword}` is open", p.span)
            else:
                assert p.default is not None
                value = self.constant(self.filled(p.default))
                self._bind(p.name, value, f"`{p.span.text}` is the default", p.span)

    # -- constants

    def filled(self, e: ast.Expr) -> ast.Expr:
        """`e` with the values of the parameters in place of their names."""
        return filled(e, self.values, lambda name, span, env: name)

    def constant(self, e: ast.Expr) -> Number:
        """The number that `e` is. Raises ProgramError where it is none."""
        return Expressions(self.world, Scope()).constant(e, "this")

    def is_closed(self, e: ast.Expr) -> bool:
        """Whether `e` is a number already, without anything that the body defines."""
        if not is_constant_shape(e, self.world.tables):
            return False
        world = self.world
        if any(isinstance(n, ast.Name) and n.name not in world.constants for n in ast.nodes(e)):
            return False
        return not any(isinstance(n, ast.Call) and self.caller.library.has(n.name) for n in ast.nodes(e))
