"""Calls of functions inside an equation: each becomes a tensor that the call computes.

before   L1[55,55,96] = ReLU(CONV(Input, Φ1, width 11, stride 4))
after    L1[55,55,96] = ReLU(L1.Conv)       and what `Conv` says of L1.Conv
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from indexlang.infer.equations import Stated
from indexlang.infer.expressions import Expressions
from indexlang.infer.instances import Instances
from indexlang.infer.matching import Given, NameGiven, NumberGiven, TensorGiven, match
from indexlang.infer.packs import of_rank
from indexlang.infer.ranks import own_rank
from indexlang.infer.scalars import inlined, is_scalar_function, uses_once
from indexlang.infer.scope import NUMBERS, Scope
from indexlang.infer.vectors import is_extent, is_slice
from indexlang.ir.equation import Role, Tensor
from indexlang.ir.size import Extent
from indexlang.syntax import ast
from indexlang.text.diagnostics import ProgramError, program_error
from indexlang.text.source import Span

if TYPE_CHECKING:
    from indexlang.infer.frame import Frame


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call stands.

    target  the tensor that its equation defines       rank    axes of the value that is wanted there, if known
    left    the indices of the equation's left side    slices  what its left side leaves unspecified
    """

    target: str
    rank: int | None
    left: tuple[str, ...]
    slices: tuple[ast.Expr, ...]
    call: ast.Call | None = None  # the whole right side, if that is a call


class Calls:
    """Expands the calls of one body."""

    def __init__(self, frame: "Frame") -> None:
        self.frame = frame
        self.instances = Instances(frame)

    def expanded(self, e: ast.Equation, stated: Stated | None) -> ast.Equation | None:
        """The equation without calls of functions; None if a call defines its tensor by itself."""
        library = self.frame.library
        if not any(library.has(n.name) for n in self.frame.world.looked.at(e).calls):
            return e
        place = self._place(e, stated)
        body = e.body
        if isinstance(body, ast.Call) and library.has(body.name) and e.sign == "=" and _is_plain_left(e):
            forms = self._forms(body)
            if not all(is_scalar_function(f) for f in forms):
                return self._whole_side(body, forms, e, place, stated)
        return replace(e, body=self._expr(body, place))

    def _whole_side(
        self, call: ast.Call, forms: tuple[ast.Def, ...], e: ast.Equation, place: Place, stated: Stated | None
    ) -> ast.Equation | None:
        """`T = F(…)`: the function's result is the tensor itself, unless the call's indices are others than T's."""
        if stated is None and e.subscripts is not None:
            extents = tuple(self.frame.extent_of(s) for s in e.subscripts)  # type: ignore[arg-type]
            stated = Stated(extents, None, e.left_span)
        result, rank, letters = self._computed(call, place, stated)
        if result != e.name:
            return replace(e, body=self._read(call, result, rank, letters, place))
        if e.subscripts is not None and rank != len(e.subscripts):
            raise program_error(
                "E0301",
                e.left_span,
                tensor=place.target,
                wanted=f"{rank} axes",
                given=f"{len(e.subscripts)} subscripts are",
                advice=f"`{call.name}` gives a tensor of {rank} axes here",
                because=[("this call gives its value", call.span)],
            )
        return None

    def _place(self, e: ast.Equation, stated: Stated | None) -> Place:
        world = self.frame.world
        subscripts = e.subscripts
        whole = e.body if isinstance(e.body, ast.Call) else None
        if subscripts is None:
            rank = len(stated.extents) if stated is not None else None
            return Place(e.name, rank, (), (), whole)
        left: list[str] = []
        slices: list[ast.Expr] = []
        for s in subscripts:
            inner = s.index if isinstance(s, ast.Ranged) else s
            if is_extent(s, world):
                slices.append(inner)  # type: ignore[arg-type]
            else:
                left += [n.name for n in ast.nodes(inner) if isinstance(n, ast.Name)]
        return Place(e.name, len(subscripts) - len(left), tuple(left), tuple(slices), whole)

    # -- expressions

    def _expr(self, e: ast.Expr, place: Place) -> ast.Expr:
        match e:
            case ast.Call() if self.frame.library.has(e.name):
                return self._call(e, place)
            case ast.Call():
                return replace(e, args=tuple(self._expr(a, place) for a in e.args))
            case ast.Unary():
                return replace(e, operand=self._expr(e.operand, place))
            case ast.Binary():
                return replace(e, left=self._expr(e.left, place), right=self._expr(e.right, place))
            case ast.Comparison():
                return replace(e, operands=tuple(self._expr(o, place) for o in e.operands))
            case ast.Conditional():
                value, condition, other = (self._expr(p, place) for p in (e.value, e.condition, e.other))
                return replace(e, value=value, condition=condition, other=other)
            case ast.Reduction():
                bound = tuple(b.name for b in e.binders or ())
                inner = replace(place, left=(*place.left, *bound), rank=None)
                return replace(e, body=self._expr(e.body, inner))
            case ast.Joined():
                return replace(e, parts=tuple(self._expr(p, place) for p in e.parts))
            case _:
                return e

    def _call(self, e: ast.Call, place: Place) -> ast.Expr:
        forms = self._forms(e)
        if all(is_scalar_function(f) for f in forms):
            return self._inlined(e, forms, place)
        result, rank, letters = self._computed(e, place, None)
        if not letters and not (place.left and rank):
            return ast.Name(result, e.span)
        return self._read(e, result, rank, letters, place)

    def _read(self, e: ast.Call, result: str, rank: int, letters: tuple[str, ...], place: Place) -> ast.Expr:
        """The result of a call in index form: at the indices of its arguments, whole along the rest."""
        own = rank - len(letters)
        if own > len(place.slices):
            raise program_error(
                "E0421",
                e.span,
                message=f"`{e.name}` gives a tensor, but the left side names every axis",
                advice="leave its axes in capitals on the left side, as in `p[b,K] = Softmax(s[b,K])`",
            )
        slices = place.slices[len(place.slices) - own :]
        names = tuple(s if is_slice(s) else ast.Name(f"Axis{n}", s.span) for n, s in enumerate(slices))
        indices = tuple(ast.Name(x, e.span) for x in letters)
        return ast.Access(result, (*indices, *names), None, e.span, e.span)

    def _inlined(self, e: ast.Call, forms: tuple[ast.Def, ...], place: Place) -> ast.Expr:
        """The formula of a function of scalars; an argument with work in it that stands there twice gets a name first."""
        once = all(uses_once(f) for f in forms)
        args = tuple(a if once or not self._is_heavy(a) else self._named(a, place) for a in e.args)
        with self.frame.library.calling(e.span):
            return self._expr(inlined(replace(e, args=args), forms), place)

    def _is_heavy(self, a: ast.Expr) -> bool:
        has = self.frame.library.has
        return any(isinstance(n, ast.Reduction) or (isinstance(n, ast.Call) and has(n.name)) for n in ast.nodes(a))

    def _named(self, a: ast.Expr, place: Place) -> ast.Expr:
        """An expression as a tensor of its own, over the indices that it uses."""
        name = self._fresh(f"{place.target}.arg")
        letters = [x for x in place.left if x in self._letters(a)]
        subscripts = (*(ast.Name(x, a.span) for x in letters), *_slices(a))
        if not subscripts and not place.left and place.rank is not None:
            self.frame.stated[name] = Stated((None,) * place.rank, None, a.span)
        self.frame.define_hoisted(ast.Equation(name, subscripts or None, "=", a, a.span, a.span))
        return ast.Access(name, subscripts, None, a.span, a.span) if subscripts else ast.Name(name, a.span)

    def _forms(self, e: ast.Call) -> tuple[ast.Def, ...]:
        if self.frame.world.is_broken(e.name):
            raise ProgramError([])
        return self.frame.library.forms(e.name)

    def _computed(self, e: ast.Call, place: Place, stated: Stated | None) -> tuple[str, int, tuple[str, ...]]:
        """Compute a call: its tensor, the rank of that, and the indices its first axes belong to.

        stated  what is said of the equation's own tensor, if the call is its whole right side
        """
        forms = self._forms(e)
        lead = None if place.rank is None else _lead(forms, place.rank)
        given = tuple(self._argument(a, n, forms, place, lead) for n, a in enumerate(e.args))
        given = tuple(self._made_input(g, n, forms) for n, g in enumerate(given))
        keywords = {k.name: NumberGiven(self._number(k.value), k.value.span) for k in e.keywords}
        binding = match(e, tuple(of_rank(f, given) for f in forms), given, keywords)
        letters = max((g.letters for g in given if isinstance(g, TensorGiven)), key=len, default=())
        is_whole_side = place.call is e and letters == place.left
        name = place.target if is_whole_side else self._fresh(f"{place.target}.{forms[0].name}")
        if lead is not None and letters:
            lead += len(letters)
        return self.instances.make(e, binding, name, place.target, lead, stated if is_whole_side else None)

    # -- arguments

    def _argument(self, a: ast.Expr, n: int, forms: tuple[ast.Def, ...], place: Place, lead: int | None) -> Given:
        world = self.frame.world
        match a:
            case ast.Name(name=name, span=span) if self._is_tensor(name):
                if name in world.extents and name not in world.constants:
                    raise program_error("E0208", span, name=name)
                return TensorGiven(name, len(self._tensor(name).extents), span)
            case ast.Name(name=name) if not self._has_value(name):
                return NameGiven(name, a.span, None, world.suggestion)
            case ast.Access(name=name, subscripts=subscripts, border=None) if name not in world.tables and all(
                is_extent(s, world) for s in subscripts
            ):
                return self._named_axes(a)
            case ast.Access(name=name, border=None) if self._is_tensor(name):
                letters = self._leading_letters(a, place)
                if letters is not None:
                    return TensorGiven(name, len(self._tensor(name).extents), a.span, letters)
            case _:
                if self._is_number(a):
                    return NumberGiven(self._number(a), a.span)
        return self._hoisted(a, n, forms, place, lead)

    def _is_tensor(self, name: str) -> bool:
        world = self.frame.world
        if name in world.constants:
            return False
        return name in world.tensors or name in world.computed or world.is_broken(name)

    def _tensor(self, name: str) -> Tensor:
        found = self.frame.world.tensors.get(name)
        if found is None:
            raise ProgramError([])  # told where it is defined
        return found

    def _has_value(self, name: str) -> bool:
        world = self.frame.world
        return name in world.constants or name in world.extents or name in world.values or name.lower() in NUMBERS

    def _is_number(self, a: ast.Expr) -> bool:
        """Whether an argument is a constant expression."""
        if any(isinstance(n, ast.Reduction | ast.Joined) for n in ast.nodes(a)):
            return False
        library, tables = self.frame.library, self.frame.world.tables
        for n in ast.nodes(a):
            if isinstance(n, ast.Call) and library.has(n.name):
                return False
            if isinstance(n, ast.Name) and not self._has_value(n.name):
                return False
            if isinstance(n, ast.Access) and n.name not in tables:
                return False
        return True

    def _number(self, a: ast.Expr) -> "bool | int | float":
        return Expressions(self.frame.world, Scope()).constant(a, "the argument")  # type: ignore[return-value]

    def _named_axes(self, a: ast.Access) -> Given:
        """`L[B,X,Y,J]` is the whole tensor; of a fresh name it says the extents of a package's first parameter."""
        world = self.frame.world
        if self._is_tensor(a.name):
            tensor = self._tensor(a.name)
            if len(tensor.extents) != len(a.subscripts):
                raise Expressions(world, Scope()).rank_error(a, tensor)
            self._check_named(a, tensor)
            return TensorGiven(a.name, len(tensor.extents), a.span)
        return NameGiven(a.name, a.span, a.subscripts, world.suggestion)

    def _check_named(self, a: ast.Access, tensor: Tensor) -> None:
        """Numbers in brackets must be the tensor's extents, and one capital must mean one extent."""
        seen: dict[str, int] = {}
        for axis, s in enumerate(a.subscripts):
            stated = s.value if isinstance(s, ast.Number) else None
            found = tensor.extents[axis]
            first = seen.setdefault(s.span.text, axis)
            other = stated if stated is not None else tensor.extents[first]
            if isinstance(other, int) and isinstance(found, int) and other != found:
                raise program_error(
                    "E0415",
                    s.span,
                    axis=axis,
                    tensor=a.name,
                    stated=other,
                    found=found,
                    because=[(f"`{a.name}` is defined here", world_place(self.frame, a.name, a.span))],
                )

    def _made_input(self, given: Given, n: int, forms: tuple[ast.Def, ...]) -> Given:
        """In a text that declares nothing, `F(L[B,X])` makes L an input."""
        if self.frame.world.declares or not isinstance(given, NameGiven) or given.extents is None:
            return given
        if not any(n < len(f.params) and isinstance(f.params[n], ast.TensorParam) for f in forms):
            return given
        return self._input(given, given.extents)

    def _input(self, given: NameGiven, written: tuple[ast.Subscript, ...]) -> TensorGiven:
        world = self.frame.world
        extents: list[Extent] = []
        for axis, s in enumerate(written):
            if isinstance(s, ast.Number) and isinstance(s.value, int):
                extents.append(s.value)
            elif isinstance(s, ast.Name):
                world.extents.add(s.name)
                extents.append(world.extent(s.name))
            else:
                extents.append(world.extent(world.fresh_extent(f"{given.name}{axis}")))
        dtype = world.options.dtypes.get(given.name) or world.options.float_type
        made = Tensor(given.name, tuple(extents), dtype, Role.INPUT, span=given.span)
        world.tensors[given.name] = made
        world.places[given.name] = given.span
        return TensorGiven(given.name, len(extents), given.span)

    def _leading_letters(self, a: ast.Access, place: Place) -> tuple[str, ...] | None:
        """The indices of `F[b,K]`, if they come first and the rest is whole."""
        world = self.frame.world
        letters: list[str] = []
        for n, s in enumerate(a.subscripts):
            if isinstance(s, ast.Name) and s.name in place.left and s.name not in letters and n == len(letters):
                letters.append(s.name)
            elif not is_extent(s, world) or not is_slice(s):
                return None
        return tuple(letters)

    def _hoisted(self, a: ast.Expr, n: int, forms: tuple[ast.Def, ...], place: Place, lead: int | None) -> Given:
        """An expression as an argument gets an equation of its own."""
        library = self.frame.library
        is_call = isinstance(a, ast.Call) and library.has(a.name)
        stem = library.forms(a.name)[0].name if isinstance(a, ast.Call) and is_call else "arg"
        name = self._fresh(f"{place.target}.{stem}")
        letters = [x for x in place.left if x in self._letters(a)]
        slices = dict.fromkeys(
            s for m in ast.nodes(a) if isinstance(m, ast.Access) for s in m.subscripts if is_slice(s)
        )
        subscripts = (*(ast.Name(x, a.span) for x in letters), *slices) if letters or slices else None
        stated = None
        rank = None if lead is None else _wanted_rank(forms, n, lead)
        if subscripts is None and rank is not None:
            stated = Stated((None,) * rank, None, a.span)
            self.frame.stated[name] = stated
        self.frame.define_hoisted(ast.Equation(name, subscripts, "=", a, a.span, a.span))
        return TensorGiven(name, len(self.frame.world.tensors[name].extents), a.span, tuple(letters))

    def _letters(self, a: ast.Expr) -> set[str]:
        """The names in subscripts that no reduction inside binds."""
        match a:
            case ast.Reduction(binders=binders, body=body):
                return self._letters(body) - {b.name for b in binders or ()}
            case ast.Access(subscripts=subscripts):
                return {n.name for s in subscripts for n in ast.nodes(s) if isinstance(n, ast.Name)}
            case _:
                return {x for part in ast.children(a) for x in self._letters(part)}  # type: ignore[arg-type]

    def _fresh(self, name: str) -> str:
        taken = self.frame.world.tensors
        if name not in taken:
            return name
        n = 2
        while f"{name}{n}" in taken:
            n += 1
        return f"{name}{n}"


def _is_plain_left(e: ast.Equation) -> bool:
    """Whether the left side is a whole tensor, or indices as they are and axes left unspecified."""
    return all(not isinstance(s, ast.Ranged | ast.Group | ast.Pack) for s in e.subscripts or ())


def _slices(a: ast.Expr) -> tuple[ast.Expr, ...]:
    """What an expression leaves unspecified, each once."""
    found = dict.fromkeys(s for m in ast.nodes(a) if isinstance(m, ast.Access) for s in m.subscripts if is_slice(s))
    return tuple(found)  # type: ignore[arg-type]


def world_place(frame: "Frame", name: str, otherwise: Span) -> Span:
    """Where a name is defined."""
    return frame.world.places.get(name, otherwise)


def _lead(forms: tuple[ast.Def, ...], rank: int) -> int | None:
    """How many axes of a wanted result are mapped, if all forms agree on the axes they give."""
    own = {own_rank(f) for f in forms}
    if len(own) != 1:
        return None
    found = own.pop()
    return None if found is None else rank - found


def _wanted_rank(forms: tuple[ast.Def, ...], n: int, lead: int) -> int | None:
    """The rank of the n-th argument where `lead` axes are mapped, if no pack leaves it open."""
    found: set[int] = set()
    for f in forms:
        params = [p for p in f.params if isinstance(p, ast.TensorParam)]
        if n < len(params) and not any(isinstance(a, ast.Pack) for a in params[n].axes):
            found.add(lead + len(params[n].axes))
    return found.pop() if len(found) == 1 else None
